// What the whole desktop has to say: that the computer is away, or that the visit has ended.
import { Button } from "@matrixos/look/Button.tsx";
import type { Link } from "../gateway/link.ts";
import styles from "./desktop.module.css";

export function Notice({ link }: { link: Link }) {
  const text = textFor(link);
  return (
    <div className={styles.notice} role="status" data-shown={text !== undefined}>
      {text}
      {link === "signed_out" && (
        <Button kind="primary" onClick={() => location.reload()}>
          Sign in again
        </Button>
      )}
    </div>
  );
}

function textFor(link: Link): string | undefined {
  if (link === "signed_out") return "You are signed out. Your windows stay as they are.";
  if (link === "asleep") return "Your computer sleeps. It wakes as soon as you use it.";
  if (link === "unreachable") return "Your computer is out of reach. Trying again by itself; what you type is kept.";
  return undefined;
}
