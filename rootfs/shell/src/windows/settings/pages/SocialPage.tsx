// Sharing: what others may see. Off until its owner says otherwise.
import { saveSocial, social, type SocialSettings } from "../../../gateway/settings.ts";
import { Switch } from "../../../parts/form/Field.tsx";
import type { Source } from "../../../parts/form/useDraft.ts";
import { DraftForm } from "../DraftForm.tsx";
import { useOnPlatform } from "../../../desktop/place.ts";
import styles from "../settings.module.css";

const SOURCE: Source<SocialSettings> = {
  name: "settings/social",
  load: async (signal) => ({ share: (await social(signal)).share === true }),
  save: saveSocial,
  files: ["system/social-config.json"],
};

export function SocialPage() {
  if (!useOnPlatform()) {
    return (
      <div className={styles.form}>
        <p className={styles.lead}>This computer runs by itself: it has no neighbours, and there is no feed to share with.</p>
      </div>
    );
  }
  return <Sharing />;
}

function Sharing() {
  return (
    <DraftForm source={SOURCE} what="what is shared">
      {({ value, change }) => (
        <>
          <Switch
            label="Share what I build"
            hint="Your AI may post to the community feed under your handle when you have made something: an app's name and a sentence about it."
            on={value.share}
            onChange={(share) => change({ ...value, share })}
          />
          <div className={styles.note}>
            <p>
              <strong>Never shared, whatever is set here:</strong> your files, conversations, memories, what your apps keep, and what you pay.
            </p>
            <p>Your public page is another matter: what you write on it is for everybody. It is under Profile.</p>
          </div>
        </>
      )}
    </DraftForm>
  );
}
