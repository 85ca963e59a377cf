// What was said, oldest first. It follows the newest for as long as its end is in sight, and reads older messages at its top.
import { ArrowDown } from "lucide-react";
import { Fragment, useState } from "react";
import { say } from "./chat.ts";
import { before, isBusy, type Conversation, type Shown } from "./conversation.ts";
import { Message } from "./Message.tsx";
import { placeOf } from "./places.ts";
import { Starters } from "./Starters.tsx";
import { Unsent } from "./Unsent.tsx";
import { useFollow } from "./useFollow.ts";
import { useOlder } from "./useOlder.ts";
import styles from "./chat.module.css";

const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export function Thread({ conversation }: { conversation: Conversation }) {
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const { messages, sending } = conversation;
  const follow = useFollow(scroller, sending.at(-1)?.requestId);
  const older = useOlder(scroller, conversation);
  const thinking = isThinking(conversation);
  // What waits behind the answer that is being given stands below it.
  const firstWaiting = thinking ? messages.findIndex(({ id }) => before(conversation, id) !== undefined) : -1;
  const last = messages.at(-1);
  const mine = messages.findLast((message) => message.role === "user");
  const readOnly = placeOf(conversation.id).at === "visitor";
  return (
    <div className={styles.ground}>
      <div ref={setScroller} className={styles.scroller} role="region" aria-label="Messages" tabIndex={0}>
        {conversation.more && (
          <p ref={older.sentinel} className={styles.older} role="status">
            {older.problem ?? "Reading earlier messages"}
          </p>
        )}
        <ol className={styles.messages} aria-busy={isBusy(conversation)}>
          {messages.map((message, index) => (
            <Fragment key={message.id}>
              <Day message={message} previous={messages[index - 1]} />
              {index === firstWaiting && <Thinking />}
              <Message message={message} stranger={readOnly} ahead={before(conversation, message.id)} again={mine && !readOnly && message === last && message.code && sending.length === 0 ? () => say(mine.text) : undefined} />
            </Fragment>
          ))}
          {sending.map((said) => (
            <Unsent key={said.requestId} said={said} />
          ))}
          {thinking && firstWaiting === -1 && <Thinking />}
        </ol>
        {!mine && !readOnly && sending.length === 0 && <Starters empty={messages.length === 0} />}
      </div>
      {!follow.atEnd && (
        <button type="button" className={styles.down} aria-label="To the newest message" onClick={follow.toEnd}>
          <ArrowDown aria-hidden="true" />
        </button>
      )}
    </div>
  );
}

function Thinking() {
  return (
    <li className={styles.thinking}>
      <span aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span className="unseen">Your AI is thinking</span>
    </li>
  );
}

function Day({ message, previous }: { message: Shown; previous: Shown | undefined }) {
  const at = new Date(message.at).toDateString();
  if (previous ? at === new Date(previous.at).toDateString() : at === new Date().toDateString()) return null;
  return <li className={styles.day}>{day.format(message.at)}</li>;
}

/** It is working and nothing of that is to be seen. */
function isThinking(conversation: Conversation): boolean {
  if (!isBusy(conversation)) return false;
  const settled = conversation.messages.filter(({ id }) => !conversation.queue.includes(id));
  const last = settled.at(-1);
  if (last?.turnId === undefined) return true;
  return last.tools !== undefined && last.tools.every(({ ok }) => ok !== undefined);
}
