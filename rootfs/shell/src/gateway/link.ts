// Whether the computer can be reached, as learnt from every call and terminal; asked again, with back-off, while it cannot.
import { useSyncExternalStore } from "react";
import { backOff } from "./backoff.ts";

export type Link = "connecting" | "connected" | "unreachable" | "asleep" | "signed_out";

/** Marks what nobody asked for: looking whether the computer is there neither wakes it nor keeps it awake. */
export const BACKGROUND = { "x-matrix-background": "1" };

const CALM_MS = 30_000;

let link: Link = "connecting";
let failures = 0;
/** Somebody used the desktop while the computer was not known to be there: the next look may wake it. */
let wanted = false;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function become(next: Link) {
  if (next === link) return;
  link = next;
  for (const listener of [...listeners]) listener();
}

/** The gateway answered. */
export function heard() {
  failures = 0;
  wanted = false;
  become("connected");
}

/** A call or a socket failed: find out more soon. */
export function lost(why: "unreachable" | "asleep" | "signed_out") {
  const news = link !== why;
  become(why);
  if (news && why === "unreachable") schedule(backOff(0));
}

function schedule(wait: number) {
  clearTimeout(timer);
  timer = setTimeout(() => void check(), wait);
}

async function check() {
  if (document.visibilityState === "visible") await knock(wanted ? {} : BACKGROUND);
  if (link === "signed_out") return;
  schedule(link === "connected" ? CALM_MS : backOff(failures++));
}

async function knock(headers: HeadersInit = BACKGROUND) {
  try {
    const signal = AbortSignal.timeout(headers === BACKGROUND ? 5_000 : 20_000);
    const answer = await fetch("/health", { redirect: "manual", cache: "no-store", signal, headers });
    if (answer.ok) heard();
    else if (answer.type === "opaqueredirect" || answer.status === 401) become("signed_out");
    else become((await isAsleep(answer)) ? "asleep" : "unreachable");
  } catch {
    become("unreachable");
  }
}

async function isAsleep(answer: Response): Promise<boolean> {
  if (answer.status !== 503) return false;
  const body = (await answer.json().catch(() => undefined)) as { error?: { code?: string } } | undefined;
  return body?.error?.code === "asleep";
}

/** Somebody uses the desktop: if the computer sleeps, or is found asleep when it is looked for, wake it. */
export function used() {
  if (link === "connected") return;
  wanted = true;
  if (link === "asleep") {
    become("connecting");
    void knock({});
  }
}

/** Begins to watch; returns how to end it. */
export function watchLink(): () => void {
  const now = () => schedule(0);
  const offline = () => lost("unreachable");
  now();
  window.addEventListener("online", now);
  window.addEventListener("offline", offline);
  document.addEventListener("visibilitychange", now);
  document.addEventListener("pointerdown", used);
  document.addEventListener("keydown", used);
  return () => {
    clearTimeout(timer);
    window.removeEventListener("online", now);
    window.removeEventListener("offline", offline);
    document.removeEventListener("visibilitychange", now);
    document.removeEventListener("pointerdown", used);
    document.removeEventListener("keydown", used);
  };
}

export function currentLink(): Link {
  return link;
}

export function onLink(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useLink = () => useSyncExternalStore(onLink, currentLink);
