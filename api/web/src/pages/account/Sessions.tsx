// Where one is signed in, and how to end that.
import { Button } from "@matrixos/look/Button.tsx";
import { Globe } from "lucide-react";
import { useState } from "react";
import * as api from "../../platform/api.ts";
import { METHOD_WORDS } from "../../platform/events.ts";
import type { Session } from "../../platform/wire.ts";
import { ago } from "../../platform/words.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { When } from "../../ui/States.tsx";
import { useAct } from "../../ui/useAct.ts";
import { useLoaded } from "../../ui/useLoaded.ts";
import { Part, Row } from "./Part.tsx";
import { Said } from "./Said.tsx";
import styles from "./part.module.css";

export function Sessions({ version, changed }: { version: number; changed: () => void }) {
  const loaded = useLoaded(api.sessions, version);
  const [everywhere, setEverywhere] = useState(false);
  const [said, setSaid] = useState("");
  const ended = ({ browser }: Session) => {
    setSaid(`${browser} was signed out.`);
    changed();
  };
  return (
    <Part title="Where you are signed in" about="Ending one closes its windows on your computer within seconds." testid="sessions">
      <When loaded={loaded}>
        {({ sessions }) => (
          <ul className={styles.rows}>
            {sessions.map((session) => (
              <li key={session.id} data-testid="session" className={styles.stacked}>
                <One session={session} ended={ended} />
              </li>
            ))}
          </ul>
        )}
      </When>
      <Said text={said} shown={loaded.is === "ready" && loaded.value} testid="sessions-said" />
      <Button onClick={() => setEverywhere(true)} data-testid="sign-out-everywhere">
        Sign out everywhere
      </Button>
      {everywhere && (
        <Confirm
          title="Sign out everywhere?"
          text="Every browser is signed out at once, this one too. Your computer goes on running."
          act="Sign out everywhere"
          run={api.endAllSessions}
          done={() => location.replace("/login")}
          close={() => setEverywhere(false)}
        />
      )}
    </Part>
  );
}

function One({ session, ended }: { session: Session; ended: (session: Session) => void }) {
  const { busy, problem, run } = useAct();
  return (
    <>
      <Row icon={<Globe size={20} strokeWidth={1.5} aria-hidden />} name={session.browser} mark={session.current ? "This browser" : undefined} aside={known(session)}>
        {!session.current && (
          <Button busy={busy} onClick={() => run(() => api.endSession(session.id), () => ended(session))} aria-label={`Sign out ${session.browser}`} data-testid="end-session">
            Sign out
          </Button>
        )}
      </Row>
      {problem && <Notice text={problem.text} />}
    </>
  );
}

function known({ current, lastUsed, created, address, method }: Session): string {
  const now = Date.now() / 1000;
  const used = current ? undefined : `last used ${ago(lastUsed, now)}`;
  return [`Signed in ${METHOD_WORDS[method] ?? ""} ${ago(created, now)}`, used, address].filter(Boolean).join(" · ");
}
