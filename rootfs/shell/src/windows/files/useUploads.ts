// Files on their way into a folder: one after the other, each with its progress, each to be cancelled, each failure said.
import { useCallback, useRef, useState } from "react";
import { upload } from "../../gateway/files.ts";
import { GatewayError, messageOf } from "../../gateway/http.ts";
import { freeName } from "./order.ts";
import { join } from "./paths.ts";

export interface Upload {
  id: number;
  name: string;
  /** 0 to 1. */
  part: number;
  error?: string;
}

export interface Incoming {
  name: string;
  /** Nothing for what cannot be sent, such as a dropped folder. */
  file: File | undefined;
}

export function useUploads(folder: string, taken: () => Set<string>, onArrived: () => void) {
  const [uploads, setUploads] = useState<Upload[]>([]);
  const stops = useRef(new Map<number, AbortController>());
  const queue = useRef<Promise<void>>(Promise.resolve());
  const count = useRef(0);

  const change = (id: number, next: Partial<Upload>) => setUploads((all) => all.map((u) => (u.id === id ? { ...u, ...next } : u)));
  const forget = useCallback((id: number) => {
    stops.current.get(id)?.abort();
    setUploads((all) => all.filter((u) => u.id !== id));
  }, []);

  const send = async (id: number, { name, file }: Incoming) => {
    const stop = stops.current.get(id);
    if (!stop || stop.signal.aborted) return;
    if (!file) return change(id, { error: "Folders cannot be sent. Pack it into one file first." });
    try {
      await upload(join(folder, freeName(name, taken())), file, (part) => change(id, { part }), stop.signal);
      forget(id);
      onArrived();
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === "cancelled")) change(id, { error: messageOf(error) });
    }
  };

  const start = (incoming: Incoming[]) => {
    for (const item of incoming) {
      const id = count.current++;
      stops.current.set(id, new AbortController());
      setUploads((all) => [...all, { id, name: item.name, part: 0 }]);
      queue.current = queue.current.then(() => send(id, item)).finally(() => stops.current.delete(id));
    }
  };
  return { uploads, start, forget };
}
