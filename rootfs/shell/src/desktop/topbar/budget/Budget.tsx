// What is left for the AI, in the bar; by a press, how it went from day to day.
import { Sparkles } from "lucide-react";
import { Popover } from "radix-ui";
import { Button, ButtonLink } from "@matrixos/look/Button.tsx";
import type { Usage } from "../../../gateway/usage.ts";
import { tokensOf } from "../../../gateway/usage.ts";
import { count, dollars } from "../../../parts/units.ts";
import { useOnPlatform } from "../../place.ts";
import { openWindow } from "../../open.ts";
import { useUsage } from "./useUsage.ts";
import { badgeOf, columns, today } from "./words.ts";
import styles from "./budget.module.css";

export function Budget() {
  const { usage, hasAi, problem, again } = useUsage();
  const badge = badgeOf(usage, hasAi, new Date());
  const onPlatform = useOnPlatform();
  if (!badge) return null;
  return (
    <Popover.Root onOpenChange={(open) => open && again()}>
      <Popover.Trigger className={styles.badge} data-tone={badge.tone} aria-label={badge.label} data-testid="budget">
        <Sparkles aria-hidden="true" />
        {badge.text}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className={styles.popover} align="end" sideOffset={8} collisionPadding={8} aria-label="What the AI takes" data-testid="budget-details">
          {hasAi ? usage && <Facts usage={usage} onPlatform={onPlatform} /> : <NoKey onPlatform={onPlatform} />}
          {problem && (
            <p className={styles.problem} role="status">
              These figures may be old. {problem}
            </p>
          )}
          <div className={styles.acts}>
            <Popover.Close asChild>
              <Button className={styles.act} onClick={() => openWindow("activity")}>
                Every turn
              </Button>
            </Popover.Close>
            <Popover.Close asChild>
              <Button className={styles.act} onClick={() => openWindow("settings", "ai")}>
                AI settings
              </Button>
            </Popover.Close>
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Facts({ usage, onPlatform }: { usage: Usage; onPlatform: boolean }) {
  const { budget } = usage;
  const now = today(usage, new Date());
  const part = budget && budget.quota_nanos > 0 ? Math.min(1, budget.remaining_nanos / budget.quota_nanos) : 0;
  return (
    <>
      {budget && (
        <div className={styles.left}>
          <p>
            <strong>{budget.text}</strong> of {dollars(budget.quota_nanos)} left
          </p>
          <div className={styles.track} role="meter" aria-label="AI budget that is left" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(part * 100)}>
            <div className={styles.fill} data-low={part <= 0.1} style={{ transform: `scaleX(${part})` }} />
          </div>
          {budget.remaining_nanos === 0 && (
            <p className={styles.hint}>The budget is used up, so the AI waits. Everything else works. {onPlatform && "A key of your own can be set on your account page."}</p>
          )}
          {budget.remaining_nanos === 0 && onPlatform && <AccountLink />}
        </div>
      )}
      <dl className={styles.facts}>
        <dt>Today</dt>
        <dd>{now ? `${now.turns} ${now.turns === 1 ? "turn" : "turns"}, ${count(tokensOf(now.usage))} tokens${now.costNanos ? `, ${dollars(now.costNanos)}` : ""}` : "no turns yet"}</dd>
      </dl>
      <Chart usage={usage} />
    </>
  );
}

function Chart({ usage }: { usage: Usage }) {
  const days = columns(usage, new Date());
  if (days.every(({ turns }) => turns === 0)) return null;
  return (
    <figure className={styles.chart}>
      <ul>
        {days.map(({ day, turns, costNanos, part }) => {
          const words = `${name.format(new Date(`${day}T00:00:00Z`))}: ${turns} ${turns === 1 ? "turn" : "turns"}${costNanos ? `, ${dollars(costNanos)}` : ""}`;
          return (
            <li key={day} title={words}>
              <span className="unseen">{words}</span>
              <i style={{ transform: `scaleY(${part})` }} data-none={turns === 0} />
            </li>
          );
        })}
      </ul>
      <figcaption>The last 14 days</figcaption>
    </figure>
  );
}

const name = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

function NoKey({ onPlatform }: { onPlatform: boolean }) {
  return (
    <>
      <p className={styles.title}>The AI has no key.</p>
      <p className={styles.hint}>
        {onPlatform
          ? "This computer was given none, so the AI cannot answer. Set a key of your own on your account page, or ask whoever runs this platform. Everything else works."
          : "Set ANTHROPIC_API_KEY where this computer was installed, and start it again. Everything else works without."}
      </p>
      {onPlatform && <AccountLink />}
    </>
  );
}

const AccountLink = () => (
  <ButtonLink className={styles.act} href="/.matrixos/account" target="_blank" rel="noopener">
    Open my account
  </ButtonLink>
);
