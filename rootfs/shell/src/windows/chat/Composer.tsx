// Where the owner says something. Enter sends, Shift+Enter begins a new line; what is typed outlives a reload.
import { ArrowUp, Square } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { IconButton } from "@matrixos/look/Button.tsx";
import { useIsTouch } from "../../desktop/media.ts";
import { OFFLINE } from "../../gateway/http.ts";
import { useLink, type Link } from "../../gateway/link.ts";
import { say, stop } from "./chat.ts";
import { isBusy, type Conversation } from "./conversation.ts";
import { draftOf, keepDraft } from "./drafts.ts";
import { hintFor, type Place } from "./places.ts";
import styles from "./composer.module.css";

/** Bytes of a message that the computer takes. */
const LONGEST = 100_000;

export function Composer({ conversation, place }: { conversation: Conversation; place: Place }) {
  const { id } = conversation;
  const [text, setText] = useState(() => draftOf(id));
  const [problem, setProblem] = useState<string>();
  const field = useRef<HTMLTextAreaElement>(null);
  const touch = useIsTouch();
  const link = useLink();
  useEffect(() => keepDraft(id, text), [id, text]);
  useEffect(() => {
    // A keyboard that slides over half of a phone's screen waits until it is called.
    if (!touch && field.current?.closest('[data-front="true"]')) field.current.focus({ preventScroll: true });
  }, []);

  const send = () => {
    if (!text.trim()) return;
    if (new TextEncoder().encode(text).length > LONGEST) return setProblem("That is longer than 100,000 characters. Put it into a file, and name the file.");
    setProblem(undefined);
    say(text.trim());
    setText("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const words = problem ?? wordsFor(link) ?? hintFor(place);
  return (
    <div className={styles.composer}>
      {words && (
        <p className={styles.words} role="status">
          {words}
        </p>
      )}
      <div className={styles.box}>
        <textarea
          ref={field}
          className={styles.field}
          aria-label="Message to your AI"
          data-autofocus={touch ? undefined : "true"}
          placeholder="Say what you need"
          enterKeyHint="send"
          rows={1}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {isBusy(conversation) && (
          <IconButton label="Stop" className={styles.stop} onClick={() => setProblem(stop() ? undefined : OFFLINE)}>
            <Square aria-hidden="true" />
          </IconButton>
        )}
        <IconButton label="Send" className={styles.send} aria-disabled={!text.trim()} onClick={send}>
          <ArrowUp aria-hidden="true" />
        </IconButton>
      </div>
    </div>
  );
}

function wordsFor(link: Link): string | undefined {
  if (link === "asleep") return "Your computer sleeps. What you send wakes it.";
  if (link === "unreachable") return "Your computer is out of reach. What you send waits here, and is sent when it is back.";
  if (link === "signed_out") return "You are signed out. What you typed is kept.";
  return undefined;
}
