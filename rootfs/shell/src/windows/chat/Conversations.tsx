// All conversations, the last changed first; a search through what was said in them.
import { MessagesSquare, Search, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import { newConversation, remove, type Hit, type Summary } from "../../gateway/conversations.ts";
import { messageOf } from "../../gateway/http.ts";
import { Empty, Failed, Loading } from "../../parts/States.tsx";
import { when } from "../../parts/units.ts";
import { placeOf } from "./places.ts";
import type { Listed } from "./useConversations.ts";
import { useSearch } from "./useSearch.ts";
import styles from "./conversations.module.css";

interface Props {
  listed: Listed;
  open: string | undefined;
  onOpen: (id: string) => void;
}

export function Conversations({ listed, open, onOpen }: Props) {
  const [wanted, setWanted] = useState("");
  const found = useSearch(wanted);
  return (
    <div className={styles.list}>
      <label className={styles.search}>
        <Search aria-hidden="true" />
        <input type="search" aria-label="Search all conversations" placeholder="Search" value={wanted} maxLength={200} onChange={(event) => setWanted(event.target.value)} />
      </label>
      {wanted.trim() ? <Found found={found} onOpen={onOpen} /> : <All listed={listed} open={open} onOpen={onOpen} />}
    </div>
  );
}

function All({ listed: { list, problem, again }, open, onOpen }: Props) {
  const [leaving, setLeaving] = useState<string>();
  if (!list) return problem ? <Failed message={problem} onRetry={again} /> : <Loading what="the conversations" />;
  if (list.length === 0) return <Empty icon={<MessagesSquare aria-hidden="true" />} title="No conversations yet." text="The first begins with what you say." />;
  const gone = (id: string) => {
    setLeaving(undefined);
    if (id === open) onOpen(list.find((other) => other.id !== id && !other.channel)?.id ?? newConversation());
  };
  return (
    <ul className={styles.rows} aria-label="Conversations">
      {list.map((one) =>
        leaving === one.id ? (
          <Leaving key={one.id} one={one} onKeep={() => setLeaving(undefined)} onGone={() => gone(one.id)} />
        ) : (
          <Row key={one.id} one={one} open={one.id === open} onOpen={onOpen} onDelete={() => setLeaving(one.id)} />
        ),
      )}
    </ul>
  );
}

interface RowProps {
  one: Summary;
  open: boolean;
  onOpen: (id: string) => void;
  onDelete: () => void;
}

function Row({ one: { id, preview, messageCount, updatedAt, channel }, open, onOpen, onDelete }: RowProps) {
  const name = preview || "New conversation";
  return (
    <li className={styles.row}>
      <button type="button" className={styles.open} aria-current={open} onClick={() => onOpen(id)}>
        <span className={styles.preview}>{name}</span>
        <span className={styles.facts}>
          {when(new Date(updatedAt))} · {messageCount === 1 ? "1 message" : `${messageCount} messages`}
          {channel && ` · ${channel}`}
        </span>
      </button>
      <IconButton label={`Delete “${name}”`} className={styles.delete} onClick={onDelete}>
        <Trash2 aria-hidden="true" />
      </IconButton>
    </li>
  );
}

function Leaving({ one, onKeep, onGone }: { one: Summary; onKeep: () => void; onGone: () => void }) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  const go = () => {
    setBusy(true);
    remove(one.id).then(onGone, (error: unknown) => {
      setBusy(false);
      setProblem(messageOf(error));
    });
  };
  return (
    <li>
      <div className={styles.leaving} role="group" aria-label="Delete this conversation?" onKeyDown={(event) => event.key === "Escape" && onKeep()}>
        <p>
          Delete “{one.preview || "New conversation"}”? What was said in it is gone for good.
          {problem && <span role="alert"> {problem}</span>}
        </p>
        <Button kind="danger" busy={busy} onClick={go}>
          Delete
        </Button>
        <Button ref={keep} onClick={onKeep}>
          Keep it
        </Button>
      </div>
    </li>
  );
}

function Found({ found, onOpen }: { found: ReturnType<typeof useSearch>; onOpen: (id: string) => void }) {
  if (found.at === "failed") return <Failed message={found.message} onRetry={found.again} />;
  if (found.at === "searching") return <Loading what="what was found" />;
  if (found.hits.length === 0) return <Empty icon={<Search aria-hidden="true" />} title="Nothing was found." text="Try fewer or other words." />;
  return (
    <ul className={styles.rows} aria-label="Found">
      {found.hits.map((hit) => (
        <HitRow key={`${hit.sessionId}/${hit.message.id}`} hit={hit} onOpen={onOpen} />
      ))}
    </ul>
  );
}

function speakerOf(session: string, { role, from }: Hit["message"]): string {
  if (role !== "user") return "Your AI";
  return placeOf(session).at === "visitor" ? (from?.name ?? "Somebody else") : "You";
}

function HitRow({ hit: { sessionId, message }, onOpen }: { hit: Hit; onOpen: (id: string) => void }) {
  return (
    <li className={styles.row}>
      <button type="button" className={styles.open} onClick={() => onOpen(sessionId)}>
        <span className={styles.preview}>{message.text.slice(0, 300)}</span>
        <span className={styles.facts}>
          {speakerOf(sessionId, message)} · {when(new Date(message.at))}
        </span>
      </button>
    </li>
  );
}
