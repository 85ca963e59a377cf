// Ten recovery codes, shown this once: copy, download, and a word that they are kept before it goes on.
import { Button } from "@matrixos/look/Button.tsx";
import { Download } from "lucide-react";
import { useEffect, useState } from "react";
import { CODES_FILE, codesFile } from "../platform/codes.ts";
import { day } from "../platform/words.ts";
import { CopyButton } from "./CopyButton.tsx";
import styles from "./recovery-codes.module.css";

interface RecoveryCodesProps {
  handle: string;
  codes: readonly string[];
  /** What the button says that ends this. */
  act: string;
  done: () => void;
}

export function RecoveryCodes({ handle, codes, act, done }: RecoveryCodesProps) {
  const [kept, setKept] = useState(false);
  const [missed, setMissed] = useState(false);
  useStayUntil(kept);
  const text = codesFile(handle, location.host, codes, day(new Date().toISOString()));
  return (
    <div className={styles.column}>
      <p>If you lose your authenticator app, one of these codes signs you in. Each works once. They are shown now and never again.</p>
      <ol className={styles.codes} data-testid="recovery-codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className={styles.row}>
        <CopyButton text={text} label="Copy" />
        <Button onClick={() => download(text)} data-testid="download-codes">
          <Download size={16} strokeWidth={1.5} aria-hidden />
          Download
        </Button>
      </div>
      <label className={styles.kept}>
        <input type="checkbox" checked={kept} onChange={(event) => setKept(event.target.checked)} aria-invalid={missed && !kept} aria-describedby="kept-said" data-testid="codes-kept" />
        <span>I have saved my recovery codes</span>
      </label>
      <p id="kept-said" role="status" className={styles.wrong}>
        {missed && !kept && "Save the codes first, then tick the box: without them, a lost phone means a lost account."}
      </p>
      <Button kind="primary" size="large" onClick={() => (kept ? done() : setMissed(true))} data-testid="codes-done">
        {act}
      </Button>
    </div>
  );
}

/** Asks before the page is left while the codes are not kept. */
function useStayUntil(kept: boolean): void {
  useEffect(() => {
    if (kept) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [kept]);
}

function download(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  Object.assign(document.createElement("a"), { href: url, download: CODES_FILE }).click();
  // Safari reads the address only after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
