// A dialog that asks for one thing: a field, what went wrong, and the way on or back.
import { Button } from "@matrixos/look/Button.tsx";
import type { FormEvent, ReactNode } from "react";
import type { Trouble } from "../platform/problem.ts";
import { Acts, Dialog } from "@matrixos/look/Dialog.tsx";
import { Notice } from "./Notice.tsx";

interface FormDialogProps {
  title: string;
  close: () => void;
  /** Said above the form. */
  about?: ReactNode;
  /** The field. */
  children: ReactNode;
  /** What went wrong, unless the field says it. */
  problem?: Trouble | undefined;
  act: { label: string; kind?: "primary" | "danger"; busy: boolean; testid: string; run: () => void };
}

export function FormDialog({ title, close, about, children, problem, act }: FormDialogProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.run();
  };
  return (
    <Dialog title={title} close={close}>
      {about}
      <form onSubmit={submit} noValidate className="stack">
        {children}
        {problem && <Notice text={problem.text} />}
        <Acts>
          <Button kind={act.kind ?? "primary"} type="submit" busy={act.busy} data-testid={act.testid}>
            {act.label}
          </Button>
          <Button kind="plain" onClick={close}>
            Cancel
          </Button>
        </Acts>
      </form>
    </Dialog>
  );
}
