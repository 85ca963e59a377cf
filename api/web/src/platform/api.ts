// Every route of the platform's API that the pages use, by name.
import type { AuthenticationResponseJSON, PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON, RegistrationResponseJSON } from "@simplewebauthn/browser";
import { call } from "./http.ts";
import type { Arrival, Computer, HandleAnswer, Me, Profile, Stats } from "./wire.ts";

export interface Ceremony<Options> {
  /** Names the server's half of the ceremony. */
  ceremony: string;
  publicKey: Options;
}

export const handleAnswer = (text: string, signal: AbortSignal) => call<HandleAnswer>(`/api/handles/${encodeURIComponent(text)}`, { signal });

export const signupStart = (handle: string) => call<Ceremony<PublicKeyCredentialCreationOptionsJSON>>("/api/signup/start", { method: "POST", body: { handle } });

export const signupFinish = (body: { ceremony: string; credential: RegistrationResponseJSON; feed: boolean }) =>
  call<Arrival>("/api/signup/finish", { method: "POST", body });

export const loginStart = () => call<Ceremony<PublicKeyCredentialRequestOptionsJSON>>("/api/login/start", { method: "POST", body: {} });

export const loginFinish = (body: { ceremony: string; credential: AuthenticationResponseJSON }) => call<Arrival>("/api/login/finish", { method: "POST", body });

export const logout = () => call<void>("/api/logout", { method: "POST" });

export const me = (signal?: AbortSignal) => call<Me>("/api/me", { signal });

export const computer = (signal?: AbortSignal) => call<Computer>("/api/computer", { signal });

export const startComputer = () => call<Computer>("/api/computer/start", { method: "POST" });

export const stats = (signal?: AbortSignal) => call<Stats>("/api/stats", { signal });

export const profile = (handle: string, signal?: AbortSignal) => call<Profile>(`/api/profiles/${encodeURIComponent(handle)}`, { signal });
