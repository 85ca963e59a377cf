// An authenticator app for an account that exists. One that was set up before goes on working until the new one is confirmed.
import { useState } from "react";
import * as api from "../../platform/api.ts";
import type { AppStart } from "../../platform/wire.ts";
import { AppSetup } from "../../ui/AppSetup.tsx";
import { Dialog } from "@matrixos/look/Dialog.tsx";
import { useAct } from "../../ui/useAct.ts";

interface SetUpAppProps {
  begun: AppStart;
  made: (codes: { recoveryCodes: string[] }) => void;
  close: () => void;
}

export function SetUpApp({ begun, made, close }: SetUpAppProps) {
  const [start, setStart] = useState(begun);
  const { busy, problem, run } = useAct();
  return (
    <Dialog title="Set up an authenticator app" close={close}>
      <AppSetup
        key={start.ceremony}
        start={start}
        act="Confirm the code"
        acting="Checking the code…"
        busy={busy}
        problem={problem}
        finish={(code) => run(() => api.appFinish({ ceremony: start.ceremony, code }), made)}
        renew={() => run(api.appStart, setStart)}
        cancel={close}
      />
    </Dialog>
  );
}
