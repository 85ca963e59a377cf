// A picture of one's own as wallpaper: sent into the home, then shown.
import { Image } from "lucide-react";
import { useRef, useState } from "react";
import { Button } from "@matrixos/look/Button.tsx";
import { GatewayError, messageOf } from "../../gateway/http.ts";
import { makeFolder, upload } from "../../gateway/files.ts";
import { baseName } from "../files/paths.ts";
import styles from "./settings.module.css";

const FOLDER = "system/wallpapers";
const LARGEST = 10 << 20;

interface Props {
  /** The path of the one that is shown. */
  chosen: string | undefined;
  onChosen: (path: string) => void;
  onProblem: (message: string | undefined) => void;
}

export function PictureButton({ chosen, onChosen, onProblem }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const take = async (file: File) => {
    onProblem(undefined);
    if (file.size > LARGEST) return onProblem("A wallpaper may have at most 10 MB. Choose a smaller picture.");
    setBusy(true);
    try {
      const path = `${FOLDER}/${nameFor(file)}`;
      await makeFolder(FOLDER).catch(unlessThere);
      await upload(path, file, () => {}, AbortSignal.timeout(120_000));
      onChosen(path);
    } catch (error) {
      onProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <p className={styles.acts}>
      <Button busy={busy} onClick={() => input.current?.click()}>
        <Image size={16} strokeWidth={1.5} aria-hidden="true" />
        {busy ? "Sending the picture" : "A picture from this device"}
      </Button>
      {chosen && <span className={styles.chosen}>Now: {baseName(chosen)}</span>}
      <input
        ref={input}
        type="file"
        hidden
        accept="image/png,image/jpeg,image/webp,image/avif,image/gif,image/svg+xml"
        aria-label="A picture from this device"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          event.target.value = "";
          if (file) void take(file);
        }}
      />
    </p>
  );
}

/** A new name for a new picture: a browser shows the old one for the same address. */
function nameFor(file: File): string {
  const ending = /\.[a-z0-9]{1,5}$/i.exec(file.name)?.[0] ?? "";
  const stem = file.name.slice(0, file.name.length - ending.length).replace(/[^\p{L}\p{N} _-]+/gu, "-").slice(0, 60) || "picture";
  return `${stem}-${Date.now().toString(36)}${ending.toLowerCase()}`;
}

function unlessThere(error: unknown) {
  if (!(error instanceof GatewayError && error.status === 409)) throw error;
}
