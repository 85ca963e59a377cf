// Which model answers: one of those that the provider names, or any other by its name, also while nobody can say which there are.
import { useState } from "react";
import { Button } from "@matrixos/look/Button.tsx";
import { SelectField, TextField } from "../../../parts/form/Field.tsx";
import { wrongModel } from "../checks.ts";
import { labelOf, useModels } from "../models.ts";
import styles from "../settings.module.css";

const OTHER = "other";

interface Props {
  model: string;
  onModel: (model: string) => void;
}

export function ModelFields({ model, onModel }: Props) {
  const [listed, again] = useModels();
  const [typing, setTyping] = useState(false);
  if (listed.at === "unknown") {
    return (
      <div className={styles.unknown}>
        <Name label="Model" hint={`Which models there are is not known right now, so type the name. ${listed.why}`} model={model} onModel={onModel} />
        <Button onClick={again}>Ask again</Button>
      </div>
    );
  }
  const models = listed.at === "known" ? listed.models : [];
  const strange = model !== "" && !models.some(({ id }) => id === model);
  const other = typing || model === "";
  const choose = (id: string) => {
    setTyping(id === OTHER);
    if (id !== OTHER) onModel(id);
  };
  return (
    <>
      <SelectField label="Model" hint={listed.at === "loading" ? "Asking which models there are." : "It answers from the next message on."} value={other ? OTHER : model} onChoice={choose}>
        {models.map((one) => (
          <option key={one.id} value={one.id}>
            {labelOf(one)}
          </option>
        ))}
        {strange && !typing && <option value={model}>{listed.at === "loading" ? labelOf({ id: model, name: model }) : `${model}: not among those that the provider names`}</option>}
        <option value={OTHER}>Another model</option>
      </SelectField>
      {other && <Name label="Name of the model" hint="As the provider spells it, for example claude-opus-5." model={model} onModel={onModel} />}
    </>
  );
}

function Name({ label, hint, model, onModel }: Props & { label: string; hint: string }) {
  return <TextField label={label} hint={hint} spellCheck={false} autoCapitalize="off" value={model} wrong={model ? wrongModel(model) : undefined} onText={onModel} />;
}
