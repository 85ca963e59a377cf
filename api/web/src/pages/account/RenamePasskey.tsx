// Another name for a passkey.
import { Button } from "@matrixos/look/Button.tsx";
import { type FormEvent, useRef, useState } from "react";
import * as api from "../../platform/api.ts";
import type { Passkey } from "../../platform/wire.ts";
import { Acts, Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Field.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { useAct } from "../../ui/useAct.ts";

export function RenamePasskey({ passkey, renamed, close }: { passkey: Passkey; renamed: (name: string) => void; close: () => void }) {
  const [name, setName] = useState(passkey.name);
  const field = useRef<HTMLInputElement>(null);
  const { busy, problem, run } = useAct();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") field.current?.focus();
    else run(() => api.passkeyRename(passkey.id, name.trim()), (now) => renamed(now.name));
  };
  const wrong = problem?.code === "name_invalid" ? problem.text : undefined;
  return (
    <Dialog title={`Rename ${passkey.name}`} close={close}>
      <form onSubmit={submit} noValidate className="stack">
        <Field
          ref={field}
          label="Name"
          wrong={wrong}
          value={name}
          onChange={(event) => setName(event.target.value)}
          onFocus={(event) => event.target.select()}
          maxLength={64}
          autoComplete="off"
          data-first
          data-testid="passkey-name"
        />
        {problem && !wrong && <Notice text={problem.text} />}
        <Acts>
          <Button kind="primary" type="submit" busy={busy} data-testid="save-name">
            Save the name
          </Button>
          <Button kind="plain" onClick={close}>
            Cancel
          </Button>
        </Acts>
      </form>
    </Dialog>
  );
}
