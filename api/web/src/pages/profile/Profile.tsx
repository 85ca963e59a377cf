// What a stranger sees who opens somebody's computer: whose it is, since when, and what they say about themselves.
import { ButtonLink } from "@matrixos/look/Button.tsx";
import { doorOf } from "../../platform/places.ts";
import type { Profile as Known } from "../../platform/wire.ts";
import { day, paragraphs } from "../../platform/words.ts";
import { Avatar } from "../../ui/Avatar.tsx";
import { Frame } from "../../ui/Frame.tsx";
import { Notice } from "../../ui/Notice.tsx";
import { type Visitor, useMe } from "../../ui/useMe.ts";
import { useTitle } from "../../ui/useTitle.ts";
import { MissingText } from "../missing/Missing.tsx";
import styles from "./profile.module.css";
import { useProfile } from "./useProfile.ts";

export function Profile({ handle }: { handle: string }) {
  useTitle(`@${handle}`);
  const visitor = useMe();
  const found = useProfile(handle);
  return (
    <Frame visitor={visitor} width="narrow">
      {found.is === "missing" && <MissingText title={`Nobody is called @${handle}`} text="The handle may have been typed wrongly. Handles are lower-case." />}
      {found.is === "unknown" && <Notice text={found.why} />}
      {(found.is === "asking" || found.is === "found") && <Card handle={handle} profile={found.is === "found" ? found.profile : undefined} visitor={visitor} />}
    </Frame>
  );
}

function Card({ handle, profile, visitor }: { handle: string; profile?: Known; visitor: Visitor }) {
  return (
    <article className={styles.card} aria-busy={profile === undefined}>
      <Avatar handle={handle} size={88} />
      <h1>@{handle}</h1>
      <p className={styles.belongs}>This computer belongs to @{handle}.</p>
      <p className={styles.since}>{profile ? `Here since ${day(profile.since)}` : "\u00a0"}</p>
      {profile?.about && <About text={profile.about} />}
      {profile && <Door handle={handle} visitor={visitor} />}
    </article>
  );
}

function About({ text }: { text: string }) {
  return (
    <section className={styles.about} aria-label="About" data-testid="about">
      {paragraphs(text).map((paragraph, place) => (
        <p key={place} dir="auto">
          {paragraph}
        </p>
      ))}
    </section>
  );
}

function Door({ handle, visitor }: { handle: string; visitor: Visitor }) {
  if (visitor.is === "asking") return null;
  if (visitor.is === "member" && visitor.me.handle === handle) {
    return (
      <ButtonLink kind="primary" href={doorOf(handle)} data-testid="open-computer">
        Open my computer
      </ButtonLink>
    );
  }
  return <ButtonLink href={`/login?to=${handle}`}>It is mine: sign in</ButtonLink>;
}
