// One more passkey: its name first, then the device asks. The press of the button is what browsers want to see before that.
import { useRef } from "react";
import * as api from "../../platform/api.ts";
import { deviceName } from "../../platform/device.ts";
import { newPasskey } from "../../platform/passkey.ts";
import { codeOf } from "../../platform/problem.ts";
import { FormDialog } from "../../ui/FormDialog.tsx";
import { useAct } from "../../ui/useAct.ts";
import { besidesTheName, PasskeyName, usePasskeyName } from "./PasskeyName.tsx";

interface AddPasskeyProps {
  /** The platform's half, begun when the button that opens this was pressed. */
  begun: Awaited<ReturnType<typeof api.passkeyStart>>;
  added: (name: string) => void;
  close: () => void;
}

export function AddPasskey({ begun, added, close }: AddPasskeyProps) {
  const name = usePasskeyName(() => deviceName(navigator.userAgent));
  const save = useRef(newPasskey(begun));
  const { busy, problem, run } = useAct();
  // A dialog that stood open for too long begins anew at the next press.
  const make = async (chosen: string) => {
    try {
      return await save.current(chosen);
    } catch (error) {
      if (codeOf(error) === "ceremony_expired" || codeOf(error) === "passkey_rejected") save.current = newPasskey(await api.passkeyStart());
      throw error;
    }
  };
  const submit = () => name.unlessEmpty((chosen) => run(() => make(chosen), (passkey) => added(passkey.name)));
  const label = busy ? "Waiting for your device…" : "Make the passkey";
  return (
    <FormDialog title="Add a passkey" close={close} problem={besidesTheName(problem)} act={{ label, busy, testid: "make-passkey", run: submit }}>
      <PasskeyName of={name} problem={problem} hint="So that you know it again later, for example the device it is on." />
    </FormDialog>
  );
}
