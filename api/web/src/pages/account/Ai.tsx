// What one's AI has used and may still use, and the key of one's own.
import { Cpu } from "lucide-react";
import { useCallback } from "react";
import * as api from "../../platform/api.ts";
import { byDay, cost, dollars, percentUsed, tokens, warning } from "../../platform/money.ts";
import type { Usage } from "../../platform/wire.ts";
import { day } from "../../platform/words.ts";
import { When } from "../../ui/States.tsx";
import { useLoaded } from "../../ui/useLoaded.ts";
import { OwnKey } from "./OwnKey.tsx";
import { Part, Row } from "./Part.tsx";
import styles from "./ai.module.css";
import part from "./part.module.css";

export function Ai({ handle, version, changed }: { handle: string; version: number; changed: () => void }) {
  const load = useCallback((signal: AbortSignal) => api.usage(handle, signal), [handle]);
  const loaded = useLoaded(load, version);
  return (
    <Part title="AI" about="What the AI of your computer has used of its budget, and what it may still use." testid="ai">
      <When loaded={loaded}>
        {(usage) => (
          <>
            <Budget usage={usage} />
            <Days usage={usage} handle={handle} />
            <OwnKey since={usage.own_key} changed={changed} />
          </>
        )}
      </When>
    </Part>
  );
}

function Budget({ usage }: { usage: Usage }) {
  const used = percentUsed(usage);
  const said = warning(usage);
  return (
    <div className={styles.budget}>
      <p className={styles.left}>
        <strong data-testid="ai-remaining">{dollars(usage.remaining_nanos)}</strong> of {dollars(usage.quota_nanos)} left
      </p>
      <progress className={styles.bar} max={100} value={used} aria-label="Used of the AI budget" data-low={used >= 80} />
      <p className={part.aside} data-testid="ai-in-flight">
        {usage.in_flight === 0 ? "Your AI is not answering right now." : `${usage.in_flight} ${usage.in_flight === 1 ? "call is" : "calls are"} under way.`}
        {usage.own_key !== null && " Your own key pays for its calls; the budget stays as it is."}
      </p>
      {said && (
        <p role="status" className={styles.warning} data-testid="ai-warning">
          {said}
        </p>
      )}
    </div>
  );
}

function Days({ usage, handle }: { usage: Usage; handle: string }) {
  const days = byDay(usage.days);
  if (days.length === 0) return <p className={part.said}>Nothing was used in the last thirty days.</p>;
  return (
    <>
      <ul className={part.rows} data-testid="ai-days">
        {days.flatMap(({ day: date, models }) =>
          models.map((row) => (
            <li key={`${date} ${row.model}`}>
              <Row
                icon={<Cpu size={20} strokeWidth={1.5} aria-hidden />}
                name={row.model}
                aside={`${day(`${date}T12:00:00Z`)} · ${row.calls.toLocaleString("en")} ${row.calls === 1 ? "call" : "calls"} · ${tokens(row)}`}
              >
                <span className={styles.cost}>{cost(row)}</span>
              </Row>
            </li>
          )),
        )}
      </ul>
      <a href={api.callsTable(handle)} download data-testid="ai-table">
        Download every call as a table (CSV)
      </a>
    </>
  );
}
