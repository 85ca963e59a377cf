// Keeps: what a passkey ceremony's failures lead to.
import * as browser from "@simplewebauthn/browser";
import { beforeEach, expect, test, vi } from "vitest";
import * as api from "./api.ts";
import { newPasskey, passkeyProblem, signIn, signUp, verify } from "./passkey.ts";
import { Problem } from "./problem.ts";

vi.mock("./api.ts");
vi.mock("@simplewebauthn/browser", async (original) => ({
  ...(await original<typeof browser>()),
  browserSupportsWebAuthn: vi.fn(() => true),
  startRegistration: vi.fn(async () => ({ id: "credential" })),
  startAuthentication: vi.fn(async () => ({ id: "credential" })),
}));

const arrival = { handle: "hamed", computer: "http://hamed.localhost:8080" };
const expired = new Problem("ceremony_expired", "That took too long.");

beforeEach(() => {
  vi.resetAllMocks();
  vi.mocked(browser.browserSupportsWebAuthn).mockReturnValue(true);
  vi.mocked(browser.startRegistration).mockResolvedValue({ id: "credential" } as never);
  vi.mocked(browser.startAuthentication).mockResolvedValue({ id: "credential" } as never);
  let n = 0;
  vi.mocked(api.signupStart).mockImplementation(async () => ({ ceremony: `c${++n}`, publicKey: { rp: { id: "localhost" } } }) as never);
  vi.mocked(api.loginStart).mockImplementation(async () => ({ ceremony: `c${++n}`, publicKey: {} }) as never);
});

test("an expired ceremony is begun anew once, with a fresh challenge and without a word", async () => {
  vi.mocked(api.signupFinish).mockRejectedValueOnce(expired).mockResolvedValueOnce(arrival);
  expect(await signUp("hamed", true, () => {})).toEqual(arrival);
  expect(vi.mocked(api.signupFinish).mock.calls.map(([body]) => [body.ceremony, body.feed])).toEqual([
    ["c1", true],
    ["c2", true],
  ]);
  vi.mocked(api.loginFinish).mockRejectedValue(expired);
  await expect(signIn()).rejects.toBe(expired);
  expect(api.loginFinish).toHaveBeenCalledTimes(2);
});

test("a sign-up whose last answer is lost points to the passkey that was made", async () => {
  vi.mocked(api.signupFinish).mockRejectedValue(new Problem("no_answer", "x"));
  await expect(signUp("hamed", false, () => {})).rejects.toMatchObject({ code: "signup_unsure" });
});

test("a handle lost in the race keeps its suggestions, and the device is asked to drop the useless passkey", async () => {
  const signalUnknownCredential = vi.fn(async () => {});
  vi.stubGlobal("PublicKeyCredential", { signalUnknownCredential });
  vi.mocked(api.signupFinish).mockRejectedValue(new Problem("handle_taken", "Taken.", ["hamed-os"]));
  await expect(signUp("hamed", false, () => {})).rejects.toMatchObject({ code: "handle_taken", suggestions: ["hamed-os"] });
  expect(signalUnknownCredential).toHaveBeenCalledWith({ rpId: "localhost", credentialId: "credential" });
  vi.unstubAllGlobals();
});

test("a browser without passkeys is told so before the platform is asked for anything", async () => {
  vi.mocked(browser.browserSupportsWebAuthn).mockReturnValue(false);
  vi.stubGlobal("isSecureContext", true);
  await expect(signUp("hamed", false, () => {})).rejects.toMatchObject({ code: "passkeys_unsupported" });
  vi.stubGlobal("isSecureContext", false);
  await expect(signIn()).rejects.toMatchObject({ code: "passkey_wrong_place" });
  expect(api.signupStart).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
});

test("an offer that comes too late does not take the place of the ceremony that came after it", async () => {
  const stop = new AbortController();
  vi.mocked(api.loginStart).mockImplementation(async () => {
    stop.abort();
    return { ceremony: "late", publicKey: {} } as never;
  });
  await expect(signIn({ offered: true, signal: stop.signal })).rejects.toMatchObject({ code: "aborted" });
  expect(browser.startAuthentication).not.toHaveBeenCalled();
});

test("the page learns that a passkey was picked before the platform has judged it", async () => {
  const picked = vi.fn();
  vi.mocked(api.loginFinish).mockImplementation(async () => {
    expect(picked).toHaveBeenCalledTimes(1);
    return arrival;
  });
  expect(await signIn({ offered: true, picked })).toEqual(arrival);
  expect(vi.mocked(browser.startAuthentication).mock.calls[0]?.[0].useBrowserAutofill).toBe(true);
});

test("one more passkey is made once and saved until its name fits", async () => {
  const save = newPasskey({ ceremony: "c", publicKey: { rp: { id: "localhost" } } } as never);
  vi.mocked(api.passkeyFinish).mockRejectedValueOnce(new Problem("name_invalid", "x")).mockResolvedValueOnce({ id: "p", name: "Phone", created: 1, lastUsed: null });
  await expect(save("")).rejects.toMatchObject({ code: "name_invalid" });
  expect((await save("Phone")).name).toBe("Phone");
  expect(api.passkeyFinish).toHaveBeenLastCalledWith({ ceremony: "c", credential: { id: "credential" }, name: "Phone" });
  expect(browser.startRegistration).toHaveBeenCalledTimes(1);
});

test("one more passkey that the platform refuses is dropped from the device", async () => {
  const signalUnknownCredential = vi.fn(async () => {});
  vi.stubGlobal("PublicKeyCredential", { signalUnknownCredential });
  vi.mocked(api.passkeyFinish).mockRejectedValueOnce(expired);
  await expect(newPasskey({ ceremony: "c", publicKey: { rp: { id: "localhost" } } } as never)("Phone")).rejects.toBe(expired);
  expect(signalUnknownCredential).toHaveBeenCalledTimes(1);
  vi.unstubAllGlobals();
});

test("a proof that waited too long is asked for anew", async () => {
  vi.mocked(api.verifyStart).mockResolvedValue({ ceremony: "v", publicKey: {} } as never);
  vi.mocked(api.verifyFinish).mockRejectedValueOnce(expired).mockResolvedValueOnce({ freshUntil: 1 });
  await verify();
  expect(api.verifyStart).toHaveBeenCalledTimes(2);
});

test("each refusal of the browser has its own meaning", () => {
  const meaning = (name: string) => passkeyProblem(new DOMException("", name)).code;
  expect(meaning("NotAllowedError")).toBe("passkey_cancelled");
  expect(meaning("AbortError")).toBe("aborted");
  expect(meaning("InvalidStateError")).toBe("passkey_present");
  expect(meaning("NotSupportedError")).toBe("passkey_unfit");
  expect(meaning("SecurityError")).toBe("passkey_wrong_place");
  expect(meaning("UnknownError")).toBe("passkey_failed");
  const wrapped = new browser.WebAuthnError({ message: "", code: "ERROR_PASSTHROUGH_SEE_CAUSE_PROPERTY", cause: new DOMException("", "NotAllowedError") });
  expect(passkeyProblem(wrapped).code).toBe("passkey_cancelled");
});
