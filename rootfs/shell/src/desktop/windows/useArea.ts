// The size of the ground on which windows lie.
import { useLayoutEffect, useState, type RefObject } from "react";
import type { Area } from "./geometry.ts";

export function useArea(ground: RefObject<HTMLElement | null>): Area {
  const [area, setArea] = useState<Area>({ width: 1024, height: 640 });
  useLayoutEffect(() => {
    const element = ground.current;
    if (!element) return;
    const measure = () => setArea({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ground]);
  return area;
}
