// The field in which the browser itself offers the passkeys it knows (WebAuthn conditional mediation).
import styles from "./login.module.css";

export function Offered({ offer }: { offer: () => void }) {
  return (
    <div className={styles.offered}>
      <label htmlFor="handle">Or pick it here</label>
      <input
        id="handle"
        name="handle"
        onFocus={offer}
        placeholder="Your browser lists your passkeys"
        autoComplete="username webauthn"
        autoCapitalize="none"
        spellCheck={false}
      />
    </div>
  );
}
