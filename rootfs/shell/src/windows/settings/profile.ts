// The fields of a profile, `- Name: value`, within a text that is otherwise its owner's own. Pure.

const line = (name: string) => new RegExp(`^[-* \\t]*${name}:[ \\t]?(.*)$`, "m");

/** As it was typed, also with a space at the end: somebody may be about to type on. */
export function fieldOf(text: string, name: string): string {
  return line(name).exec(text)?.[1] ?? "";
}

/** The same text with the field set; a field that is not there is added beneath the others. */
export function withField(text: string, name: string, value: string): string {
  const clean = value.replace(/\s*[\r\n]+\s*/g, " ");
  const next = `- ${name}:${clean && ` ${clean}`}`;
  if (line(name).test(text)) return text.replace(line(name), () => next);
  const lines = text.trimEnd() === "" ? ["# Profile", ""] : text.trimEnd().split("\n");
  const last = lines.findLastIndex((one) => /^[-*] [\w ]+:/.test(one));
  return `${lines.toSpliced(last === -1 ? lines.length : last + 1, 0, next).join("\n")}\n`;
}

/** Bytes of a text, as the computer counts them. */
export const sizeOf = (text: string) => new TextEncoder().encode(text).length;

/** Whether browsers, and so very likely the computer, know that time zone. */
export function wrongZone(name: string): string | undefined {
  if (name.trim() === "") return undefined;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name.trim() });
    return undefined;
  } catch {
    return "That time zone is not known. It is written like Europe/Berlin; jobs run by UTC meanwhile.";
  }
}
