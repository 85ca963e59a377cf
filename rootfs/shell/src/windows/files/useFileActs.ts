// What a person does to files, and what to say when it does not work.
import { useState } from "react";
import { openWindow } from "../../desktop/open.ts";
import * as files from "../../gateway/files.ts";
import { messageOf } from "../../gateway/http.ts";
import type { RowActs } from "./FileRow.tsx";
import { baseName, contentUrl, join, parent } from "./paths.ts";

interface Hooks {
  onFolder: (path: string) => void;
  onPreview: (entry: files.Entry) => void;
  onChanged: () => void;
}

/** Stands for the first row, whatever its name: no file is called this. */
export const FIRST = "/";

export function useFileActs(folder: string, { onFolder, onPreview, onChanged }: Hooks) {
  const [naming, setNaming] = useState<string>();
  const [making, setMaking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [wanted, setWanted] = useState<string>();

  const attempt = async (act: Promise<unknown>) => {
    setProblem(undefined);
    try {
      await act;
    } catch (error) {
      setProblem(messageOf(error));
    }
    onChanged();
  };

  const row: RowActs = {
    onOpen: (entry) => {
      setWanted(entry.kind === "directory" ? FIRST : entry.name);
      if (entry.kind === "directory") onFolder(join(folder, entry.name));
      else onPreview(entry);
    },
    onEdit: ({ name }) => openWindow("editor", join(folder, name)),
    onDownload: ({ name }) => download(join(folder, name), name),
    onNaming: (name, focus) => {
      setNaming(name);
      setWanted(focus);
    },
    onRename: (entry, name) => {
      setNaming(undefined);
      setWanted(name);
      void attempt(files.rename(join(folder, entry.name), join(folder, name)));
    },
    onTrash: (entry) => {
      setWanted(FIRST);
      void attempt(files.trash(join(folder, entry.name)));
    },
  };
  const onMake = (name: string) => {
    setMaking(false);
    setWanted(name);
    void attempt(files.makeFolder(join(folder, name)));
  };
  const onUp = () => {
    setWanted(baseName(folder));
    onFolder(parent(folder));
  };
  return { row, naming, making, setMaking, onMake, onUp, problem, wanted, onFocused: () => setWanted(undefined) };
}

function download(path: string, name: string) {
  const link = document.createElement("a");
  link.href = contentUrl(path);
  link.download = name;
  link.click();
}
