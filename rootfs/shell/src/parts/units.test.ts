import { expect, it } from "vitest";
import { bytes, duration } from "./units.ts";

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
