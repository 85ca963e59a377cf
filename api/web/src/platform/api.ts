// Every route of the platform's API that the pages use, by name.
import type { AuthenticationResponseJSON, PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON, RegistrationResponseJSON } from "@simplewebauthn/browser";
import { call } from "./http.ts";
import type { AppStart, Arrival, AuditPage, CodeArrival, Computer, HandleAnswer, Me, Passkey, Profile, RecoveryCodes, Security, Session, Stats, Usage } from "./wire.ts";

export interface Ceremony<Options> {
  /** Names the server's half of the ceremony. */
  ceremony: string;
  publicKey: Options;
}

export const handleAnswer = (text: string, signal: AbortSignal) => call<HandleAnswer>(`/api/handles/${encodeURIComponent(text)}`, { signal });

export const signupStart = (handle: string) => call<Ceremony<PublicKeyCredentialCreationOptionsJSON>>("/api/signup/start", { method: "POST", body: { handle } });

export const signupFinish = (body: { ceremony: string; credential: RegistrationResponseJSON; feed: boolean }) =>
  call<Arrival>("/api/signup/finish", { method: "POST", body });

export const signupAppStart = (handle: string) => call<AppStart>("/api/signup/totp/start", { method: "POST", body: { handle } });

export const signupAppFinish = (body: { ceremony: string; code: string; feed: boolean }) =>
  call<Arrival & RecoveryCodes>("/api/signup/totp/finish", { method: "POST", body });

export const loginStart = () => call<Ceremony<PublicKeyCredentialRequestOptionsJSON>>("/api/login/start", { method: "POST", body: {} });

export const loginFinish = (body: { ceremony: string; credential: AuthenticationResponseJSON }) => call<Arrival>("/api/login/finish", { method: "POST", body });

export const loginCode = (body: { handle: string; code: string }) => call<CodeArrival>("/api/login/code", { method: "POST", body });

export const logout = () => call<void>("/api/logout", { method: "POST" });

export const me = (signal?: AbortSignal) => call<Me>("/api/me", { signal });

export const computer = (signal?: AbortSignal) => call<Computer>("/api/computer", { signal });

export const startComputer = () => call<Computer>("/api/computer/start", { method: "POST" });

export const stats = (signal?: AbortSignal) => call<Stats>("/api/stats", { signal });

export const profile = (handle: string, signal?: AbortSignal) => call<Profile>(`/api/profiles/${encodeURIComponent(handle)}`, { signal });

export const security = (signal?: AbortSignal) => call<Security>("/api/security", { signal });

export const passkeyStart = () => call<Ceremony<PublicKeyCredentialCreationOptionsJSON>>("/api/passkeys/start", { method: "POST", body: {} });

export const passkeyFinish = (body: { ceremony: string; credential: RegistrationResponseJSON; name: string }) =>
  call<Passkey>("/api/passkeys/finish", { method: "POST", body });

export const passkeyRename = (id: string, name: string) => call<Passkey>(`/api/passkeys/${encodeURIComponent(id)}`, { method: "PATCH", body: { name } });

export const passkeyRemove = (id: string) => call<void>(`/api/passkeys/${encodeURIComponent(id)}`, { method: "DELETE" });

export const appStart = () => call<AppStart>("/api/totp/start", { method: "POST", body: {} });

export const appFinish = (body: { ceremony: string; code: string }) => call<RecoveryCodes>("/api/totp/finish", { method: "POST", body });

export const appRemove = () => call<void>("/api/totp", { method: "DELETE" });

export const newRecoveryCodes = () => call<RecoveryCodes>("/api/recovery-codes", { method: "POST", body: {} });

export const sessions = (signal?: AbortSignal) => call<{ sessions: Session[] }>("/api/sessions", { signal });

export const endSession = (id: string) => call<void>(`/api/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });

export const endAllSessions = () => call<void>("/api/sessions/revoke-all", { method: "POST", body: {} });

export const audit = (before: number | null, signal?: AbortSignal) => call<AuditPage>(before === null ? "/api/audit" : `/api/audit?before=${before}`, { signal });

export const usage = (handle: string, signal?: AbortSignal) => call<Usage>(`/api/usage/${encodeURIComponent(handle)}`, { signal });

/** Where every call can be downloaded. */
export const callsTable = (handle: string) => `/api/usage/${encodeURIComponent(handle)}/calls.csv`;

export const keySet = (key: string) => call<void>("/api/ai/key", { method: "PUT", body: { key } });

export const keyRemove = () => call<void>("/api/ai/key", { method: "DELETE" });

/** Where everything that one has can be downloaded. */
export const EXPORT = "/api/account/export";

/** Whether a download would begin now. */
export const exportCheck = () => call<void>(`${EXPORT}?check=true`);

export const deleteAccount = (confirm: string) => call<{ deletion: number }>("/api/account/delete", { method: "POST", body: { confirm } });

export const restoreAccount = () => call<{ deletion: null }>("/api/account/restore", { method: "POST", body: {} });

export const claimAdmin = (token: string) => call<void>("/api/admin/claim", { method: "POST", body: { token } });

export const verifyStart = () => call<Ceremony<PublicKeyCredentialRequestOptionsJSON>>("/api/verify/start", { method: "POST", body: {} });

export const verifyFinish = (body: { ceremony: string; credential: AuthenticationResponseJSON }) => call<{ freshUntil: number }>("/api/verify/finish", { method: "POST", body });

export const verifyCode = (code: string) => call<{ freshUntil: number }>("/api/verify/code", { method: "POST", body: { code } });
