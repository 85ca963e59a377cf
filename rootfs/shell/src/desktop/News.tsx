// Something happened to the computer that its owner should know: memory ran out, the disk is full.
import { Button } from "@matrixos/look/Button.tsx";
import styles from "./desktop.module.css";
import { useNews } from "./useNews.ts";

export function News() {
  const [notice, dismiss] = useNews();
  return (
    <div className={styles.news} role="status" data-shown={notice !== undefined}>
      {notice && (
        <>
          <p>{notice.text}</p>
          <Button onClick={() => dismiss(notice)}>OK</Button>
        </>
      )}
    </div>
  );
}
