// The AI: which model, when it asks first, and how long it may take.
import { agent, saveAgent, type AgentSettings, type Approval } from "../../../gateway/settings.ts";
import { Choice, SelectField, TextField } from "../../../parts/form/Field.tsx";
import type { Source } from "../../../parts/form/useDraft.ts";
import { DraftForm } from "../DraftForm.tsx";
import { wrongModel, wrongNumber } from "../checks.ts";
import styles from "../settings.module.css";

const SOURCE: Source<AgentSettings> = { name: "settings/agent", load: agent, save: saveAgent, files: ["system/config.json"] };

const MODELS = [
  { id: "claude-haiku-5-5", name: "Haiku 5.5: quick, costs the least" },
  { id: "claude-sonnet-5-5", name: "Sonnet 5.5: good at building, the usual one" },
  { id: "claude-opus-5-5", name: "Opus 5.5: the most thorough, costs the most" },
];
const OTHER = "other";

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
          <Model model={value.model} onModel={(model) => change({ ...value, model })} />
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

function Model({ model, onModel }: { model: string; onModel: (model: string) => void }) {
  const known = MODELS.some(({ id }) => id === model);
  return (
    <>
      <SelectField label="Model" hint="It answers from the next message on." value={known ? model : OTHER} onChoice={(id) => onModel(id === OTHER ? "" : id)}>
        {MODELS.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        <option value={OTHER}>Another model</option>
      </SelectField>
      {!known && (
        <TextField label="Name of the model" hint="As the provider spells it, for example claude-opus-5." spellCheck={false} autoCapitalize="off" value={model} wrong={model ? wrongModel(model) : undefined} onText={onModel} />
      )}
    </>
  );
}
