// A second word before an act that takes something away: what will happen, the act by its name, and a way back.
import { useRef, useState } from "react";
import { Button } from "@matrixos/look/Button.tsx";
import { Acts, Dialog } from "@matrixos/look/Dialog.tsx";
import { messageOf } from "../gateway/http.ts";
import styles from "./confirm.module.css";

interface Props {
  title: string;
  text: string;
  act: string;
  run: () => Promise<unknown>;
  done: () => void;
  close: () => void;
}

export function Confirm({ title, text, act, run, done, close }: Props) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  // State arrives with the next drawing; a second click may come before it.
  const running = useRef(false);
  const begin = async () => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(undefined);
    try {
      await run();
      done();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
      running.current = false;
    }
  };
  return (
    <Dialog title={title} close={close}>
      <p>{text}</p>
      {problem && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <Acts>
        <Button kind="danger" busy={busy} data-testid="confirm" onClick={() => void begin()}>
          {act}
        </Button>
        <Button kind="plain" data-first onClick={close}>
          Cancel
        </Button>
      </Acts>
    </Dialog>
  );
}
