// What a screen reader says of the chat: that an answer is on its way, the answer once it is whole, and questions. Not every word
// as it streams.
import { useEffect, useRef, useState } from "react";
import type { Approval } from "./chat.ts";
import { isBusy, type Conversation } from "./conversation.ts";

const LONGEST = 800;

interface Props {
  conversation: Conversation | undefined;
  approvals: Approval[];
}

export function Announcer({ conversation, approvals }: Props) {
  const [words, setWords] = useState("");
  const busy = conversation !== undefined && isBusy(conversation);
  const was = useRef({ busy, id: conversation?.id });
  useEffect(() => {
    const same = was.current.id === conversation?.id;
    if (same && busy !== was.current.busy) setWords(busy ? "Your AI is answering." : outcomeOf(conversation));
    was.current = { busy, id: conversation?.id };
  }, [busy, conversation]);
  const question = approvals.at(-1);
  return (
    <>
      <p className="unseen" role="status">
        {words}
      </p>
      <p className="unseen" role="alert">
        {question && `Your AI asks whether it may: ${question.label}. ${question.why}`}
      </p>
    </>
  );
}

function outcomeOf(conversation: Conversation | undefined): string {
  const last = conversation?.messages.at(-1);
  if (!last || last.role === "user") return "";
  const text = last.text.length > LONGEST ? `${last.text.slice(0, LONGEST)} … The rest stands in the conversation.` : last.text;
  return last.role === "note" ? text : `Your AI said: ${text}`;
}
