import { expect, it } from "vitest";
import { bytes, count, dollars, duration } from "./units.ts";

it("figures carry their units", () => {
  expect(bytes(0)).toBe("0 B");
  expect(bytes(532)).toBe("532 B");
  expect(bytes(1_500_000)).toBe("1.4 MiB");
  expect(bytes(256 * 1024 ** 2)).toBe("256 MiB");
  expect(bytes(1024 ** 3)).toBe("1 GiB");
  expect(duration(0)).toBe("0 s");
  expect(duration(185)).toBe("3 min 5 s");
  expect(duration(86_400 * 2 + 60)).toBe("2 d");
  expect(duration(3 * 3_600 + 120)).toBe("3 h 2 min");
});

it("money and counts are short, and little is not nothing", () => {
  expect([0, 1, 3_000_000, 9_999_999, 10_000_000, 2_700_000_000, 123_456_000_000].map(dollars)).toEqual(["$0", "<$0.001", "$0.003", "$0.010", "$0.01", "$2.70", "$123.46"]);
  expect([0, 999, 1_000, 12_449, 999_499, 999_500, 3_140_000].map(count)).toEqual(["0", "999", "1k", "12.4k", "999k", "1M", "3.1M"]);
});
