// Some acts need a proof that it is really you, made within the last minutes. The platform decides when; this repeats
// the act once the proof was given.
import { codeOf } from "./problem.ts";

/** Asks the person for the proof; rejects with `aborted` when they would rather not. */
export type Ask = () => Promise<void>;

/** Does `act`; if the platform wants a proof first, asks for it and does `act` once more. */
export async function withProof<T>(ask: Ask, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (codeOf(error) !== "verify_first") throw error;
  }
  await ask();
  return act();
}
