// The way from the home down to this folder; each step leads back to it.
import { Fragment } from "react";
import { ChevronRight } from "lucide-react";
import { steps } from "./paths.ts";
import styles from "./files.module.css";

export function Breadcrumbs({ folder, onFolder }: { folder: string; onFolder: (path: string) => void }) {
  const all = steps(folder);
  return (
    <nav className={styles.crumbs} aria-label="Folder">
      {all.map(({ name, path }, index) => (
        <Fragment key={path}>
          {index > 0 && <ChevronRight className={styles.chevron} aria-hidden="true" />}
          <button type="button" className={styles.crumb} aria-current={path === folder ? "location" : undefined} onClick={() => onFolder(path)}>
            {name}
          </button>
        </Fragment>
      ))}
    </nav>
  );
}
