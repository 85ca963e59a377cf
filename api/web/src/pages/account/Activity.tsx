// What happened to the account, newest first.
import { Button } from "@matrixos/look/Button.tsx";
import { CircleAlert, History } from "lucide-react";
import { useCallback, useState } from "react";
import * as api from "../../platform/api.ts";
import { eventName, isAlarming, origins } from "../../platform/events.ts";
import type { AuditEvent, AuditPage } from "../../platform/wire.ts";
import { ago, moment } from "../../platform/words.ts";
import { Notice } from "../../ui/Notice.tsx";
import { When } from "../../ui/States.tsx";
import { useAct } from "../../ui/useAct.ts";
import { useLoaded } from "../../ui/useLoaded.ts";
import { Part, Row } from "./Part.tsx";
import styles from "./part.module.css";

/** So many are shown at first; the others on demand. */
const FIRST = 6;

export function Activity({ version }: { version: number }) {
  const load = useCallback((signal: AbortSignal) => api.audit(null, signal), []);
  const loaded = useLoaded(load, version);
  return (
    <Part title="Activity" about="Everything that concerned the security of your account. If something here was not you, sign out everywhere and check your ways in." testid="activity">
      <When loaded={loaded}>{(page) => <Log key={page.events[0]?.number} first={page} />}</When>
    </Part>
  );
}

function Log({ first }: { first: AuditPage }) {
  const [page, setPage] = useState(first);
  const [whole, setWhole] = useState(false);
  const { busy, problem, run } = useAct();
  const shown = whole ? page.events : page.events.slice(0, FIRST);
  const more = !whole && page.events.length > FIRST ? () => setWhole(true) : page.next !== null ? () => run(() => api.audit(page.next), append) : undefined;
  const append = ({ events, next }: AuditPage) => {
    setWhole(true);
    setPage({ events: [...page.events, ...events], next });
  };
  if (shown.length === 0) return <p className={styles.said}>Nothing yet.</p>;
  return (
    <>
      <ol className={styles.rows}>
        {shown.map((event) => (
          <li key={event.number} data-testid="event" data-what={event.what}>
            <One event={event} />
          </li>
        ))}
      </ol>
      {problem && <Notice text={problem.text} />}
      {more && (
        <Button busy={busy} onClick={more} data-testid="more-events">
          Show earlier ones
        </Button>
      )}
    </>
  );
}

function One({ event }: { event: AuditEvent }) {
  const alarming = isAlarming(event);
  const Icon = alarming ? CircleAlert : History;
  return (
    <Row
      icon={<Icon size={20} strokeWidth={1.5} className={alarming ? styles.alarm : undefined} aria-hidden />}
      name={eventName(event)}
      aside={
        <>
          <time dateTime={new Date(event.at * 1000).toISOString()} title={moment(event.at)}>
            {ago(event.at, Date.now() / 1000)}
          </time>
          {origins(event) && ` · ${origins(event)}`}
        </>
      }
    />
  );
}
