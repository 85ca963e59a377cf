// One's own account: the computer, its AI, the ways in, where one is signed in, what happened, and the way out.
import { Button } from "@matrixos/look/Button.tsx";
import { useEffect, useState } from "react";
import { doorOf, inviteIn } from "../../platform/places.ts";
import type { Me } from "../../platform/wire.ts";
import { Frame } from "../../ui/Frame.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { ProofProvider } from "../../ui/Proof.tsx";
import { Waiting } from "../../ui/States.tsx";
import { type Visitor, useMe } from "../../ui/useMe.ts";
import { useTitle } from "../../ui/useTitle.ts";
import { AccountCard } from "./AccountCard.tsx";
import { Ai } from "./Ai.tsx";
import { Activity } from "./Activity.tsx";
import { Everything } from "./Everything.tsx";
import { Deleting } from "./Deleting.tsx";
import { DeleteAccount } from "./DeleteAccount.tsx";
import { Invitation } from "./Invitation.tsx";
import { Sessions } from "./Sessions.tsx";
import { WaysIn } from "./WaysIn.tsx";
import styles from "./account.module.css";

export function Account() {
  useTitle("My account");
  const visitor = useMe();
  const stranger = visitor.is === "stranger";
  // An invitation is kept on the way: it is used after signing in.
  useEffect(() => {
    if (stranger) location.replace(inviteIn(location.hash) ? `/login${location.hash}` : "/login");
  }, [stranger]);
  return (
    <Frame visitor={visitor} width="page">
      <Body visitor={visitor} />
    </Frame>
  );
}

function Body({ visitor }: { visitor: Visitor }) {
  switch (visitor.is) {
    case "member":
      return (
        <ProofProvider>
          <Member was={visitor.me} />
        </ProofProvider>
      );
    case "unknown":
      return (
        <Notice text={visitor.why}>
          <Button onClick={() => location.reload()} data-testid="load-again">
            Try again
          </Button>
        </Notice>
      );
    default:
      return <Waiting />;
  }
}

function Member({ was }: { was: Me }) {
  const [me, setMe] = useState(was);
  // Whatever is changed here may show in the other parts, so all of them look again.
  const [version, setVersion] = useState(0);
  const changed = () => setVersion((n) => n + 1);
  const deletion = (at: number | null) => {
    setMe({ ...me, deletion: at });
    changed();
  };
  return (
    <div className={styles.page}>
      {me.deletion !== null && <Deleting at={me.deletion} kept={() => location.replace(doorOf(me.handle))} />}
      <AccountCard key={String(me.deletion)} me={me} />
      <Invitation claimed={() => setMe({ ...me, admin: true })} />
      <Ai handle={me.handle} version={version} changed={changed} />
      <WaysIn handle={me.handle} version={version} changed={changed} />
      <Sessions version={version} changed={changed} />
      <Activity version={version} />
      <Everything />
      {me.deletion === null && <DeleteAccount handle={me.handle} requested={deletion} />}
    </div>
  );
}
