// The file browser: one folder of the home at a time.
import { Eye, EyeOff, FolderOpen, FolderPlus, FolderUp, Trash2, Upload as UploadIcon } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import type { Entry } from "../../gateway/files.ts";
import { Empty, Failed, Loading } from "../../parts/States.tsx";
import { Breadcrumbs } from "./Breadcrumbs.tsx";
import { FileList } from "./FileList.tsx";
import { NameField } from "./NameField.tsx";
import { shown } from "./order.ts";
import { baseName, join } from "./paths.ts";
import { Preview } from "./Preview.tsx";
import { TRASH } from "./trash.ts";
import { Trash } from "./Trash.tsx";
import { Uploads } from "./Uploads.tsx";
import { useDrop } from "./useDrop.ts";
import { useFileActs } from "./useFileActs.ts";
import { useFolder, type Folder } from "./useFolder.ts";
import { useUploads } from "./useUploads.ts";
import styles from "./files.module.css";

interface Props {
  folder: string;
  onFolder: (path: string) => void;
  onTitle: (title: string | undefined) => void;
}

export function FilesWindow(props: Props) {
  if (props.folder === TRASH) return <Trash {...props} />;
  return <Browser {...props} />;
}

function Browser({ folder: path, onFolder, onTitle }: Props) {
  const { folder, reload } = useFolder(path);
  const [hiddenToo, setHiddenToo] = useState(false);
  const [preview, setPreview] = useState<Entry>();
  const acts = useFileActs(path, { onFolder, onPreview: setPreview, onChanged: reload });
  const taken = useTaken(folder);
  const { uploads, start, forget } = useUploads(path, taken, reload);
  const drop = useDrop(start);
  useEffect(() => onTitle(path ? baseName(path) : undefined), [path, onTitle]);

  if (preview) return <Preview path={join(path, preview.name)} entry={preview} onBack={() => setPreview(undefined)} />;
  return (
    <div className={styles.files} {...drop.handlers}>
      <div className={styles.tools}>
        <IconButton label="Up one folder" disabled={path === ""} onClick={acts.onUp}>
          <FolderUp aria-hidden="true" />
        </IconButton>
        <Breadcrumbs folder={path} onFolder={onFolder} />
        <IconButton label={hiddenToo ? "Hide hidden files" : "Show hidden files"} onClick={() => setHiddenToo(!hiddenToo)}>
          {hiddenToo ? <EyeOff aria-hidden="true" /> : <Eye aria-hidden="true" />}
        </IconButton>
        <IconButton label="New folder" onClick={() => acts.setMaking(true)}>
          <FolderPlus aria-hidden="true" />
        </IconButton>
        <IconButton label="Trash" data-testid="files-trash" onClick={() => onFolder(TRASH)}>
          <Trash2 aria-hidden="true" />
        </IconButton>
        <UploadButton onFiles={(files) => start(files.map((file) => ({ name: file.name, file })))} />
      </div>
      {acts.problem && (
        <p className={styles.trouble} role="alert">
          {acts.problem}
        </p>
      )}
      <Content folder={folder} path={path} hiddenToo={hiddenToo} acts={acts} onReload={reload} />
      <Uploads uploads={uploads} onForget={forget} />
      {drop.over && <div className={styles.drop}>Drop to put it into {path ? baseName(path) : "your home"}</div>}
    </div>
  );
}

interface ContentProps {
  folder: Folder;
  path: string;
  hiddenToo: boolean;
  acts: ReturnType<typeof useFileActs>;
  onReload: () => void;
}

function Content({ folder, path, hiddenToo, acts, onReload }: ContentProps) {
  if (folder.at === "loading") return <Loading what="the folder" />;
  if (folder.at === "failed") return <Failed message={folder.message} onRetry={onReload} />;
  const entries = shown(folder.entries, hiddenToo);
  if (entries.length === 0 && !acts.making) {
    return <Empty icon={<FolderOpen aria-hidden="true" />} title="This folder is empty." text="Drop files here, or use the upload button." />;
  }
  const making = acts.making && (
    <div className={styles.row}>
      <FolderPlus className={styles.kind} data-kind="directory" aria-hidden="true" />
      <NameField label="Name of the new folder" initial="" onName={acts.onMake} onCancel={() => acts.setMaking(false)} />
    </div>
  );
  return (
    <>
      <FileList entries={entries} naming={acts.naming} first={making} onUp={() => path && acts.onUp()} wanted={acts.wanted} onFocused={acts.onFocused} {...acts.row} />
      {folder.truncated && <p className={styles.foot}>This folder holds more than is shown here. The terminal shows all of it.</p>}
    </>
  );
}

function UploadButton({ onFiles }: { onFiles: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button className={styles.tool} onClick={() => input.current?.click()}>
        <UploadIcon aria-hidden="true" />
        <span>Upload</span>
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </>
  );
}

/** The names in the folder as they are when asked, also after uploads that arrived meanwhile. */
function useTaken(folder: Folder): () => Set<string> {
  const latest = useRef(folder);
  useEffect(() => {
    latest.current = folder;
  }, [folder]);
  return useCallback(() => new Set(latest.current.at === "listed" ? latest.current.entries.map((entry) => entry.name) : []), []);
}
