// One's own data, all of it, as a file. The browser saves it as it comes; nothing of it passes through the page.
import { Button } from "@matrixos/look/Button.tsx";
import { Download } from "lucide-react";
import { useState } from "react";
import * as api from "../../platform/api.ts";
import { Notice } from "../../ui/Notice.tsx";
import { useAct } from "../../ui/useAct.ts";
import { Part } from "./Part.tsx";
import styles from "./part.module.css";

export function Everything() {
  return (
    <Part title="Your data" about="All of your files, and everything the platform knows about your account, in one file (tar.gz) that every computer opens. Your computer goes on as it is meanwhile." testid="everything">
      <DownloadEverything />
    </Part>
  );
}

export function DownloadEverything() {
  const [begun, setBegun] = useState(false);
  const { busy, problem, run } = useAct();
  const begin = () => {
    setBegun(false);
    // Asked first: an answer other than a file would be saved as one.
    run(api.exportCheck, () => {
      save(api.EXPORT);
      setBegun(true);
    });
  };
  return (
    <div className={styles.download}>
      <Button busy={busy} onClick={begin} data-testid="download-everything">
        <Download size={16} strokeWidth={1.5} aria-hidden />
        Download everything
      </Button>
      {problem && <Notice text={problem.text} />}
      <p role="status" className={styles.said} data-testid="download-said">
        {begun && "Your browser is saving it. If it says that the download failed, the file is not whole: begin again."}
      </p>
    </div>
  );
}

function save(href: string): void {
  Object.assign(document.createElement("a"), { href, download: "" }).click();
}
