// A second word before an act that takes something away: what will happen, the act by its name, and a way back.
import { Button } from "@matrixos/look/Button.tsx";
import { Acts, Dialog } from "@matrixos/look/Dialog.tsx";
import { Notice } from "./Notice.tsx";
import { useAct } from "./useAct.ts";

interface ConfirmProps<T> {
  title: string;
  text: string;
  act: string;
  danger?: boolean;
  run: () => Promise<T>;
  done: (value: T) => void;
  close: () => void;
}

export function Confirm<T>({ title, text, act, danger = false, run, done, close }: ConfirmProps<T>) {
  const { busy, problem, run: begin } = useAct();
  return (
    <Dialog title={title} close={close}>
      <p>{text}</p>
      {problem && <Notice text={problem.text} />}
      <Acts>
        <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={() => begin(run, done)} data-testid="confirm">
          {act}
        </Button>
        <Button kind="plain" onClick={close} data-first data-testid="confirm-cancel">
          Cancel
        </Button>
      </Acts>
    </Dialog>
  );
}
