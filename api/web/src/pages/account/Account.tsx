// One's own account: the handle, the computer and its state, the way in and the way out.
import { useEffect } from "react";
import { Frame } from "../../ui/Frame.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { type Visitor, useMe } from "../../ui/useMe.ts";
import { useTitle } from "../../ui/useTitle.ts";
import { AccountCard } from "./AccountCard.tsx";

export function Account() {
  useTitle("My account");
  const visitor = useMe();
  const stranger = visitor.is === "stranger";
  useEffect(() => {
    if (stranger) location.replace("/login");
  }, [stranger]);
  return (
    <Frame visitor={visitor} narrow>
      <Body visitor={visitor} />
    </Frame>
  );
}

function Body({ visitor }: { visitor: Visitor }) {
  switch (visitor.is) {
    case "member":
      return <AccountCard me={visitor.me} />;
    case "unknown":
      return <Notice text={visitor.why} />;
    default:
      return <p role="status">One moment…</p>;
  }
}
