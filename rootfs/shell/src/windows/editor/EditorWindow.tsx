// A plain text editor: type, Ctrl-S. It notices when the file changes underneath, refuses what is no text, asks before it is closed
// with text that is not saved, and has it again should the page go all the same.
import { Check, Download } from "lucide-react";
import { useEffect, useState, type KeyboardEvent } from "react";
import { Button, ButtonLink } from "@matrixos/look/Button.tsx";
import { guardWindow } from "../../desktop/windows/leaving.ts";
import { Empty, Failed, Loading } from "../../parts/States.tsx";
import { bytes } from "../../parts/units.ts";
import { baseName, contentUrl } from "../files/paths.ts";
import { LARGEST, isDirty, linesOf, type Document } from "./document.ts";
import { Leaving } from "./Leaving.tsx";
import { useDocument } from "./useDocument.ts";
import styles from "./editor.module.css";

interface Props {
  /** The window. */
  id: string;
  path: string;
  onTitle: (title: string | undefined) => void;
  onClose: () => void;
}

export default function EditorWindow({ id, path, onTitle, onClose }: Props) {
  const { state, saving, problem, isKept, again, save, type, reload, keep, discard } = useDocument(path);
  const dirty = state.at === "open" && isDirty(state.document);
  useEffect(() => onTitle(`${dirty ? "• " : ""}${baseName(path)}`), [dirty, path, onTitle]);
  useLeaveWarning(dirty && !isKept);
  const [leaving, setLeaving] = useLeaving(id, dirty);
  if (state.at === "loading") return <Loading what={baseName(path)} />;
  if (state.at === "failed") return <Failed message={state.message} onRetry={again} />;
  if (state.at === "refused") return <Refused path={path} why={state.why} />;
  const { document } = state;
  const onKeyDown = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    if (dirty) void save();
  };
  const saveAndClose = async () => {
    if (!(await save())) return;
    discard();
    onClose();
  };
  const giveUp = () => {
    discard();
    onClose();
  };
  return (
    <div className={styles.editor} onKeyDown={onKeyDown}>
      {document.other !== undefined && <Changed document={document} onReload={reload} onKeep={keep} />}
      <textarea className={styles.text} aria-label={`Text of ${baseName(path)}`} data-autofocus data-testid="editor-text" spellCheck={false} autoCapitalize="off" autoCorrect="off" wrap="soft" value={document.text} onChange={(event) => type(event.target.value)} />
      <footer className={styles.foot}>
        <span className={styles.path}>{path}</span>
        <span className={styles.state} role="status" data-problem={problem !== undefined}>
          {problem ? `Not saved. ${problem}` : saving ? "Saving" : dirty ? `Not saved yet. ${isKept ? "A draft is kept." : "No draft can be kept in this browser."}` : <Saved document={document} />}
        </span>
        <Button kind="primary" className={styles.save} busy={saving || !dirty} data-testid="editor-save" onClick={() => void save()}>
          Save
        </Button>
      </footer>
      {leaving && <Leaving name={baseName(path)} other={document.other} saving={saving} problem={problem} onSave={() => void saveAndClose()} onDiscard={giveUp} onStay={() => setLeaving(false)} />}
    </div>
  );
}

/** Whether its owner wants to close the window while there is something to save. */
function useLeaving(id: string, dirty: boolean): [boolean, (leaving: boolean) => void] {
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    if (!dirty) return;
    return guardWindow(id, () => {
      setLeaving(true);
      return true;
    });
  }, [id, dirty]);
  return [leaving && dirty, setLeaving];
}

function Saved({ document }: { document: Document }) {
  const lines = linesOf(document.text);
  return (
    <>
      <Check aria-hidden="true" />
      Saved, {lines} {lines === 1 ? "line" : "lines"}
    </>
  );
}

function Changed({ document, onReload, onKeep }: { document: Document; onReload: () => void; onKeep: () => void }) {
  const gone = document.other === null;
  return (
    <div className={styles.changed} role="alert" data-testid="editor-changed">
      <p>{gone ? "This file was deleted or moved. What you see is here only; saving makes the file again." : "This file was changed on the disk while you were typing."}</p>
      {!gone && <Button onClick={onReload}>Reload, lose mine</Button>}
      <Button onClick={onKeep}>Keep mine</Button>
    </div>
  );
}

function Refused({ path, why }: { path: string; why: "binary" | "large" }) {
  const [title, text] =
    why === "large"
      ? ["This file is too large to be edited here.", `The editor takes at most ${bytes(LARGEST)}. The terminal has no such limit.`]
      : ["This file is no text in UTF-8.", "To edit it here would damage it. Download it, or use the terminal."];
  return (
    <Empty title={title} text={text}>
      <ButtonLink href={contentUrl(path)} download={baseName(path)}>
        <Download size={16} strokeWidth={1.5} aria-hidden="true" />
        Download
      </ButtonLink>
    </Empty>
  );
}

/** Before the page goes, the browser asks about what is not saved. */
function useLeaveWarning(dirty: boolean) {
  useEffect(() => {
    if (!dirty) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [dirty]);
}
