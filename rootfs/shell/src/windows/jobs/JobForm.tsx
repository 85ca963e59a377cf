// A new job: what it is called, what the AI is told, when, and where the answer goes. What was typed stays when it is refused.
import { ArrowLeft } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import { openWindow } from "../../desktop/open.ts";
import { addJob } from "../../gateway/jobs.ts";
import { messageOf } from "../../gateway/http.ts";
import { channels, profile } from "../../gateway/settings.ts";
import { AreaField, SelectField, TextField } from "../../parts/form/Field.tsx";
import { useOnPlatform } from "../../desktop/place.ts";
import { fieldOf } from "../settings/profile.ts";
import { USUAL, scheduleOf, type When } from "./schedule.ts";
import { WhenFields } from "./WhenFields.tsx";
import styles from "./jobs.module.css";

const MOST = { name: 100, message: 4_000 };

interface Surroundings {
  zone: string;
  telegram: string[];
}

export function JobForm({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const [name, setName] = useState("");
  const [message, setMessage] = useState("");
  const [when, setWhen] = useState<When>(USUAL);
  const [chat, setChat] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { zone, telegram } = useSurroundings();
  const onPlatform = useOnPlatform();

  const schedule = scheduleOf(when, Date.now());
  const wrong = {
    name: name.trim() ? undefined : "A name is needed.",
    message: message.trim() ? undefined : "Say what the AI shall do.",
    when: "wrong" in schedule ? schedule.wrong : undefined,
  };

  const add = async () => {
    setTried(true);
    if (busy || wrong.name || wrong.message || "wrong" in schedule) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await addJob({ name: name.trim(), message: message.trim(), schedule, ...(chat ? { target: { channel: "telegram", chatId: chat } } : {}) });
      onDone();
    } catch (error) {
      setProblem(messageOf(error));
      setBusy(false);
    }
  };

  return (
    <form
      className={styles.form}
      noValidate
      onKeyDown={(event) => event.key === "Escape" && onCancel()}
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <header className={styles.formHead}>
        <IconButton label="Back to the jobs" onClick={onCancel}>
          <ArrowLeft aria-hidden="true" />
        </IconButton>
        <h3>New job</h3>
      </header>
      <TextField label="Name" autoFocus maxLength={MOST.name} placeholder="Morning summary" value={name} wrong={tried ? wrong.name : undefined} onText={setName} />
      <AreaField
        label="What your AI is told"
        className={styles.told}
        maxLength={MOST.message}
        placeholder="Look at the notes in data/ and tell me what is due today."
        value={message}
        wrong={tried ? wrong.message : undefined}
        onText={setMessage}
      />
      <WhenFields when={when} wrong={tried || when.kind !== "once" ? wrong.when : undefined} zone={zone} onWhen={setWhen} />
      {telegram.length > 0 && (
        <SelectField label="The answer goes to" value={chat} onChoice={setChat}>
          <option value="">Its conversation in the chat</option>
          {telegram.map((id) => (
            <option key={id} value={id}>
              Telegram as well ({id})
            </option>
          ))}
        </SelectField>
      )}
      {problem && (
        <p className={styles.problem} role="alert">
          Not added. {problem}
        </p>
      )}
      <div className={styles.formActs}>
        <Button kind="primary" type="submit" busy={busy} data-testid="job-add">
          {busy ? "Adding" : "Add the job"}
        </Button>
        <Button kind="plain" onClick={onCancel}>
          Cancel
        </Button>
        <button type="button" className={styles.cost} onClick={() => openWindow("settings", "ai")}>
          {onPlatform ? "Each run takes from the AI budget." : "Each run calls the model, and costs."}
        </button>
      </div>
    </form>
  );
}

/** The owner's clock and Telegram; what is not known is left out of the form. */
function useSurroundings(): Surroundings {
  const [known, setKnown] = useState<Surroundings>({ zone: "", telegram: [] });
  useEffect(() => {
    const stop = new AbortController();
    profile(stop.signal).then((text) => setKnown((last) => ({ ...last, zone: fieldOf(text, "Timezone").trim() || "UTC" })), () => undefined);
    channels(stop.signal).then(({ telegram }) => telegram?.enabled && setKnown((last) => ({ ...last, telegram: telegram.owners ?? [] })), () => undefined);
    return () => stop.abort();
  }, []);
  return known;
}
