// The trash: what was deleted, put back where it was or deleted for good.
import { ArrowLeft, File, Folder, Trash2, Undo2 } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import { emptyTrash, list, restore, trash } from "../../gateway/files.ts";
import { GatewayError, messageOf } from "../../gateway/http.ts";
import { useFileChange } from "../../gateway/live.ts";
import { Confirm } from "../../parts/Confirm.tsx";
import { Empty, Failed, Loading } from "../../parts/States.tsx";
import { bytes, when } from "../../parts/units.ts";
import { TRASH, trashed, type Trashed } from "./trash.ts";
import styles from "./files.module.css";

interface Props {
  onFolder: (path: string) => void;
  onTitle: (title: string | undefined) => void;
}

type Asked = "all" | Trashed;

export function Trash({ onFolder, onTitle }: Props) {
  const { all, failure, again } = useTrash();
  const [asked, setAsked] = useState<Asked>();
  const [said, setSaid] = useState<{ text: string; bad: boolean }>();
  useEffect(() => onTitle("Trash"), [onTitle]);

  const putBack = async ({ path }: Trashed) => {
    try {
      const back = await restore(path);
      setSaid({ text: `Put back: ${back.path}`, bad: false });
    } catch (error) {
      setSaid({ text: messageOf(error), bad: true });
    }
    again();
  };
  const done = () => {
    setAsked(undefined);
    setSaid(undefined);
    again();
  };
  return (
    <div className={styles.files}>
      <div className={styles.tools}>
        <IconButton label="Back to the files" onClick={() => onFolder("")}>
          <ArrowLeft aria-hidden="true" />
        </IconButton>
        <span className={styles.previewName}>Trash</span>
        {all && all.length > 0 && (
          <Button className={styles.tool} data-testid="trash-empty" onClick={() => setAsked("all")}>
            <Trash2 aria-hidden="true" />
            Empty the trash
          </Button>
        )}
      </div>
      {said && (
        <p className={said.bad ? styles.trouble : styles.foot} role={said.bad ? "alert" : "status"}>
          {said.text}
        </p>
      )}
      <Content all={all} failure={failure} again={again} onBack={putBack} onDelete={setAsked} />
      {asked && (
        <Confirm
          title={asked === "all" ? "Empty the trash?" : `Delete “${asked.name}” for good?`}
          text={asked === "all" ? `${all?.length === 1 ? "One thing is" : `${all?.length} things are`} deleted for good. That cannot be undone.` : "That cannot be undone."}
          act={asked === "all" ? "Empty the trash" : "Delete for good"}
          run={() => (asked === "all" ? emptyTrash() : trash(asked.path))}
          done={done}
          close={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

interface ContentProps {
  all: Trashed[] | undefined;
  failure: string | undefined;
  again: () => void;
  onBack: (one: Trashed) => void;
  onDelete: (one: Trashed) => void;
}

function Content({ all, failure, again, onBack, onDelete }: ContentProps) {
  if (failure !== undefined) return <Failed message={failure} onRetry={again} />;
  if (!all) return <Loading what="the trash" />;
  if (all.length === 0) return <Empty icon={<Trash2 aria-hidden="true" />} title="The trash is empty." text="What you delete comes here first, and can be put back." />;
  return (
    <ul className={styles.list} aria-label="Deleted files">
      {all.map((one) => (
        <li key={one.path} className={styles.trashed} data-testid="trashed">
          {one.kind === "directory" ? <Folder aria-hidden="true" /> : <File aria-hidden="true" />}
          <span title={one.name}>{one.name}</span>
          <span className={styles.date}>{one.when === undefined ? bytes(one.size) : when(new Date(one.when))}</span>
          <IconButton label={`Put ${one.name} back`} onClick={() => onBack(one)}>
            <Undo2 aria-hidden="true" />
          </IconButton>
          <IconButton label={`Delete ${one.name} for good`} onClick={() => onDelete(one)}>
            <Trash2 aria-hidden="true" />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}

/** The trash itself is not watched; but whatever is deleted is missing elsewhere. */
function useTrash() {
  const [state, setState] = useState<{ all?: Trashed[]; failure?: string }>({});
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((n) => n + 1), []);
  useFileChange(() => true, (changes) => (changes?.some(({ change }) => change === "removed") ?? true) && again());
  useEffect(() => {
    const stop = new AbortController();
    list(TRASH, stop.signal).then(
      ({ entries }) => setState({ all: trashed(entries) }),
      (error) => {
        if (stop.signal.aborted) return;
        // Before the first thing is deleted there is none.
        if (error instanceof GatewayError && error.status === 404) setState({ all: [] });
        else setState({ failure: messageOf(error) });
      },
    );
    return () => stop.abort();
  }, [turn]);
  return { all: state.all, failure: state.failure, again };
}
