// A look into one file: a picture, the beginning of a text, or the offer to download it.
import { ArrowLeft, Download, PencilLine } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, ButtonLink, IconButton } from "@matrixos/look/Button.tsx";
import { openWindow } from "../../desktop/open.ts";
import { readStart, type Entry } from "../../gateway/files.ts";
import { messageOf } from "../../gateway/http.ts";
import { useFileChange } from "../../gateway/live.ts";
import { Empty, Failed, Loading } from "../../parts/States.tsx";
import { bytes } from "../../parts/units.ts";
import { baseName, contentUrl, isImage } from "./paths.ts";
import { textOf } from "./text.ts";
import styles from "./files.module.css";

interface Props {
  path: string;
  entry: Entry;
  onBack: () => void;
}

export function Preview({ path, entry, onBack }: Props) {
  return (
    <div className={styles.preview} onKeyDown={(event) => event.key === "Escape" && onBack()}>
      <div className={styles.tools}>
        <IconButton label="Back to the folder" autoFocus onClick={onBack}>
          <ArrowLeft aria-hidden="true" />
        </IconButton>
        <span className={styles.previewName}>{baseName(path)}</span>
        <span className={styles.figures}>{bytes(entry.size)}</span>
        {!isImage(entry.name) && (
          <Button className={styles.tool} data-testid="file-edit" onClick={() => openWindow("editor", path)}>
            <PencilLine aria-hidden="true" />
            <span>Edit</span>
          </Button>
        )}
        <ButtonLink className={styles.tool} href={contentUrl(path)} download={entry.name}>
          <Download aria-hidden="true" />
          <span>Download</span>
        </ButtonLink>
      </div>
      {isImage(entry.name) ? <Picture path={path} /> : <Text path={path} entry={entry} />}
    </div>
  );
}

function Picture({ path }: { path: string }) {
  const [broken, setBroken] = useState(false);
  if (broken) return <Empty title="This picture cannot be shown." text="It may be damaged, or not be a picture at all." />;
  return (
    <div className={styles.picture}>
      <img src={contentUrl(path)} alt={baseName(path)} onError={() => setBroken(true)} />
    </div>
  );
}

/** Bytes of a text that are fetched and shown. */
const MOST_SHOWN = 256 * 1024;

type Read = { at: "loading" } | { at: "failed"; message: string } | { at: "binary" } | { at: "text"; text: string };

function Text({ path, entry }: { path: string; entry: Entry }) {
  const [read, again] = useText(path);
  switch (read.at) {
    case "loading":
      return <Loading what={entry.name} />;
    case "failed":
      return <Failed message={read.message} onRetry={again} />;
    case "binary":
      return <Empty title="There is no preview for this kind of file." text="Download it to open it on your device." />;
    case "text":
      if (read.text === "") return <Empty title="This file is empty." />;
      return (
        <>
          <pre className={styles.text} tabIndex={0} aria-label={`Content of ${entry.name}`}>
            {read.text}
          </pre>
          {entry.size > MOST_SHOWN && <p className={styles.foot}>The first {bytes(MOST_SHOWN)} are shown. Download the file to see all of it.</p>}
        </>
      );
  }
}

function useText(path: string): [Read, () => void] {
  const [read, setRead] = useState<Read>({ at: "loading" });
  const [turn, setTurn] = useState(0);
  useFileChange((changed) => changed === path, () => setTurn((n) => n + 1));
  // What is shown stays until the new content is there.
  useEffect(() => setRead({ at: "loading" }), [path]);
  useEffect(() => {
    const stop = new AbortController();
    readStart(path, MOST_SHOWN, stop.signal).then(
      (content) => {
        const text = textOf(content);
        setRead(text === undefined ? { at: "binary" } : { at: "text", text });
      },
      (error) => stop.signal.aborted || setRead({ at: "failed", message: messageOf(error) }),
    );
    return () => stop.abort();
  }, [path, turn]);
  return [read, () => setTurn((n) => n + 1)];
}
