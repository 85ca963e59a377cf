// What the AI did, as one-line chips; each opens to what came of it.
import { Check, LoaderCircle, X } from "lucide-react";
import { useId, useState } from "react";
import type { ToolShown } from "./conversation.ts";
import styles from "./tools.module.css";

export function Tools({ tools }: { tools: ToolShown[] }) {
  return (
    <ul className={styles.tools} aria-label="What your AI did">
      {tools.map((tool) => (
        <Tool key={tool.id} tool={tool} />
      ))}
    </ul>
  );
}

function Tool({ tool }: { tool: ToolShown }) {
  const [open, setOpen] = useState(false);
  const details = useId();
  const state = tool.ok === undefined ? "running" : tool.ok ? "done" : "failed";
  return (
    <li>
      <button type="button" className={styles.chip} data-state={state} aria-expanded={open} aria-controls={open ? details : undefined} onClick={() => setOpen(!open)}>
        <Sign state={state} />
        <span className={styles.label}>{tool.label}</span>
        <span className="unseen">{WORDS[state]}</span>
      </button>
      {open && <Details id={details} tool={tool} />}
    </li>
  );
}

const WORDS = { running: ", under way", done: ", done", failed: ", did not work" };

function Sign({ state }: { state: keyof typeof WORDS }) {
  if (state === "running") return <LoaderCircle className={styles.turning} aria-hidden="true" />;
  return state === "done" ? <Check aria-hidden="true" /> : <X aria-hidden="true" />;
}

function Details({ id, tool: { tool, label, ok, summary, took } }: { id: string; tool: ToolShown }) {
  const outcome = ok === undefined ? "under way" : ok ? "done" : "did not work";
  return (
    <div id={id} className={styles.details}>
      <p>{label}</p>
      <p className={styles.facts}>
        <code>{tool}</code> · {outcome}
        {took !== undefined && ` · ${spanOf(took)}`}
      </p>
      {summary && (
        <pre tabIndex={0} aria-label="What it returned">
          {summary}
        </pre>
      )}
    </div>
  );
}

function spanOf(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
