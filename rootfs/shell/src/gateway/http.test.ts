import { afterEach, expect, it, vi } from "vitest";
import { ask, errorFrom } from "./http.ts";
import { currentLink } from "./link.ts";

afterEach(() => vi.unstubAllGlobals());

it("an AI that cannot answer is no computer out of reach, and a proxy that finds nobody is", async () => {
  const answers = (status: number, body: string) => vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status })));
  const refused = '{"error":{"code":"no_key","message":"Your AI has no access to a model."}}';
  answers(424, refused);
  await expect(ask("/api/bridge/generate")).rejects.toMatchObject({ code: "no_key", status: 424, message: /no access/ });
  expect(currentLink()).toBe("connected");
  answers(503, refused);
  await expect(ask("/api/bridge/generate")).rejects.toMatchObject({ code: "no_key" });
  expect(currentLink()).toBe("unreachable");
});

it("every refusal becomes a sentence: the gateway's own where there is one", () => {
  const told = errorFrom(409, '{"error":{"code":"is_directory","message":"That is a folder."}}');
  expect(told).toMatchObject({ code: "is_directory", message: "That is a folder.", status: 409 });
  expect(errorFrom(413, "<html>").message).toMatch(/larger/);
  expect(errorFrom(507, "").message).toMatch(/disk is full/);
  for (const body of ["null", "{}", '{"error":"x"}']) expect(errorFrom(500, body).message).toMatch(/500/);
});
