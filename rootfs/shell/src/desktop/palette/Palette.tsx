// The command palette: type a few letters, press Enter. A combobox with its list (WAI-ARIA), in the browser's own <dialog>.
import { Search, Sparkles } from "lucide-react";
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { messageOf } from "../../gateway/http.ts";
import { ask } from "../ask.ts";
import { isPaletteKey, onOpenPalette } from "./open.ts";
import { search } from "./search.ts";
import { useEntries, type Entry } from "./useEntries.tsx";
import styles from "./palette.module.css";

export function Palette() {
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState<string>();
  const failed = useCallback((error: unknown) => setProblem(messageOf(error)), []);
  useEffect(() => onOpenPalette(() => setOpen(true)), []);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (!isPaletteKey(event, (event.target as Element | null)?.closest?.(".xterm") != null)) return;
      event.preventDefault();
      event.stopPropagation();
      setOpen((was) => !was);
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, []);
  useEffect(() => {
    if (!problem) return;
    const timer = setTimeout(() => setProblem(undefined), 8_000);
    return () => clearTimeout(timer);
  }, [problem]);
  return (
    <>
      {open && <Box onClose={() => setOpen(false)} onProblem={failed} />}
      <div className={styles.problem} role="status" data-shown={problem !== undefined}>
        {problem && `That did not work. ${problem}`}
      </div>
    </>
  );
}

function Box({ onClose, onProblem }: { onClose: () => void; onProblem: (error: unknown) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const entries = withAsk(search(useEntries(onProblem), typed), typed.trim());
  const current = Math.min(at, entries.length - 1);

  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [current, typed]);

  const take = (entry: Entry | undefined) => {
    if (!entry) return;
    // Closed first: it gives the focus back to where it was, and the window that opens takes it from there.
    dialog.current?.close();
    onClose();
    entry.act();
  };
  const move: Record<string, () => number> = {
    ArrowDown: () => (current + 1) % entries.length,
    ArrowUp: () => (current - 1 + entries.length) % entries.length,
    PageDown: () => Math.min(current + 8, entries.length - 1),
    PageUp: () => Math.max(current - 8, 0),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const step = move[event.key];
    if (!step && event.key !== "Enter") return;
    event.preventDefault();
    if (step) setAt(step());
    else take(entries[current]);
  };

  return (
    <dialog ref={dialog} className={styles.palette} aria-label="Command palette" data-testid="palette" onClose={onClose} onClick={(event) => event.target === dialog.current && onClose()}>
      <div className={styles.field}>
        <Search aria-hidden="true" />
        <input
          autoFocus
          role="combobox"
          aria-label="What to open or do"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={entries[current] && `${id}-${current}`}
          aria-autocomplete="list"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          enterKeyHint="go"
          placeholder="Open something, or ask your AI"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <div ref={list} id={`${id}-list`} role="listbox" aria-label="What there is" className={styles.list}>
        {entries.map((entry, index) => (
          <Line key={entry.id} entry={entry} id={`${id}-${index}`} chosen={index === current} heading={typed.trim() === "" && entry.group !== entries[index - 1]?.group} told={typed.trim() !== "" && entry.group !== "AI"} onPoint={() => setAt(index)} onTake={() => take(entry)} />
        ))}
      </div>
    </dialog>
  );
}

/** What was typed can always be said to the AI: first if nothing else answers, else last. */
function withAsk(found: Entry[], typed: string): Entry[] {
  if (typed === "") return found;
  return [...found, { id: "ask", group: "AI", name: `Ask the AI: ${typed}`, icon: <Sparkles aria-hidden="true" />, act: () => ask(typed) }];
}

interface LineProps {
  entry: Entry;
  id: string;
  chosen: boolean;
  /** Its group begins with it, and stands above. */
  heading: boolean;
  /** Its group stands beside it. */
  told: boolean;
  onPoint: () => void;
  onTake: () => void;
}

function Line({ entry, id, chosen, heading, told, onPoint, onTake }: LineProps): ReactNode {
  return (
    <>
      {heading && (
        <p className={styles.group} role="presentation">
          {entry.group}
        </p>
      )}
      <div id={id} role="option" aria-selected={chosen} className={styles.entry} data-testid={`palette-${entry.id}`} onPointerMove={() => chosen || onPoint()} onClick={onTake}>
        <span className={styles.icon}>{entry.icon}</span>
        <span className={styles.name}>{entry.name}</span>
        {told && <small>{entry.group}</small>}
      </div>
    </>
  );
}
