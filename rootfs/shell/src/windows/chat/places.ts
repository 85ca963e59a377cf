// Where a conversation is held, which its id tells: what can be said in it from here, and what becomes of that.

export type Place =
  | { at: "desktop" }
  /** A job of the owner's answers there. */
  | { at: "job" }
  /** The owner, over a channel. */
  | { at: "channel"; channel: string }
  /** Somebody else, over a channel: only to read. */
  | { at: "visitor"; channel: string };

/** As `kernel/source.rs` of the gateway names them. */
const CHANNEL = /^(visitor-)?([a-z0-9]{1,20})-[0-9a-f]{16}$/;

export function placeOf(conversation: string): Place {
  if (conversation.startsWith("cron-")) return { at: "job" };
  const [, visitor, channel] = CHANNEL.exec(conversation) ?? [];
  if (channel) return { at: visitor ? "visitor" : "channel", channel: titled(channel) };
  return conversation.startsWith("visitor-") ? { at: "visitor", channel: "a channel" } : { at: "desktop" };
}

/** What is to be known before one says something there. */
export function hintFor(place: Place): string | undefined {
  if (place.at === "job") return "A job of yours answers in this conversation. What you say here does not change the job.";
  if (place.at === "channel") return `This is your conversation over ${place.channel}. What you say here is answered here, not over ${place.channel}.`;
  return undefined;
}

/** `telegram` is the channel's name for programs. */
export const titled = (channel: string) => channel.charAt(0).toUpperCase() + channel.slice(1);
