import { expect, it } from "vitest";
import { errorFrom } from "./http.ts";

it("every refusal becomes a sentence: the gateway's own where there is one", () => {
  const told = errorFrom(409, '{"error":{"code":"is_directory","message":"That is a folder."}}');
  expect(told).toMatchObject({ code: "is_directory", message: "That is a folder.", status: 409 });
  expect(errorFrom(413, "<html>").message).toMatch(/larger/);
  expect(errorFrom(507, "").message).toMatch(/disk is full/);
  for (const body of ["null", "{}", '{"error":"x"}']) expect(errorFrom(500, body).message).toMatch(/500/);
});
