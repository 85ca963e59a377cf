// When a job runs, chosen without knowing cron; whoever knows it can write it.
import { openWindow } from "../../desktop/open.ts";
import { SelectField, TextField } from "../../parts/form/Field.tsx";
import { WEEKDAYS, type Unit, type When } from "./schedule.ts";
import styles from "./jobs.module.css";

interface Props {
  when: When;
  wrong: string | undefined;
  /** The owner's time zone, once it is known. */
  zone: string;
  onWhen: (when: When) => void;
}

const KINDS: Record<When["kind"], string> = {
  every: "Every so often",
  daily: "Every day",
  weekly: "On some days of the week",
  once: "Once",
  expression: "By a cron expression",
};

export function WhenFields(props: Props) {
  const { when, onWhen } = props;
  return (
    <div className={styles.whenFields}>
      <SelectField label="When" value={when.kind} onChoice={(kind) => onWhen({ ...when, kind: kind as When["kind"] })}>
        {Object.entries(KINDS).map(([kind, name]) => (
          <option key={kind} value={kind}>
            {name}
          </option>
        ))}
      </SelectField>
      <Details {...props} />
    </div>
  );
}

function Details({ when, wrong, zone, onWhen }: Props) {
  const set = (change: Partial<When>) => onWhen({ ...when, ...change });
  const clock = zone && <ByClock zone={zone} />;
  switch (when.kind) {
    case "every":
      return (
        <div className={styles.every}>
          <TextField label="Every" type="number" inputMode="numeric" min={1} value={when.every} wrong={wrong} onText={(every) => set({ every })} />
          <SelectField label="Unit" value={when.unit} onChoice={(unit) => set({ unit: unit as Unit })}>
            <option value="minutes">minutes</option>
            <option value="hours">hours</option>
            <option value="days">days</option>
          </SelectField>
        </div>
      );
    case "daily":
      return <TextField label="At" type="time" value={when.time} hint={clock} wrong={wrong} onText={(time) => set({ time })} />;
    case "weekly":
      return (
        <>
          <Days days={when.weekdays} onDays={(weekdays) => set({ weekdays })} />
          <TextField label="At" type="time" value={when.time} hint={clock} wrong={wrong} onText={(time) => set({ time })} />
        </>
      );
    case "once":
      return <TextField label="At" type="datetime-local" value={when.at} hint="By the clock of this device." wrong={wrong} onText={(at) => set({ at })} />;
    case "expression":
      return <TextField label="Expression" spellCheck={false} autoCapitalize="off" value={when.expression} hint={<>Minute, hour, day, month, weekday. {clock}</>} wrong={wrong} onText={(expression) => set({ expression })} />;
  }
}

function ByClock({ zone }: { zone: string }) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <>
      By the clock of {zone}
      {zone === here ? "." : ", which is not that of this device. "}
      {zone !== here && (
        <button type="button" data-inline className={styles.inline} onClick={() => openWindow("settings", "profile")}>
          Change it in the profile
        </button>
      )}
    </>
  );
}

/** Monday first. */
const ORDER = [1, 2, 3, 4, 5, 6, 0];

function Days({ days, onDays }: { days: number[]; onDays: (days: number[]) => void }) {
  return (
    <fieldset className={styles.days}>
      <legend>On</legend>
      {ORDER.map((day) => (
        <label key={day} className={styles.day}>
          <input type="checkbox" checked={days.includes(day)} aria-label={WEEKDAYS[day]} onChange={(event) => onDays(event.target.checked ? [...days, day] : days.filter((one) => one !== day))} />
          <span aria-hidden="true">{WEEKDAYS[day]?.slice(0, 2)}</span>
        </label>
      ))}
    </fieldset>
  );
}
