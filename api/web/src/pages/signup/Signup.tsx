// Sign-up: three small questions on one page, then the start of the computer.
import { useState } from "react";
import type { Arrival } from "../../platform/wire.ts";
import { Frame } from "../../ui/Frame.tsx";
import { useMe } from "../../ui/useMe.ts";
import { useTitle } from "../../ui/useTitle.ts";
import { AlreadyHere } from "./AlreadyHere.tsx";
import { Arriving } from "./Arriving.tsx";
import { Questions } from "./Questions.tsx";

export function Signup() {
  useTitle("Create your computer");
  const visitor = useMe();
  const [arrival, setArrival] = useState<Arrival>();
  return (
    <Frame visitor={arrival ? undefined : visitor} narrow>
      {arrival ? <Arriving handle={arrival.handle} /> : visitor.is === "member" ? <AlreadyHere handle={visitor.me.handle} /> : <Questions arrived={setArrival} />}
    </Frame>
  );
}
