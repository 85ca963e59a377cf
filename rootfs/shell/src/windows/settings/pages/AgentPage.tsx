// The AI: which model, when it asks first, and how long it may take.
import { agent, saveAgent, type AgentSettings, type Approval } from "../../../gateway/settings.ts";
import { Choice, TextField } from "../../../parts/form/Field.tsx";
import type { Source } from "../../../parts/form/useDraft.ts";
import { DraftForm } from "../DraftForm.tsx";
import { wrongModel, wrongNumber } from "../checks.ts";
import styles from "../settings.module.css";
import { ModelFields } from "./ModelFields.tsx";

const SOURCE: Source<AgentSettings> = { name: "settings/agent", load: agent, save: saveAgent, files: ["system/config.json"] };

const APPROVALS: { value: Approval; name: string; hint: string }[] = [
  { value: "outside", name: "When others may have had a say", hint: "Once the conversation holds a web page, or a file that somebody else may have written, it asks before it does what reaches far." },
  { value: "always", name: "Always", hint: "It asks before each command, job, memory, and page it fetches." },
  { value: "never", name: "Never", hint: "It does what it thinks right. A page or a file that it reads could then talk it into things." },
];

const wrong = ({ model, turnSeconds, steps }: AgentSettings) => Boolean(wrongModel(model) ?? wrongNumber(turnSeconds, 10, 3_600) ?? wrongNumber(steps, 1, 200));

export function AgentPage() {
  return (
    <DraftForm source={SOURCE} what="the settings of your AI" wrong={wrong}>
      {({ value, change }) => (
        <>
          <ModelFields model={value.model} onModel={(model) => change({ ...value, model })} />
          <Choice label="It asks you first" options={APPROVALS} value={value.approval} onChange={(approval) => change({ ...value, approval })} />
          <div className={styles.pair}>
            <TextField
              label="Longest turn, in seconds"
              hint="10 to 3,600. A turn that takes longer is ended, with a note."
              type="number"
              inputMode="numeric"
              value={Number.isNaN(value.turnSeconds) ? "" : value.turnSeconds}
              wrong={wrongNumber(value.turnSeconds, 10, 3_600)}
              onText={(text) => change({ ...value, turnSeconds: text === "" ? Number.NaN : Number(text) })}
            />
            <TextField
              label="Most steps in a turn"
              hint="1 to 200. Each step is one call of the model, and costs."
              type="number"
              inputMode="numeric"
              value={Number.isNaN(value.steps) ? "" : value.steps}
              wrong={wrongNumber(value.steps, 1, 200)}
              onText={(text) => change({ ...value, steps: text === "" ? Number.NaN : Number(text) })}
            />
          </div>
        </>
      )}
    </DraftForm>
  );
}
