// The models that can be chosen, in words that help to choose.
import { useEffect, useState } from "react";
import { messageOf } from "../../gateway/http.ts";
import { models, type Model } from "../../gateway/settings.ts";

/** What is known of the families of one provider; of any other model its name says enough. */
const FAMILIES: Record<string, string> = {
  haiku: "quick, costs the least",
  sonnet: "good at building, the usual one",
  opus: "the most thorough, costs the most",
};

/** `claude-sonnet-5-5`, or `claude-sonnet-5-20260401`: a family, its version, perhaps a day. */
const FAMILY = /^claude-([a-z]+)-(\d{1,2})(?:-(\d{1,2}))?(?:-\d{8})?$/;

export function labelOf({ id, name }: Model): string {
  const [, family = "", major, minor] = FAMILY.exec(id) ?? [];
  const known = family ? `${family.charAt(0).toUpperCase()}${family.slice(1)} ${minor ? `${major}.${minor}` : major}` : id;
  const shown = name === id ? known : name;
  return FAMILIES[family] ? `${shown}: ${FAMILIES[family]}` : shown;
}

export type Listed = { at: "loading" } | { at: "known"; models: Model[] } | { at: "unknown"; why: string };

/** What whoever answers the AI's calls names; read again by `again`. */
export function useModels(): [Listed, again: () => void] {
  const [listed, setListed] = useState<Listed>({ at: "loading" });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    models(stop.signal).then(
      (found) => setListed(found.models.length > 0 ? { at: "known", models: found.models } : { at: "unknown", why: found.why ?? "The provider names none." }),
      (error) => stop.signal.aborted || setListed({ at: "unknown", why: messageOf(error) }),
    );
    return () => stop.abort();
  }, [turn]);
  const again = () => {
    setListed({ at: "loading" });
    setTurn((n) => n + 1);
  };
  return [listed, again];
}
