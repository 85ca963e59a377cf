// The three questions and the one button.
import { Button } from "@matrixos/look/Button.tsx";
import { Fingerprint } from "lucide-react";
import { type FormEvent, useRef } from "react";
import { passkeysSupported } from "../../platform/passkey.ts";
import type { Arrival } from "../../platform/wire.ts";
import { Notice } from "../../ui/Notice.tsx";
import { HandleField } from "./HandleField.tsx";
import styles from "./signup.module.css";
import { type Act, useSignup } from "./useSignup.ts";

const BUTTON: Record<Act, string> = { idle: "Create my computer", passkey: "Waiting for your passkey…", saving: "Creating your account…" };

export function Questions({ arrived }: { arrived: (arrival: Arrival) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const form = useSignup(field, arrived);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void form.create();
  };
  return (
    <form className={styles.column} onSubmit={submit} noValidate>
      <h1>Create your computer</h1>
      <ol className={styles.questions}>
        <li>
          <HandleField ref={field} value={form.handle} availability={form.availability} fixed={form.act !== "idle"} choose={form.choose} />
        </li>
        <li>
          <FeedQuestion feed={form.feed} setFeed={form.setFeed} />
        </li>
        <li>
          <div className={styles.question}>
            <h2>Make your passkey</h2>
            <p>Your device asks for your fingerprint, face or screen lock. That is your key: there is no password.</p>
            <Button kind="primary" size="large" type="submit" busy={form.act !== "idle"} className={styles.create} data-testid="create-computer">
              <Fingerprint size={20} strokeWidth={1.5} aria-hidden />
              {BUTTON[form.act]}
            </Button>
            <Trouble text={form.problem ?? supportTrouble()} login={form.code === "signup_unsure" || form.code === "passkey_present"} />
          </div>
        </li>
      </ol>
      <p className={styles.lead}>
        You have a computer already? <a href="/login">Sign in</a>
      </p>
    </form>
  );
}

function supportTrouble(): string | undefined {
  return passkeysSupported() ? undefined : "This browser cannot use passkeys here. Open this page in a current Chrome, Safari, Edge or Firefox.";
}

function Trouble({ text, login }: { text?: string; login: boolean }) {
  return text ? <Notice text={text}>{login && <a href="/login">Sign in</a>}</Notice> : null;
}

function FeedQuestion({ feed, setFeed }: { feed: boolean; setFeed: (feed: boolean) => void }) {
  return (
    <fieldset className={styles.question}>
      <legend>May others see what you do?</legend>
      <label className={styles.consent}>
        <input type="checkbox" checked={feed} onChange={(event) => setFeed(event.target.checked)} data-testid="feed-consent" />
        <span>
          Show my activity in the public feed
          <small>For instance that you joined. Never your files.</small>
        </span>
      </label>
    </fieldset>
  );
}
