// The passkeys of the account: their names, their use, one more, one less.
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import { KeyRound, Pencil, Plus, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import * as api from "../../platform/api.ts";
import { passkeysSupported } from "../../platform/passkey.ts";
import type { Passkey, Security } from "../../platform/wire.ts";
import { ago, day } from "../../platform/words.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useAct } from "../../ui/useAct.ts";
import { AddPasskey } from "./AddPasskey.tsx";
import { Row } from "./Part.tsx";
import { RenamePasskey } from "./RenamePasskey.tsx";
import { Said } from "./Said.tsx";
import styles from "./part.module.css";

type Open = { is: "add"; begun: Begun } | { is: "rename" | "remove"; passkey: Passkey };
type Begun = Awaited<ReturnType<typeof api.passkeyStart>>;

export function Passkeys({ security, changed, advice }: { security: Security; changed: () => void; advice: ReactNode }) {
  const [open, setOpen] = useState<Open>();
  const [said, setSaid] = useState("");
  const begin = useAct();
  const close = () => setOpen(undefined);
  const done = (text: string) => {
    close();
    setSaid(text);
    changed();
  };
  const add = () => {
    setSaid("");
    begin.run(api.passkeyStart, (begun) => setOpen({ is: "add", begun }));
  };
  const removable = security.passkeys.length > 1 || security.totp !== null;
  return (
    <>
      {security.passkeys.length > 0 ? (
        <ul className={styles.rows}>
          {security.passkeys.map((passkey) => (
            <li key={passkey.id} data-testid="passkey">
              <Row icon={<KeyRound size={20} strokeWidth={1.5} aria-hidden />} name={passkey.name} aside={known(passkey)}>
                <IconButton className={styles.iconAct} label={`Rename ${passkey.name}`} onClick={() => setOpen({ is: "rename", passkey })} data-testid="rename-passkey">
                  <Pencil size={18} strokeWidth={1.5} aria-hidden />
                </IconButton>
                {removable && (
                  <IconButton className={styles.iconAct} label={`Remove ${passkey.name}`} onClick={() => setOpen({ is: "remove", passkey })} data-testid="remove-passkey">
                    <Trash2 size={18} strokeWidth={1.5} aria-hidden />
                  </IconButton>
                )}
              </Row>
            </li>
          ))}
        </ul>
      ) : (
        <p className={styles.said}>You have no passkey yet. With one, you sign in without typing a code.</p>
      )}
      {advice}
      {passkeysSupported() ? (
        <Button busy={begin.busy} onClick={add} data-testid="add-passkey">
          <Plus size={18} strokeWidth={1.5} aria-hidden />
          Add a passkey
        </Button>
      ) : (
        <p className={styles.said}>This browser cannot make passkeys here. Open this page in a current Chrome, Safari, Edge or Firefox.</p>
      )}
      {begin.problem && <Notice text={begin.problem.text} />}
      <Said text={said} shown={security} testid="passkeys-said" />
      {open?.is === "add" && <AddPasskey begun={open.begun} added={(name) => done(`${name} was added.`)} close={() => done("")} />}
      {open?.is === "rename" && <RenamePasskey passkey={open.passkey} renamed={(name) => done(`Renamed to ${name}.`)} close={close} />}
      {open?.is === "remove" && (
        <Confirm
          title={`Remove ${open.passkey.name}?`}
          text="It will no longer open your account. Browsers signed in with it stay signed in. Your device may go on showing it: delete it in the device's password settings, too."
          act="Remove the passkey"
          danger
          run={() => api.passkeyRemove(open.passkey.id)}
          done={() => done(`${open.passkey.name} was removed.`)}
          close={close}
        />
      )}
    </>
  );
}

function known({ created, lastUsed }: Passkey): string {
  const added = `Added ${day(new Date(created * 1000).toISOString())}`;
  return lastUsed === null ? `${added} · not used yet` : `${added} · last used ${ago(lastUsed, Date.now() / 1000)}`;
}
