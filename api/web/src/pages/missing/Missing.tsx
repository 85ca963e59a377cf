// Nothing lives at this address.
import { ButtonLink } from "@matrixos/look/Button.tsx";
import { Frame } from "../../ui/Frame.tsx";
import { useTitle } from "../../ui/useTitle.ts";
import styles from "./missing.module.css";

export function Missing() {
  useTitle("Nothing here");
  return (
    <Frame width="narrow">
      <MissingText title="There is nothing here" text="The address may have been typed wrongly, or what was here is gone." />
    </Frame>
  );
}

export function MissingText({ title, text }: { title: string; text: string }) {
  return (
    <div className={styles.missing}>
      <p className={styles.code}>404</p>
      <h1>{title}</h1>
      <p>{text}</p>
      <ButtonLink href="/">To the front page</ButtonLink>
    </div>
  );
}
