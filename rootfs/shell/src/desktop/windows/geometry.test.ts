import { describe, expect, it } from "vitest";
import { SMALLEST, SNAPS, cascade, freed, inside, moved, resized, snapAt, snapRect, type Edge, type Rect } from "./geometry.ts";

const area = { width: 1440, height: 800 };
const small = { width: 300, height: 180 };

const within = (rect: Rect, { width, height }: typeof area) =>
  rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= width && rect.y + rect.height <= height;

describe("snapping", () => {
  it("knows halves by the sides, quarters by the corners, the whole by the top", () => {
    expect(snapAt(5, 400, area)).toBe("left");
    expect(snapAt(1438, 400, area)).toBe("right");
    expect(snapAt(700, 2, area)).toBe("full");
    expect(snapAt(3, 3, area)).toBe("top-left");
    expect(snapAt(1400, 3, area)).toBe("top-right");
    expect(snapAt(3, 790, area)).toBe("bottom-left");
    expect(snapAt(1438, 790, area)).toBe("bottom-right");
    expect(snapAt(700, 400, area)).toBeUndefined();
    expect(snapAt(700, 799, area)).toBeUndefined();
  });

  it("never leaves the area, and halves and quarters never overlap", () => {
    for (const snap of SNAPS) expect(within(snapRect(snap, area), area), snap).toBe(true);
    const left = snapRect("left", area);
    const right = snapRect("right", area);
    expect(left.x + left.width).toBeLessThan(right.x);
    const above = snapRect("top-left", area);
    const below = snapRect("bottom-left", area);
    expect(above.y + above.height).toBeLessThan(below.y);
  });

  it("comes loose under the pointer, at its own size", () => {
    const loose = freed({ x: 0, y: 0, width: 600, height: 400 }, snapRect("full", area), 1080);
    expect(loose).toMatchObject({ width: 600, height: 400, x: 1080 - 450 });
  });
});

describe("a window's place", () => {
  it("is always inside the area, however small that has become", () => {
    for (const ground of [area, small]) {
      for (const rect of [{ x: -900, y: 4000, width: 760, height: 480 }, { x: 0, y: 0, width: 5000, height: 5000 }]) {
        expect(within(inside(rect, ground), ground)).toBe(true);
      }
      for (let n = 0; n < 20; n++) expect(within(cascade({ width: 760, height: 480 }, n, ground), ground)).toBe(true);
    }
  });

  it("keeps the title bar within reach when dragged far out", () => {
    const rect = { x: 100, y: 100, width: 600, height: 400 };
    expect(moved(rect, -9999, -9999, area)).toMatchObject({ x: 96 - 600, y: 0 });
    expect(moved(rect, 9999, 9999, area)).toMatchObject({ x: 1440 - 96, y: 760 });
  });

  it("keeps the opposite edge still when resized, down to the smallest size", () => {
    const rect = { x: 200, y: 100, width: 600, height: 400 };
    for (const edge of ["n", "s", "e", "w", "ne", "nw", "se", "sw"] as Edge[]) {
      const next = resized(rect, edge, 9999 * (edge.includes("w") ? 1 : -1), 9999 * (edge.includes("n") ? 1 : -1));
      if (edge.includes("w")) expect(next.x + next.width).toBe(800);
      if (edge.includes("e")) expect(next.x).toBe(200);
      if (edge.includes("n")) expect(next.y + next.height).toBe(500);
      if (/[ew]/.test(edge)) expect(next.width).toBe(SMALLEST.width);
      if (/[ns]/.test(edge)) expect(next.height).toBe(SMALLEST.height);
    }
  });
});
