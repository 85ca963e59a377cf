import { expect, it } from "vitest";
import { GENERATE, GatewayError, errorFrom, isAway } from "./http.ts";

it("every refusal becomes a sentence: the gateway's own where there is one", () => {
  const told = errorFrom(409, '{"error":{"code":"is_directory","message":"That is a folder."}}');
  expect(told).toMatchObject({ code: "is_directory", message: "That is a folder.", status: 409 });
  expect(errorFrom(413, "<html>").message).toMatch(/larger/);
  expect(errorFrom(507, "").message).toMatch(/disk is full/);
  for (const body of ["null", "{}", '{"error":"x"}']) expect(errorFrom(500, body).message).toMatch(/500/);
});

it("a model that fails an app does not mean that the computer is away", () => {
  const refusal = (code: string, status = 503) => new GatewayError(code, "", status);
  for (const code of ["busy", "no_key", "offline"]) expect(isAway(GENERATE, refusal(code))).toBe(false);
  // The platform's own words, and those of whatever stands between.
  for (const code of ["stopped", "unexpected"]) expect(isAway(GENERATE, refusal(code))).toBe(true);
  expect(isAway("/api/layout", refusal("busy"))).toBe(true);
  expect(isAway("/api/layout", refusal("is_directory", 409))).toBe(false);
});
