// The three questions and the one button; an authenticator app is the quiet alternative to the passkey.
import { Button } from "@matrixos/look/Button.tsx";
import { Fingerprint } from "lucide-react";
import { type FormEvent, useEffect, useRef } from "react";
import { passkeysSupported } from "../../platform/passkey.ts";
import { AppSetup } from "../../ui/AppSetup.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { HandleField } from "./HandleField.tsx";
import styles from "./signup.module.css";
import { type Act, type Joined, type SignupForm, useSignup } from "./useSignup.ts";

const BUTTON: Record<Act, string> = { idle: "Create my computer", passkey: "Waiting for your passkey…", saving: "Creating your account…", app: "One moment…" };

export function Questions({ arrived }: { arrived: (joined: Joined) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const form = useSignup(field, arrived);
  return (
    <div className={styles.column}>
      <h1>Create your computer</h1>
      <ol className={styles.questions}>
        <li>
          <HandleField ref={field} value={form.handle} availability={form.availability} fixed={form.act !== "idle" || form.app !== undefined} choose={form.choose} create={form.create} />
        </li>
        <li>
          <FeedQuestion feed={form.feed} setFeed={form.setFeed} />
        </li>
        <li>{form.app ? <ByApp form={form} app={form.app} /> : <ByPasskey form={form} />}</li>
      </ol>
      <p className={styles.lead}>
        You have a computer already? <a href="/login">Sign in</a>
      </p>
    </div>
  );
}

function ByPasskey({ form }: { form: SignupForm }) {
  const possible = passkeysSupported();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    form.create();
  };
  return (
    <form className={styles.question} onSubmit={submit} noValidate>
      <h2>Make your passkey</h2>
      <p>Your device asks for your fingerprint, face or screen lock. That is your key: there is no password.</p>
      <Button kind={possible ? "primary" : "quiet"} size="large" type="submit" busy={form.act !== "idle"} className={styles.create} data-testid="create-computer">
        <Fingerprint size={20} strokeWidth={1.5} aria-hidden />
        {BUTTON[form.act]}
      </Button>
      <Trouble text={form.problem?.text ?? (possible ? undefined : NO_PASSKEYS)} login={form.problem?.code === "signup_unsure" || form.problem?.code === "passkey_present"} />
      <Button kind={possible ? "plain" : "primary"} busy={form.act !== "idle"} onClick={form.chooseApp} autoFocus={form.returned} data-testid="use-app">
        Use an authenticator app instead
      </Button>
    </form>
  );
}

function ByApp({ form, app }: { form: SignupForm; app: NonNullable<SignupForm["app"]> }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className={styles.question}>
      <h2 ref={heading} tabIndex={-1}>
        Set up your authenticator app
      </h2>
      <AppSetup
        key={app.ceremony}
        start={app}
        act="Create my computer"
        acting={BUTTON.saving}
        busy={form.act !== "idle"}
        problem={form.problem}
        finish={form.createWithApp}
        renew={form.chooseApp}
        cancel={form.leaveApp}
      />
      {form.problem?.code === "signup_unsure" && <a href="/login">Sign in</a>}
    </div>
  );
}

const NO_PASSKEYS = "This browser cannot use passkeys here. Use an authenticator app, or open this page in a current Chrome, Safari, Edge or Firefox.";

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
