// Whether the end of what scrolls is in sight; as long as nobody scrolls away from it, it stays in sight while more is added.
import { useCallback, useEffect, useRef, useState } from "react";

/** Nearer to the end than this, in pixels, is at the end. */
const NEAR = 48;
const UPWARDS = new Set(["ArrowUp", "PageUp", "Home"]);

/** `said`: what the owner says now; who says something wants to see it. */
export function useFollow(scroller: HTMLElement | null, said: string | undefined) {
  const [atEnd, setAtEnd] = useState(true);
  const following = useRef(true);
  const toEnd = useCallback(() => {
    following.current = true;
    if (scroller) scroller.scrollTop = scroller.scrollHeight;
  }, [scroller]);

  useEffect(() => {
    if (!scroller) return;
    const last = { top: 0, height: 0 };
    const scrolled = () => {
      const { scrollTop: top, scrollHeight: height, clientHeight } = scroller;
      const near = height - top - clientHeight <= NEAR;
      // That something was added or taken away moves the end as well; only a person moves away from it.
      if (near) following.current = true;
      else if (top < last.top && height === last.height) following.current = false;
      Object.assign(last, { top, height });
      setAtEnd(near || following.current);
    };
    const leave = () => (following.current = false);
    const stop = new AbortController();
    const options = { passive: true, signal: stop.signal };
    scroller.addEventListener("scroll", scrolled, options);
    scroller.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && leave(), options);
    scroller.addEventListener("touchmove", leave, options);
    scroller.addEventListener("keydown", ({ key }) => UPWARDS.has(key) && leave(), options);
    // Its own size counts as well: the field below it grows with what is typed.
    const observer = new ResizeObserver(() => following.current && toEnd());
    observer.observe(scroller);
    for (const child of scroller.children) observer.observe(child);
    toEnd();
    return () => {
      observer.disconnect();
      stop.abort();
    };
  }, [scroller, toEnd]);

  useEffect(() => {
    if (said) toEnd();
  }, [said, toEnd]);
  return { atEnd, toEnd };
}
