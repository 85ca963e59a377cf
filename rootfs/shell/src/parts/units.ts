// Numbers for people: always with their unit.
const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes with at most one decimal: `532 B`, `1.4 MiB`, `256 MiB`. */
export function bytes(count: number): string {
  let size = count;
  let unit = 0;
  while (size >= 1024 && unit < BYTES.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const rounded = unit === 0 || size >= 100 ? Math.round(size) : Math.round(size * 10) / 10;
  return `${rounded} ${BYTES[unit]}`;
}

/** A span of seconds in its two largest units: `42 s`, `3 min 5 s`, `2 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([n], index) => index === 0 || n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(" ");
}

const today = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const thisYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const earlier = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

/** When something was changed: the time today, else the day. */
export function when(date: Date, now: Date = new Date()): string {
  if (date.toDateString() === now.toDateString()) return today.format(date);
  return (date.getFullYear() === now.getFullYear() ? thisYear : earlier).format(date);
}

/** Billionths of a dollar as money: `$2.70`, `$0.003` for what is less than a cent, `$0`. */
export function dollars(nanos: number): string {
  const amount = nanos / 1e9;
  if (nanos === 0) return "$0";
  if (amount >= 0.01) return `$${amount.toFixed(2)}`;
  return amount >= 0.001 ? `$${amount.toFixed(3)}` : "<$0.001";
}

/** A count in short: `950`, `12.4k`, `3.1M`. */
export function count(n: number): string {
  if (n < 1_000) return String(n);
  const [value, unit] = n < 999_500 ? [n / 1_000, "k"] : [n / 1_000_000, "M"];
  return `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10}${unit}`;
}
