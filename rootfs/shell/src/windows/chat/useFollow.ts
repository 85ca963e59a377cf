// Whether the end of what scrolls is in sight; as long as it is, it stays in sight while more is added.
import { useCallback, useEffect, useRef, useState } from "react";

/** Nearer to the end than this, in pixels, is at the end. */
const NEAR = 48;

export function useFollow(scroller: HTMLElement | null) {
  const [atEnd, setAtEnd] = useState(true);
  const following = useRef(true);
  const toEnd = useCallback(() => {
    if (scroller) scroller.scrollTop = scroller.scrollHeight;
  }, [scroller]);

  useEffect(() => {
    if (!scroller) return;
    const scrolled = () => {
      following.current = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= NEAR;
      setAtEnd(following.current);
    };
    // Its own size counts as well: the field below it grows with what is typed.
    const observer = new ResizeObserver(() => following.current && toEnd());
    observer.observe(scroller);
    for (const child of scroller.children) observer.observe(child);
    toEnd();
    scroller.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener("scroll", scrolled);
    };
  }, [scroller, toEnd]);

  return { atEnd, toEnd };
}
