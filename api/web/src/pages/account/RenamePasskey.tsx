// Another name for a passkey.
import * as api from "../../platform/api.ts";
import type { Passkey } from "../../platform/wire.ts";
import { FormDialog } from "../../ui/FormDialog.tsx";
import { useAct } from "../../ui/useAct.ts";
import { besidesTheName, PasskeyName, usePasskeyName } from "./PasskeyName.tsx";

export function RenamePasskey({ passkey, renamed, close }: { passkey: Passkey; renamed: (name: string) => void; close: () => void }) {
  const name = usePasskeyName(passkey.name);
  const { busy, problem, run } = useAct();
  const save = () => name.unlessEmpty((chosen) => run(() => api.passkeyRename(passkey.id, chosen), (now) => renamed(now.name)));
  return (
    <FormDialog title={`Rename ${passkey.name}`} close={close} problem={besidesTheName(problem)} act={{ label: "Save the name", busy, testid: "save-name", run: save }}>
      <PasskeyName of={name} problem={problem} />
    </FormDialog>
  );
}
