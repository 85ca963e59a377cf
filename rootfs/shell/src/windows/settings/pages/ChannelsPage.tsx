// Channels: where else the owner can talk to their AI. Telegram so far; a token goes in and is never shown again.
import { Lock } from "lucide-react";
import { useState } from "react";
import { Button } from "@matrixos/look/Button.tsx";
import { channels, saveChannel, type ChannelState } from "../../../gateway/settings.ts";
import { Switch, TextField } from "../../../parts/form/Field.tsx";
import type { Draft, Source } from "../../../parts/form/useDraft.ts";
import { DraftForm } from "../DraftForm.tsx";
import { idsOf, wrongIds, wrongToken } from "../checks.ts";
import { useOnPlatform } from "../../../desktop/place.ts";
import { useChannelState } from "../useChannelState.ts";
import styles from "../settings.module.css";

interface Telegram {
  enabled: boolean;
  owners: string;
  hasToken: boolean;
  /** What is set where the computer was installed, and only to see here. */
  fixed: string[];
  /** A new token; null takes the one there is away; nothing leaves it. */
  token?: string | null;
}

async function load(signal?: AbortSignal): Promise<Telegram> {
  const { enabled = false, owners = [], hasToken = false, fromEnvironment = [] } = (await channels(signal)).telegram ?? {};
  return { enabled, owners: owners.join(", "), hasToken, fixed: fromEnvironment };
}

const save = ({ enabled, owners, token, fixed }: Telegram) =>
  saveChannel("telegram", { enabled, ...(fixed.includes("owners") ? {} : { owners: idsOf(owners) }), ...(token === undefined ? {} : { token: token?.trim() || null }) });

const SOURCE: Source<Telegram> = { name: "settings/telegram", load, save, files: ["system/config.json"] };

const wrong = ({ owners, token, fixed }: Telegram) => Boolean((fixed.includes("owners") ? undefined : wrongIds(owners)) ?? (token ? wrongToken(token) : undefined));

const STATES: Record<ChannelState, string> = {
  connected: "Connected",
  disabled: "Off",
  stopped: "Not connected yet",
  error: "Not connected",
};

export function ChannelsPage() {
  const { state, why } = useChannelState("telegram") ?? {};
  const onPlatform = useOnPlatform();
  return (
    <DraftForm source={SOURCE} what="the channels" wrong={wrong}>
      {(draft) => (
        <>
          <div className={styles.title}>
            <h4>Telegram</h4>
            <span className={styles.state} data-state={state} data-testid="telegram-state" role="status">
              <i aria-hidden="true" />
              {state ? STATES[state] : "Looking"}
            </span>
          </div>
          {why && <p className={styles.lead}>{why}</p>}
          <p className={styles.lead}>Your AI answers there too{onPlatform ? ", also while this computer sleeps: a message wakes it." : ", for as long as this computer runs."}</p>
          <Fields draft={draft} />
        </>
      )}
    </DraftForm>
  );
}

const setBy = (name: string) => `Set by ${name} where this computer was installed, so not here. Change it there, then restart the computer.`;

function Fields({ draft: { value, change } }: { draft: Draft<Telegram> }) {
  const fixed = value.fixed.includes("owners");
  const lacks = value.enabled && !(value.token ?? value.hasToken);
  return (
    <>
      <Switch label="Use Telegram" hint={lacks ? "A token is needed before it connects." : undefined} on={value.enabled} onChange={(enabled) => change({ ...value, enabled })} />
      <Token value={value} change={change} />
      <TextField
        label="Your Telegram ids"
        hint={fixed ? setBy("MATRIX_TELEGRAM_OWNERS") : value.owners.trim() ? "These are you: they can have everything done. Nobody else is heard." : "Without one nobody is heard. @userinfobot tells you yours."}
        inputMode="numeric"
        readOnly={fixed}
        placeholder="123456789"
        value={value.owners}
        wrong={fixed ? undefined : wrongIds(value.owners)}
        onText={(owners) => change({ ...value, owners })}
      />
    </>
  );
}

function Token({ value, change }: Pick<Draft<Telegram>, "value" | "change">) {
  const [other, setOther] = useState(false);
  const without = ({ token: _, ...rest }: Telegram): Telegram => rest;
  if (value.fixed.includes("token")) {
    return (
      <div className={styles.kept} data-testid="token-fixed">
        <span>
          <strong>Token</strong>
          <small>{setBy("MATRIX_TELEGRAM_TOKEN")} It is never shown.</small>
        </span>
        <Lock aria-hidden="true" />
      </div>
    );
  }
  if (value.hasToken && !other && value.token === undefined) {
    return (
      <div className={styles.kept}>
        <span>
          <strong>Token</strong>
          <small>One is kept. It is never shown again.</small>
        </span>
        <Button onClick={() => setOther(true)}>Replace</Button>
        <Button kind="plain" onClick={() => change({ ...value, token: null })}>
          Remove
        </Button>
      </div>
    );
  }
  if (value.token === null) {
    return (
      <div className={styles.kept}>
        <span>
          <strong>Token</strong>
          <small>It is removed when you save.</small>
        </span>
        <Button onClick={() => change(without(value))}>Keep it</Button>
      </div>
    );
  }
  return (
    <TextField
      label={value.hasToken ? "New token" : "Token of your bot"}
      hint="Write to @BotFather on Telegram, make a bot with /newbot, and paste what it gives you."
      type="password"
      autoComplete="new-password"
      spellCheck={false}
      value={value.token ?? ""}
      wrong={value.token ? wrongToken(value.token) : undefined}
      onText={(token) => change(token ? { ...value, token } : without(value))}
    />
  );
}
