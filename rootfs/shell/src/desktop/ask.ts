// A question to the AI from anywhere on the desktop; the chat takes it, shows itself, and says it.

type Listener = (text: string) => void;
const listeners = new Set<Listener>();
/** Asked before the chat was there: it is told when it comes. */
let waiting: string[] = [];

export function ask(text: string) {
  if (listeners.size === 0) waiting.push(text);
  for (const listener of [...listeners]) listener(text);
}

export function onAsk(listener: Listener): () => void {
  listeners.add(listener);
  const missed = waiting;
  waiting = [];
  for (const text of missed) listener(text);
  return () => listeners.delete(listener);
}
