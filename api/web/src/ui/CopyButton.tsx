// Copies a text, and says whether that worked.
import { Button } from "@matrixos/look/Button.tsx";
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

/** How long the answer stays on the button, in milliseconds. */
const SAID_MS = 2_500;

export function CopyButton({ text, label, copied }: { text: string; label: string; copied?: () => void }) {
  const [said, setSaid] = useState<"copied" | "failed">();
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(undefined), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  // `clipboard` is missing where the page is not served securely.
  const copy = () =>
    void Promise.resolve(navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"))).then(
      () => {
        setSaid("copied");
        copied?.();
      },
      () => setSaid("failed"),
    );
  const Icon = said === "copied" ? Check : Copy;
  return (
    <Button onClick={copy} data-testid="copy">
      <Icon size={16} strokeWidth={1.5} aria-hidden />
      <span role="status">{said === "copied" ? "Copied" : said === "failed" ? "Not copied: select and copy it by hand" : label}</span>
    </Button>
  );
}
