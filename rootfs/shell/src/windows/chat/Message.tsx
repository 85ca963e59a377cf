// One message: what a person said, a step of the AI's answer, or a note of what happened.
import { CircleAlert } from "lucide-react";
import { memo } from "react";
import { Button } from "@matrixos/look/Button.tsx";
import type { Shown } from "./conversation.ts";
import { adviceOn } from "./errors.ts";
import { Markdown } from "./Markdown.tsx";
import { titled } from "./places.ts";
import { Tools } from "./Tools.tsx";
import styles from "./chat.module.css";

interface Props {
  message: Shown;
  /** Somebody else holds this conversation: what is said to the AI is not its owner's. */
  stranger: boolean;
  /** How many are answered before it. */
  ahead: number | undefined;
  /** Says the last message of the owner's again. */
  again: (() => void) | undefined;
}

export const Message = memo(
  function Message({ message, stranger, ahead, again }: Props) {
    if (message.role === "note") return message.code ? <Failure message={message} code={message.code} again={again} /> : <li className={styles.note}>{message.text}</li>;
    if (message.role === "assistant") return <Answer message={message} />;
    return stranger ? <Theirs message={message} /> : <Mine message={message} ahead={ahead} />;
  },
  (one, other) => one.message === other.message && one.stranger === other.stranger && one.ahead === other.ahead && (one.again === undefined) === (other.again === undefined),
);

const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function Mine({ message: { text, from, at }, ahead }: { message: Shown; ahead: number | undefined }) {
  return (
    <li className={styles.mine}>
      <span className="unseen">You said: </span>
      {from && <p className={styles.from}>{sourceOf(from)}</p>}
      <p className={styles.said} title={time.format(at)}>
        {text}
      </p>
      {ahead !== undefined && <p className={styles.ahead}>{ahead === 1 ? "1 waits before it" : `${ahead} wait before it`}</p>}
    </li>
  );
}

/** A stranger's words stand at the other side, in no colours of the owner's, below their name. */
function Theirs({ message: { text, from, at } }: { message: Shown }) {
  const name = from?.name ?? from?.id ?? "Somebody";
  return (
    <li className={styles.theirs} data-testid="stranger">
      <p className={styles.from}>
        <span className={styles.who} aria-hidden="true">
          {[...name][0]?.toUpperCase()}
        </span>
        <strong>{name}</strong>
        <span>{from ? `over ${titled(from.channel)}, not you` : "not you"}</span>
      </p>
      <p className={styles.said} title={time.format(at)}>
        <span className="unseen">They said: </span>
        {text}
      </p>
    </li>
  );
}

function sourceOf({ channel, name, id }: NonNullable<Shown["from"]>): string {
  if (channel === "cron") return "A job of yours";
  return `${titled(channel)} · ${name ?? id}`;
}

function Answer({ message: { text, tools, turnId } }: { message: Shown }) {
  return (
    <li className={styles.answer} data-testid="answer" data-live={turnId !== undefined} data-bare={!text}>
      <span className="unseen">Your AI said: </span>
      {text && <Markdown text={text} />}
      {tools && <Tools tools={tools} />}
    </li>
  );
}

function Failure({ message, code, again }: { message: Shown; code: string; again: (() => void) | undefined }) {
  const advice = adviceOn(code);
  return (
    <li className={styles.failure} data-code={code}>
      <CircleAlert aria-hidden="true" />
      <div>
        <p className={styles.title}>{advice.title}</p>
        <p className={styles.detail}>{message.text}</p>
        {advice.todo && <p className={styles.detail}>{advice.todo}</p>}
        {advice.again && again && <Button onClick={again}>Try again</Button>}
      </div>
    </li>
  );
}
