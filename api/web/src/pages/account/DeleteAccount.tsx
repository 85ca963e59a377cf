// The way out for good: said plainly, confirmed by typing the handle, undone within seven days.
import { Button } from "@matrixos/look/Button.tsx";
import { useRef, useState } from "react";
import * as api from "../../platform/api.ts";
import { Field } from "../../ui/Field.tsx";
import { FormDialog } from "../../ui/FormDialog.tsx";
import { useAct } from "../../ui/useAct.ts";
import { DownloadEverything } from "./Everything.tsx";
import { Part } from "./Part.tsx";

interface DeleteAccountProps {
  handle: string;
  /** The platform will delete it at that time, in seconds since 1970. */
  requested: (at: number) => void;
}

export function DeleteAccount({ handle, requested }: DeleteAccountProps) {
  const [open, setOpen] = useState(false);
  return (
    <Part title="Delete the account" about="Your computer stops at once. After seven days, in which you can change your mind, your files and your account are gone, and nobody can ever have your handle again." testid="delete">
      <Button onClick={() => setOpen(true)} data-testid="delete-account">
        Delete my account
      </Button>
      {open && <Ask handle={handle} requested={requested} close={() => setOpen(false)} />}
    </Part>
  );
}

function Ask({ handle, requested, close }: DeleteAccountProps & { close: () => void }) {
  const [typed, setTyped] = useState("");
  const [trouble, setTrouble] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const { busy, problem, run } = useAct();
  const submit = () => {
    const confirm = typed.trim().replace(/^@/, "");
    const wrong = confirm === handle ? undefined : `That is not your handle. Type ${handle} to confirm.`;
    setTrouble(wrong);
    if (wrong) field.current?.focus();
    else run(() => api.deleteAccount(confirm), ({ deletion }) => requested(deletion));
  };
  const about = (
    <>
      <p>Your computer stops now, and every other browser is signed out. In seven days your files and your account are deleted. Until then, sign in and choose to keep it.</p>
      <p>Take your data along first: nobody can give it to you later.</p>
      <DownloadEverything />
    </>
  );
  return (
    <FormDialog title={`Delete @${handle}?`} close={close} about={about} problem={problem} act={{ label: "Delete my account", kind: "danger", busy, testid: "confirm-delete", run: submit }}>
      <Field
        ref={field}
        label={`Type ${handle} to confirm`}
        wrong={trouble}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        data-first
        data-testid="confirm-handle"
      />
    </FormDialog>
  );
}
