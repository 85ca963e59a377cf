// The one bridge of this page, and the place where messages of frames come in.
import { generate, readData, writeData } from "../../gateway/apps.ts";
import { Bridge } from "./bridge.ts";

export const bridge = new Bridge({ readData, writeData, generate });

/** Hears the frames, until the returned function is called. */
export function watchFrames(): () => void {
  const hear = (event: MessageEvent) => bridge.hear(event);
  window.addEventListener("message", hear);
  return () => window.removeEventListener("message", hear);
}
