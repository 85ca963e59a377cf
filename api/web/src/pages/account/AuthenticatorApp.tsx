// The authenticator app of the account and the recovery codes that come with it.
import { Button } from "@matrixos/look/Button.tsx";
import { LifeBuoy, Smartphone } from "lucide-react";
import { useState } from "react";
import * as api from "../../platform/api.ts";
import type { AppStart, Security } from "../../platform/wire.ts";
import { day } from "../../platform/words.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Dialog } from "@matrixos/look/Dialog.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { RecoveryCodes } from "../../ui/RecoveryCodes.tsx";
import { useAct } from "../../ui/useAct.ts";
import { Row } from "./Part.tsx";
import { Said } from "./Said.tsx";
import { SetUpApp } from "./SetUpApp.tsx";
import styles from "./part.module.css";

type Open = { is: "set-up"; start: AppStart } | { is: "remove" } | { is: "renew" } | { is: "codes"; codes: string[] };

/** With fewer recovery codes than this, it is time for new ones. */
const FEW = 4;

export function AuthenticatorApp({ handle, security, changed }: { handle: string; security: Security; changed: () => void }) {
  const [open, setOpen] = useState<Open>();
  const [said, setSaid] = useState("");
  const begin = useAct();
  const close = () => setOpen(undefined);
  const done = (text: string) => {
    close();
    setSaid(text);
    changed();
  };
  const setUp = () => {
    setSaid("");
    begin.run(api.appStart, (start) => setOpen({ is: "set-up", start }));
  };
  // The page looks again only when these were put away: nothing may take them off the screen before.
  const codes = ({ recoveryCodes }: { recoveryCodes: string[] }) => setOpen({ is: "codes", codes: recoveryCodes });
  const { totp, recoveryCodes } = security;
  return (
    <>
      {totp ? (
        <ul className={styles.rows}>
          <li className={styles.stacked} data-testid="app-set">
            <Row icon={<Smartphone size={20} strokeWidth={1.5} aria-hidden />} name="Authenticator app" aside={`Set up ${day(new Date(totp.since * 1000).toISOString())}`}>
              <Button busy={begin.busy} onClick={setUp} data-testid="replace-app">
                Replace
              </Button>
              {security.passkeys.length > 0 && (
                <Button onClick={() => setOpen({ is: "remove" })} data-testid="remove-app">
                  Remove
                </Button>
              )}
            </Row>
          </li>
          {recoveryCodes && (
            <li className={styles.stacked} data-testid="codes-left">
              <Row
                icon={<LifeBuoy size={20} strokeWidth={1.5} aria-hidden />}
                name="Recovery codes"
                aside={<span className={recoveryCodes.left < FEW ? styles.alarm : undefined}>{left(recoveryCodes)}</span>}
              >
                <Button onClick={() => setOpen({ is: "renew" })} data-testid="new-codes">
                  Make new ones
                </Button>
              </Row>
            </li>
          )}
        </ul>
      ) : (
        <Button busy={begin.busy} onClick={setUp} data-testid="set-up-app">
          <Smartphone size={18} strokeWidth={1.5} aria-hidden />
          Set up an authenticator app
        </Button>
      )}
      {begin.problem && <Notice text={begin.problem.text} />}
      <Said text={said} shown={security} testid="app-said" />
      {open?.is === "set-up" && <SetUpApp begun={open.start} made={codes} close={close} />}
      {open?.is === "codes" && (
        <Dialog title="Your recovery codes">
          <RecoveryCodes handle={handle} codes={open.codes} act="Done" done={() => done("Your new recovery codes are in force. Earlier ones no longer work.")} />
        </Dialog>
      )}
      {open?.is === "renew" && (
        <Confirm title="Make new recovery codes?" text="You get ten new codes. The ones that you have now stop working." act="Make new codes" run={api.newRecoveryCodes} done={codes} close={close} />
      )}
      {open?.is === "remove" && (
        <Confirm
          title="Remove the authenticator app?"
          text="Its codes will no longer sign you in, and the recovery codes stop working, too. Your passkeys go on as before."
          act="Remove the app"
          danger
          run={api.appRemove}
          done={() => done("The authenticator app was removed.")}
          close={close}
        />
      )}
    </>
  );
}

function left({ left, of }: { left: number; of: number }): string {
  if (left === 0) return "None left. Make new ones now, so that a lost phone does not lock you out.";
  return left < FEW ? `${left} of ${of} left. Make new ones soon.` : `${left} of ${of} left`;
}
