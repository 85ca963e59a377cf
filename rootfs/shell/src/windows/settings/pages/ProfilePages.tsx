// Who the owner and their AI are: texts that others and the AI read, as Markdown with a few fields on top.
import { aiProfile, profile, saveAiProfile, saveProfile, saveTextFile, textFile } from "../../../gateway/settings.ts";
import { AreaField, TextField } from "../../../parts/form/Field.tsx";
import type { Draft, Source } from "../../../parts/form/useDraft.ts";
import { DraftForm } from "../DraftForm.tsx";
import { fieldOf, sizeOf, withField, wrongZone } from "../profile.ts";
import { useOnPlatform } from "../../../desktop/place.ts";
import styles from "../settings.module.css";

const LARGEST = 16 * 1024;

const file = (path: string): Source<string> => ({ name: path, load: (signal) => textFile(path, signal), save: (text) => saveTextFile(path, text), files: [path] });

const ABOUT: Source<string> = { name: "system/profile.md", load: profile, save: saveProfile, files: ["system/profile.md"] };
const PAGE = file("profile.md");
const AI: Source<string> = { name: "system/ai-profile.md", load: aiProfile, save: saveAiProfile, files: ["system/ai-profile.md"] };
const SOUL = file("system/soul.md");

const wrongSize = (text: string) => (sizeOf(text) > LARGEST ? `That is ${sizeOf(text).toLocaleString("en")} bytes; at most ${LARGEST.toLocaleString("en")} are kept.` : undefined);
const tooLarge = (text: string) => wrongSize(text) !== undefined;

export function ProfilePage() {
  const seen = useOnPlatform() ? "Shown to whoever opens your address and is not you." : "Told to those who write to your AI and are not you; this computer shows it to nobody by itself.";
  return (
    <>
      <DraftForm source={ABOUT} what="your profile" wrong={tooLarge}>
        {(draft) => (
          <>
            <p className={styles.lead}>Your AI reads this before every answer, and strangers who write to it may be told.</p>
            <Fields draft={draft} />
            <Words label="About me, as Markdown" hint="The fields above are lines of this text. Add what your AI should know about you." draft={draft} />
          </>
        )}
      </DraftForm>
      <DraftForm source={PAGE} what="your public page" wrong={tooLarge}>
        {(draft) => <Words label="My public page" hint={`${seen} An empty line begins a new paragraph; what stands between <!-- and --> is shown to nobody.`} draft={draft} />}
      </DraftForm>
    </>
  );
}

export function AiProfilePage() {
  return (
    <>
      <DraftForm source={AI} what="the profile of your AI" wrong={tooLarge}>
        {(draft) => <Words label="How your AI presents itself" hint="Others may read this: personality, skills, what it can do." draft={draft} />}
      </DraftForm>
      <DraftForm source={SOUL} what="the soul of your AI" wrong={tooLarge}>
        {(draft) => <Words label="Its soul" hint="How it is and speaks, in all that it does. The first 2,000 characters are read." draft={draft} />}
      </DraftForm>
    </>
  );
}

function Words({ label, hint, draft: { value, change } }: { label: string; hint: string; draft: Draft<string> }) {
  return <AreaField label={label} hint={hint} wrong={wrongSize(value)} value={value} spellCheck onText={change} />;
}

function Fields({ draft: { value, change } }: { draft: Draft<string> }) {
  const set = (name: string) => (text: string) => change(withField(value, name, text));
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zone = fieldOf(value, "Timezone");
  return (
    <div className={styles.pair}>
      <TextField label="Display name" maxLength={100} value={fieldOf(value, "Display Name")} onText={set("Display Name")} />
      <TextField label="Language" hint="In which your AI speaks: en, de, …" maxLength={35} value={fieldOf(value, "Language")} onText={set("Language")} />
      <TextField
        label="Time zone"
        hint={
          zone === here ? (
            "Jobs run by this clock. It is that of this device."
          ) : (
            <>
              {zone ? "Jobs run by this clock. " : "Jobs run by UTC until there is one. "}
              <button type="button" data-inline className={styles.inline} onClick={() => set("Timezone")(here)}>
                Use {here}
              </button>
            </>
          )
        }
        placeholder="UTC"
        spellCheck={false}
        maxLength={64}
        value={zone}
        wrong={wrongZone(zone)}
        onText={set("Timezone")}
      />
      <TextField label="In a sentence" maxLength={280} value={fieldOf(value, "Bio")} onText={set("Bio")} />
    </div>
  );
}
