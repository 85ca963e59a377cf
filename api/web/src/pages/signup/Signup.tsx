// Sign-up: three small questions on one page, the recovery codes if there are any, then the start of the computer.
import { useState } from "react";
import { Frame } from "../../ui/Frame.tsx";
import { useMe } from "../../ui/useMe.ts";
import { useTitle } from "../../ui/useTitle.ts";
import { AlreadyHere } from "./AlreadyHere.tsx";
import { Arriving } from "./Arriving.tsx";
import { KeepCodes } from "./KeepCodes.tsx";
import { Questions } from "./Questions.tsx";
import type { Joined } from "./useSignup.ts";

export function Signup() {
  useTitle("Create your computer");
  const visitor = useMe();
  const [joined, setJoined] = useState<Joined>();
  if (joined) {
    return (
      <Frame width="narrow">
        {joined.recoveryCodes ? <KeepCodes handle={joined.handle} codes={joined.recoveryCodes} done={() => setJoined({ ...joined, recoveryCodes: undefined })} /> : <Arriving handle={joined.handle} />}
      </Frame>
    );
  }
  return (
    <Frame visitor={visitor} width="narrow">
      {visitor.is === "member" ? <AlreadyHere handle={visitor.me.handle} /> : <Questions arrived={setJoined} />}
    </Frame>
  );
}
