// One more passkey: its name first, then the device asks. The press of the button is what browsers want to see before that.
import { Button } from "@matrixos/look/Button.tsx";
import { type FormEvent, useRef, useState } from "react";
import * as api from "../../platform/api.ts";
import { deviceName } from "../../platform/device.ts";
import { newPasskey } from "../../platform/passkey.ts";
import { codeOf } from "../../platform/problem.ts";
import { Acts, Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useAct } from "../../ui/useAct.ts";

interface AddPasskeyProps {
  /** The platform's half, begun when the button that opens this was pressed. */
  begun: Awaited<ReturnType<typeof api.passkeyStart>>;
  added: (name: string) => void;
  close: () => void;
}

export function AddPasskey({ begun, added, close }: AddPasskeyProps) {
  const [name, setName] = useState(() => deviceName(navigator.userAgent));
  const field = useRef<HTMLInputElement>(null);
  const save = useRef(newPasskey(begun));
  const { busy, problem, run } = useAct();
  // A dialog that stood open for too long begins anew at the next press.
  const make = async () => {
    try {
      return await save.current(name.trim());
    } catch (error) {
      if (codeOf(error) === "ceremony_expired" || codeOf(error) === "passkey_rejected") save.current = newPasskey(await api.passkeyStart());
      throw error;
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") field.current?.focus();
    else run(make, (passkey) => added(passkey.name));
  };
  const nameWrong = problem?.code === "name_invalid" ? problem.text : undefined;
  return (
    <Dialog title="Add a passkey" close={close}>
      <form onSubmit={submit} noValidate className="stack">
        <Field
          ref={field}
          label="Name"
          hint="So that you know it again later, for example the device it is on."
          wrong={nameWrong}
          value={name}
          onChange={(event) => setName(event.target.value)}
          onFocus={(event) => event.target.select()}
          maxLength={64}
          autoComplete="off"
          data-first
          data-testid="passkey-name"
        />
        {problem && !nameWrong && <Notice text={problem.text} />}
        <Acts>
          <Button kind="primary" type="submit" busy={busy} data-testid="make-passkey">
            {busy ? "Waiting for your device…" : "Make the passkey"}
          </Button>
          <Button kind="plain" onClick={close}>
            Cancel
          </Button>
        </Acts>
      </form>
    </Dialog>
  );
}
