// The chat with one's AI: the conversation that is open, and the way to the others.
import { ArrowLeft, MessagesSquare, SquarePen } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "@matrixos/look/Button.tsx";
import { newConversation } from "../../gateway/conversations.ts";
import { Failed, Loading } from "../../parts/States.tsx";
import { Announcer } from "./Announcer.tsx";
import { Approvals } from "./Approvals.tsx";
import { openConversation, useChat } from "./chat.ts";
import { Composer } from "./Composer.tsx";
import type { Conversation } from "./conversation.ts";
import { Conversations } from "./Conversations.tsx";
import { placeOf } from "./places.ts";
import { ReadOnly } from "./ReadOnly.tsx";
import { Thread } from "./Thread.tsx";
import { useConversations, type Listed } from "./useConversations.ts";
import styles from "./chat.module.css";

interface Props {
  /** The conversation that this window is in. */
  session: string | undefined;
  onSession: (session: string) => void;
}

export function ChatWindow({ session, onSession }: Props) {
  const { conversation, approvals } = useChat();
  const listed = useConversations();
  const [choosing, setChoosing] = useState(false);
  useFirst(session, conversation?.id, listed, onSession);
  useEffect(() => {
    if (session) openConversation(session);
  }, [session]);

  const go = (id: string) => {
    setChoosing(false);
    onSession(id);
  };
  const title = listed.list?.find(({ id }) => id === conversation?.id)?.preview;
  return (
    <div className={styles.chat}>
      <header className={styles.head}>
        <IconButton label={choosing ? "Back to the conversation" : "All conversations"} aria-expanded={choosing} onClick={() => setChoosing(!choosing)}>
          {choosing ? <ArrowLeft aria-hidden="true" /> : <MessagesSquare aria-hidden="true" />}
        </IconButton>
        <h3 className={styles.topic}>{choosing ? "Conversations" : title || "New conversation"}</h3>
        <IconButton label="New conversation" onClick={() => go(newConversation())}>
          <SquarePen aria-hidden="true" />
        </IconButton>
      </header>
      {choosing ? (
        <Conversations listed={listed} open={conversation?.id} onOpen={go} />
      ) : (
        <Open conversation={conversation} title={title} problem={listed.problem} onAgain={listed.again} />
      )}
      <Approvals approvals={approvals} here={conversation?.id} onOpen={go} />
      {conversation && !choosing && <Foot conversation={conversation} onNew={() => go(newConversation())} />}
      <Announcer conversation={conversation} approvals={approvals} />
    </div>
  );
}

function Foot({ conversation, onNew }: { conversation: Conversation; onNew: () => void }) {
  const place = placeOf(conversation.id);
  if (place.at === "visitor") return <ReadOnly channel={place.channel} onNew={onNew} />;
  return <Composer key={conversation.id} conversation={conversation} place={place} />;
}

interface OpenProps {
  conversation: Conversation | undefined;
  title: string | undefined;
  problem: string | undefined;
  onAgain: () => void;
}

function Open({ conversation, problem, onAgain }: OpenProps) {
  if (conversation?.problem) return <Failed message={conversation.problem} onRetry={() => location.reload()} act="Load the page again" />;
  if (conversation && (conversation.known || conversation.sending.length > 0)) return <Thread key={conversation.id} conversation={conversation} />;
  return problem ? <Failed message={problem} onRetry={onAgain} /> : <Loading what="the conversation" />;
}

/** A window that was never in a conversation takes the one that is open, else the latest that was held at a desktop. */
function useFirst(session: string | undefined, open: string | undefined, { list }: Listed, onSession: (session: string) => void) {
  useEffect(() => {
    if (session || !(list || open)) return;
    onSession(open ?? list?.find(({ channel }) => channel === undefined)?.id ?? newConversation());
  }, [session, open, list]);
}
