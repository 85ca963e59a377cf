// The front page: one sentence, one button, the product, and how many use it now.
import { ButtonLink } from "@matrixos/look/Button.tsx";
import { ArrowRight } from "lucide-react";
import { doorOf } from "../../platform/places.ts";
import { Frame } from "../../ui/Frame.tsx";
import { type Visitor, useMe } from "../../ui/useMe.ts";
import { useTitle } from "../../ui/useTitle.ts";
import { Features } from "./Features.tsx";
import { LiveCounter } from "./LiveCounter.tsx";
import { Showcase } from "./Showcase.tsx";
import { Steps } from "./Steps.tsx";
import styles from "./landing.module.css";

export function Landing() {
  useTitle("A computer of your own");
  const visitor = useMe();
  return (
    <Frame visitor={visitor}>
      <div className={styles.page}>
        <section className={styles.hero}>
          <h1>A computer of your own, at an address of your own.</h1>
          <p>A real Linux computer with a desktop, and an AI that builds what you ask for. Open in any browser within seconds.</p>
          <TheButton visitor={visitor} />
        </section>
        <section aria-label="The desktop">
          <Showcase />
          <LiveCounter />
        </section>
        <Features />
        <Steps />
      </div>
    </Frame>
  );
}

function TheButton({ visitor }: { visitor: Visitor }) {
  const member = visitor.is === "member";
  return (
    <ButtonLink kind="primary" size="large" href={member ? doorOf(visitor.me.handle) : "/signup"} data-testid={member ? "open-computer" : "get-started"}>
      {member ? "Open my computer" : "Get your computer"}
      <ArrowRight size={20} strokeWidth={1.5} aria-hidden />
    </ButtonLink>
  );
}
