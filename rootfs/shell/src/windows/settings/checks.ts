// What is wrong with what somebody typed, in words; nothing when it is fine. Pure.

export function wrongNumber(value: number, least: number, most: number): string | undefined {
  if (Number.isInteger(value) && value >= least && value <= most) return undefined;
  return `A whole number from ${least.toLocaleString("en")} to ${most.toLocaleString("en")} is needed.`;
}

export function wrongModel(name: string): string | undefined {
  return /^[\x21-\x7e]{1,100}$/.test(name) ? undefined : "A model's name has 1 to 100 letters, digits and dashes, and no spaces.";
}

/** The ids in a text, by commas, spaces or lines; each once. */
export function idsOf(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

/** Telegram knows people by number. */
export function wrongIds(text: string): string | undefined {
  const bad = idsOf(text).find((id) => !/^[1-9]\d{0,19}$/.test(id));
  if (bad === undefined) return undefined;
  return bad.startsWith("@") ? `${bad} is a name. The number is needed; @userinfobot tells you yours.` : `“${bad}” is no Telegram id. It is a number such as 123456789.`;
}

/** The shape of a bot's token, so that a wrong paste is noticed before it is sent. */
export function wrongToken(token: string): string | undefined {
  return /^\d{5,20}:[\w-]{30,64}$/.test(token.trim()) ? undefined : "That is no token of a bot. It looks like 123456789:AAE… and comes from @BotFather.";
}
