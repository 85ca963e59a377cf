// Files dragged from the person's own desktop onto a window.
import { useState, type DragEvent } from "react";
import type { Incoming } from "./useUploads.ts";

export function useDrop(onDrop: (incoming: Incoming[]) => void) {
  const [over, setOver] = useState(false);
  const holdsFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  return {
    over,
    handlers: {
      onDragOver(event: DragEvent) {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      onDragLeave(event: DragEvent) {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      },
      onDrop(event: DragEvent) {
        if (!holdsFiles(event)) return;
        event.preventDefault();
        setOver(false);
        onDrop(incomingOf(event.dataTransfer));
      },
    },
  };
}

function incomingOf(data: DataTransfer): Incoming[] {
  return [...data.items]
    .filter((item) => item.kind === "file")
    .map((item) => {
      const file = item.getAsFile() ?? undefined;
      const entry = item.webkitGetAsEntry();
      return { name: file?.name ?? entry?.name ?? "unnamed", file: entry?.isDirectory ? undefined : file };
    });
}
