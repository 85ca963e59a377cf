// The list of conversations, read again whenever one of them changes.
import { useCallback, useEffect, useState } from "react";
import { conversations, type Summary } from "../../gateway/conversations.ts";
import { messageOf } from "../../gateway/http.ts";
import { onEvent, onOpen } from "../../gateway/live.ts";

/** Changes that come close together are read once. */
const CALM_MS = 300;

export interface Listed {
  list: Summary[] | undefined;
  problem: string | undefined;
  again: () => void;
}

export function useConversations(): Listed {
  const [state, setState] = useState<{ list?: Summary[]; problem?: string }>({});
  const again = useCallback(() => {
    conversations().then(
      (list) => setState({ list }),
      (error: unknown) => setState(({ list }) => ({ ...(list ? { list } : {}), problem: messageOf(error) })),
    );
  }, []);
  useEffect(() => {
    again();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(again, CALM_MS);
    };
    const forgetEvents = onEvent((event) => (event.type === "session:changed" || event.type === "resync") && soon());
    const forgetOpenings = onOpen(soon);
    return () => {
      clearTimeout(timer);
      forgetEvents();
      forgetOpenings();
    };
  }, [again]);
  return { list: state.list, problem: state.problem, again };
}
