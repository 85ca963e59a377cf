// The settings that the computer keeps, and the texts in which its owner says who they are.
import { contentUrl } from "../windows/files/paths.ts";
import { GatewayError, ask, askJson, sendJson } from "./http.ts";

export type Approval = "never" | "outside" | "always";

export interface AgentSettings {
  model: string;
  approval: Approval;
  /** Longest turn, in seconds. */
  turnSeconds: number;
  /** Most calls of the model in one turn. */
  steps: number;
}

export interface Model {
  id: string;
  name: string;
}

/** The models that can be chosen; `why` says why none is known right now. */
export const models = (signal: AbortSignal) => askJson<{ models: Model[]; why?: string }>("/api/models", { signal });

export interface ChannelSettings {
  enabled?: boolean;
  /** Ids of those who are the owner there; nobody else has more than the public profile. */
  owners?: string[];
  /** A token is kept; it is never shown. */
  hasToken?: boolean;
  /** Those fields that are set where the computer was installed, and cannot be changed here. */
  fromEnvironment?: string[];
}

export type ChannelState = "connected" | "disabled" | "stopped" | "error";

export const agent = (signal?: AbortSignal) => askJson<AgentSettings>("/api/settings/agent", signal ? { signal } : {});
export const saveAgent = (settings: AgentSettings) => sendJson("PUT", "/api/settings/agent", settings);

export const channels = (signal?: AbortSignal) => askJson<Record<string, ChannelSettings>>("/api/settings/channels", signal ? { signal } : {});
/** Changes one channel; a token of null removes it. */
export const saveChannel = (name: string, change: ChannelSettings & { token?: string | null }) => sendJson("PUT", "/api/settings/channels", { [name]: change });
/** `why` says what is wrong with those that are in error. */
export type ChannelStates = Partial<Record<"telegram" | "matrix", ChannelState>> & { why?: Record<string, string | null> };
export const channelStates = (signal: AbortSignal, headers: HeadersInit = {}) => askJson<ChannelStates>("/api/channels/status", { signal, headers });

export interface SocialSettings {
  share: boolean;
}

export const social = (signal?: AbortSignal) => askJson<SocialSettings>("/api/settings/social", signal ? { signal } : {});
export const saveSocial = (settings: SocialSettings) => sendJson("PUT", "/api/settings/social", settings);

const text = async (path: string, signal?: AbortSignal) => (await ask(path, signal ? { signal } : {})).text();

export const profile = (signal?: AbortSignal) => text("/api/profile", signal);
export const saveProfile = (words: string) => sendJson("PUT", "/api/profile", { text: words });
export const aiProfile = (signal?: AbortSignal) => text("/api/ai-profile", signal);
export const saveAiProfile = (words: string) => sendJson("PUT", "/api/ai-profile", { text: words });

/** A text file of the home; one that is missing is empty. */
export async function textFile(path: string, signal?: AbortSignal): Promise<string> {
  return text(contentUrl(path), signal).catch((error: unknown) => {
    if (error instanceof GatewayError && error.status === 404) return "";
    throw error;
  });
}

export const saveTextFile = (path: string, words: string) => ask(contentUrl(path), { method: "PUT", headers: { "content-type": "text/markdown; charset=utf-8" }, body: words });
