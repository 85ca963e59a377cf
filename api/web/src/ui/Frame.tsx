// What surrounds every page: the mark, the way to one's account, the page, the foot.
import { ButtonLink } from "@matrixos/look/Button.tsx";
import { Mark } from "@matrixos/look/Mark.tsx";
import type { ReactNode } from "react";
import styles from "./frame.module.css";
import type { Visitor } from "./useMe.ts";

interface FrameProps {
  /** Who is here, where the page knows: decides what the top right offers. */
  visitor?: Visitor;
  /** One column in the middle: narrow for a form, a page for lists. */
  width?: "narrow" | "page";
  children: ReactNode;
}

export function Frame({ visitor, width, children }: FrameProps) {
  return (
    <div className={styles.frame}>
      <header className={styles.head}>
        <a href="/" className={styles.name}>
          <Mark />
          Matrix OS
        </a>
        <nav aria-label="Account">{visitor && <WayIn visitor={visitor} />}</nav>
      </header>
      <main className={width && styles[width]}>{children}</main>
      <footer className={styles.foot}>
        <p>Matrix OS. No trackers, no third parties: everything on this page comes from this platform.</p>
      </footer>
    </div>
  );
}

function WayIn({ visitor }: { visitor: Visitor }) {
  if (visitor.is === "member") {
    return (
      <ButtonLink kind="plain" href="/account">
        @{visitor.me.handle}
      </ButtonLink>
    );
  }
  if (visitor.is === "asking") return null;
  return (
    <ButtonLink kind="plain" href="/login">
      Sign in
    </ButtonLink>
  );
}
