// A key of one's own for AI calls: given, replaced, taken back, and never shown again.
import { Button } from "@matrixos/look/Button.tsx";
import { KeyRound } from "lucide-react";
import { useRef, useState } from "react";
import * as api from "../../platform/api.ts";
import { day } from "../../platform/words.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Field } from "../../ui/Field.tsx";
import { FormDialog } from "../../ui/FormDialog.tsx";
import { useAct } from "../../ui/useAct.ts";
import { Row } from "./Part.tsx";
import { Said } from "./Said.tsx";
import styles from "./part.module.css";

export function OwnKey({ since, changed }: { since: number | null; changed: () => void }) {
  const [open, setOpen] = useState<"give" | "remove">();
  const [said, setSaid] = useState("");
  const done = (text: string) => {
    setOpen(undefined);
    setSaid(text);
    changed();
  };
  return (
    <>
      {since === null ? (
        <Button onClick={() => setOpen("give")} data-testid="give-key">
          <KeyRound size={18} strokeWidth={1.5} aria-hidden />
          Use a key of my own
        </Button>
      ) : (
        <ul className={styles.rows}>
          <li className={styles.stacked} data-testid="own-key">
            <Row icon={<KeyRound size={20} strokeWidth={1.5} aria-hidden />} name="Your own key" aside={`In use since ${day(new Date(since * 1000).toISOString())}. It is never shown again.`}>
              <Button onClick={() => setOpen("give")} data-testid="replace-key">
                Replace
              </Button>
              <Button onClick={() => setOpen("remove")} data-testid="remove-key">
                Remove
              </Button>
            </Row>
          </li>
        </ul>
      )}
      <Said text={said} shown={since} testid="key-said" />
      {open === "give" && <Give given={() => done("Your key is in use.")} close={() => setOpen(undefined)} />}
      {open === "remove" && (
        <Confirm
          title="Remove your key?"
          text="The platform forgets it, and your AI uses the platform's budget again. The key itself stays valid: take it back at the provider if nobody is to use it any more."
          act="Remove the key"
          danger
          run={api.keyRemove}
          done={() => done("Your key was removed.")}
          close={() => setOpen(undefined)}
        />
      )}
    </>
  );
}

function Give({ given, close }: { given: () => void; close: () => void }) {
  const [key, setKey] = useState("");
  const [wrong, setWrong] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const { busy, problem, run } = useAct();
  const submit = () => {
    const missing = key.trim() === "" ? "Paste the key that the provider gave you." : undefined;
    setWrong(missing);
    if (missing) field.current?.focus();
    else run(() => api.keySet(key.trim()), given);
  };
  const about = <p>The AI of your computer then calls with this key, and the provider bills you for it. The platform keeps the key encrypted, shows it to nobody, and goes on counting what is used.</p>;
  return (
    <FormDialog title="Use a key of your own" close={close} about={about} problem={problem?.code === "key_invalid" ? undefined : problem} act={{ label: "Use this key", busy, testid: "save-key", run: submit }}>
      <Field
        ref={field}
        label="Key"
        type="password"
        wrong={wrong ?? (problem?.code === "key_invalid" ? problem.text : undefined)}
        hint="It begins with sk-"
        value={key}
        onChange={(event) => setKey(event.target.value)}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        data-first
        data-testid="key-input"
      />
    </FormDialog>
  );
}
