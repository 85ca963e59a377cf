// What the AI says, as Markdown. The reader of Markdown is a chunk of its own; until it is there, and should it fail, the text stands
// as it is.
import { Component, Suspense, lazy, useDeferredValue, type ReactNode } from "react";
import styles from "./markdown.module.css";

const Rich = lazy(() => import("./Rich.tsx"));

/** Longer texts are shown as they are: nobody reads them, and reading them as Markdown takes long. */
const LONGEST = 200_000;

export function Markdown({ text }: { text: string }) {
  const shown = useDeferredValue(text);
  const plain = <p className={styles.plain}>{shown}</p>;
  if (text.length > LONGEST) return plain;
  return (
    <Plain text={plain}>
      <Suspense fallback={plain}>
        <Rich text={shown} />
      </Suspense>
    </Plain>
  );
}

class Plain extends Component<{ children: ReactNode; text: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? this.props.text : this.props.children;
  }
}
