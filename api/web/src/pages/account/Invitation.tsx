// An operator's invitation to be an administrator, opened by its link: `/account#invite=TOKEN`.
import { Button } from "@matrixos/look/Button.tsx";
import { useState } from "react";
import * as api from "../../platform/api.ts";
import { inviteIn } from "../../platform/places.ts";
import { Notice } from "../../ui/Notice.tsx";
import { useAct } from "../../ui/useAct.ts";
import styles from "./account.module.css";

export function Invitation({ claimed }: { claimed: () => void }) {
  const [token, setToken] = useState(() => inviteIn(location.hash));
  const [accepted, setAccepted] = useState(false);
  const { busy, problem, run } = useAct();
  const leave = () => {
    // The token is used, or not wanted: it stays in no address and no history.
    history.replaceState(null, "", location.pathname);
    setToken(undefined);
  };
  const accept = (secret: string) =>
    run(
      () => api.claimAdmin(secret),
      () => {
        leave();
        setAccepted(true);
        claimed();
      },
    );
  if (accepted) return <p role="status">You are an administrator of this platform now.</p>;
  if (!token) return null;
  return (
    <section className={styles.invitation} data-testid="invitation" aria-label="Invitation">
      <p>You were invited to be an administrator of this platform: to see everybody's computers and to stop and start them.</p>
      {problem && <Notice text={problem.text} />}
      <div className={styles.row}>
        <Button kind="primary" busy={busy} onClick={() => accept(token)} data-testid="accept-invitation">
          Become an administrator
        </Button>
        <Button kind="plain" onClick={leave}>
          Not now
        </Button>
      </div>
    </section>
  );
}
