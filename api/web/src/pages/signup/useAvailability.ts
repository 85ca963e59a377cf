// What is known about the handle in the field.
import { useCallback, useEffect, useRef, useState } from "react";
import { handleAnswer } from "../../platform/api.ts";
import { type Availability, AvailabilityWatch } from "../../platform/availability.ts";

export function useAvailability() {
  const [availability, setAvailability] = useState<Availability>({ is: "empty" });
  const watch = useRef<AvailabilityWatch>(undefined);
  useEffect(() => {
    const mine = (watch.current = new AvailabilityWatch(handleAnswer, setAvailability));
    return () => mine.stop();
  }, []);
  const typed = useCallback((text: string) => watch.current?.typed(text), []);
  /** The platform has decided about this handle itself. */
  const refused = useCallback((why: string, suggestions: readonly string[]) => {
    watch.current?.stop();
    setAvailability({ is: "refused", why, suggestions });
  }, []);
  return { availability, typed, refused };
}
