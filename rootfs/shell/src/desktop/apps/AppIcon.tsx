// An app's icon: an emoji, a picture of the home, or the first letter of its name.
import { useState } from "react";
import type { App } from "../../gateway/apps.ts";
import { useApp } from "./apps.ts";
import styles from "./apps.module.css";

const PICTURE = /^[\w-][\w. -]*\.(png|svg|webp|jpe?g|gif|ico)$/i;

export function AppIcon({ app: { icon = "", name } }: { app: Pick<App, "icon" | "name"> }) {
  const [broken, setBroken] = useState(false);
  if (PICTURE.test(icon) && !broken) {
    return <img className={styles.picture} src={`/files/system/icons/${encodeURIComponent(icon)}`} alt="" draggable={false} onError={() => setBroken(true)} />;
  }
  return (
    <span className={styles.sign} aria-hidden="true">
      {isEmoji(icon) ? icon : name.charAt(0).toUpperCase()}
    </span>
  );
}

/** The icon of the app of this name. */
export function AppSign({ name }: { name: string }) {
  return <AppIcon app={useApp(name)} />;
}

/** Words are no icon. */
const isEmoji = (icon: string) => icon.length > 0 && icon.length <= 16 && !/[A-Za-z]{2}/.test(icon);
