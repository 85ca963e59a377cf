// The AI asks whether it may: what, why, and how long it waits. Silence is a no.
import { ShieldQuestionMark } from "lucide-react";
import { useState } from "react";
import { Button } from "@matrixos/look/Button.tsx";
import { OFFLINE } from "../../gateway/http.ts";
import { useTicking } from "../system/useTicking.ts";
import { answer, type Approval } from "./chat.ts";
import styles from "./approvals.module.css";

interface Props {
  approvals: Approval[];
  /** The conversation that is open. */
  here: string | undefined;
  onOpen: (session: string) => void;
}

export function Approvals({ approvals, here, onOpen }: Props) {
  if (approvals.length === 0) return null;
  return (
    <div className={styles.approvals}>
      {approvals.map((approval) => (
        <Question key={approval.id} approval={approval} elsewhere={approval.sessionId !== here} onOpen={onOpen} />
      ))}
    </div>
  );
}

function Question({ approval: { id, label, why, until, sessionId }, elsewhere, onOpen }: { approval: Approval; elsewhere: boolean; onOpen: (session: string) => void }) {
  const [problem, setProblem] = useState<string>();
  const left = Math.max(0, Math.ceil((until - useTicking()) / 1_000));
  const reply = (approved: boolean) => setProblem(answer(id, approved) ? undefined : OFFLINE);
  return (
    <section className={styles.question} aria-label="Your AI asks">
      <ShieldQuestionMark aria-hidden="true" />
      <div className={styles.words}>
        <p className={styles.title}>May your AI do this?</p>
        <p className={styles.label}>{label}</p>
        <p className={styles.why}>{why}</p>
        {elsewhere && (
          <button type="button" className={styles.elsewhere} onClick={() => onOpen(sessionId)}>
            It is about another conversation: look at it
          </button>
        )}
        {problem && <p className={styles.why}>{problem}</p>}
        <div className={styles.acts}>
          <Button kind="primary" onClick={() => reply(true)}>
            Allow
          </Button>
          <Button onClick={() => reply(false)}>Don’t allow</Button>
          <span className={styles.left} aria-label={`${left} seconds left`}>
            {left} s
          </span>
        </div>
      </div>
    </section>
  );
}
