// What a person does to files, and what to say when it does not work.
import { useState } from "react";
import * as files from "../../gateway/files.ts";
import { messageOf } from "../../gateway/http.ts";
import type { RowActs } from "./FileRow.tsx";
import { contentUrl, join } from "./paths.ts";

interface Hooks {
  onFolder: (path: string) => void;
  onPreview: (entry: files.Entry) => void;
  onChanged: () => void;
}

export function useFileActs(folder: string, { onFolder, onPreview, onChanged }: Hooks) {
  const [naming, setNaming] = useState<string>();
  const [making, setMaking] = useState(false);
  const [problem, setProblem] = useState<string>();

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
    onOpen: (entry) => (entry.kind === "directory" ? onFolder(join(folder, entry.name)) : onPreview(entry)),
    onDownload: ({ name }) => download(join(folder, name), name),
    onNaming: setNaming,
    onRename: (entry, name) => {
      setNaming(undefined);
      void attempt(files.rename(join(folder, entry.name), join(folder, name)));
    },
    onTrash: (entry) => void attempt(files.trash(join(folder, entry.name))),
  };
  const onMake = (name: string) => {
    setMaking(false);
    void attempt(files.makeFolder(join(folder, name)));
  };
  return { row, naming, making, setMaking, onMake, problem };
}

function download(path: string, name: string) {
  const link = document.createElement("a");
  link.href = contentUrl(path);
  link.download = name;
  link.click();
}
