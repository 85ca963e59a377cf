// The name of the page in the tab and the history.
import { useEffect } from "react";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Matrix OS`;
  }, [title]);
}
