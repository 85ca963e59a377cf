// Reads older messages when the top comes into sight, and keeps in place what is being looked at.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { messageOf } from "../../gateway/http.ts";
import { readOlder } from "./chat.ts";
import type { Conversation } from "./conversation.ts";

export function useOlder(scroller: HTMLElement | null, { messages }: Conversation) {
  const [mark, setMark] = useState<HTMLElement | null>(null);
  const [problem, setProblem] = useState<string>();
  const fromEnd = useRef<number>(undefined);
  const first = messages[0]?.id;

  const read = useCallback(() => {
    if (!scroller) return;
    setProblem(undefined);
    fromEnd.current = scroller.scrollHeight - scroller.scrollTop;
    readOlder().catch((error: unknown) => setProblem(messageOf(error)));
  }, [scroller]);

  useEffect(() => {
    if (!scroller || !mark) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && read(), { root: scroller, rootMargin: "200px 0px 0px" });
    observer.observe(mark);
    return () => observer.disconnect();
    // `first` as well: after each page the mark is looked at anew, for it may still be in sight.
  }, [scroller, mark, read, first]);

  useLayoutEffect(() => {
    if (scroller && fromEnd.current !== undefined) scroller.scrollTop = scroller.scrollHeight - fromEnd.current;
    fromEnd.current = undefined;
  }, [scroller, first]);

  return { sentinel: setMark, problem };
}
