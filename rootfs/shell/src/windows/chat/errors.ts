// A heading for each way in which a turn or a message can fail. The computer's own words say what happened and mostly what to do;
// `todo` is there where they do not.

export interface Advice {
  title: string;
  todo?: string;
  /** Saying the same again may help. */
  again: boolean;
}

const ADVICE: Record<string, Advice> = {
  no_key: { title: "Your AI has no key yet", todo: "Files, apps and terminal work without it.", again: true },
  key_refused: { title: "The key is not accepted", again: true },
  no_budget: { title: "The budget is used up", todo: "Your AI answers again when there is new budget.", again: true },
  busy: { title: "The model is busy", again: true },
  offline: { title: "The model cannot be reached", again: true },
  upstream: { title: "The answer broke off", todo: "Try again.", again: true },
  refused: { title: "The model refused", todo: "Say it in another way, or begin a new conversation.", again: false },
  deadline: { title: "That took too long", todo: "Ask for a smaller step, or say “go on”.", again: false },
  queue_full: { title: "Too many messages wait", again: true },
  bad_message: { title: "That message cannot be sent", todo: "Make it shorter, or put it into a file and name the file.", again: false },
  bad_session: { title: "This conversation is not there", todo: "It may have been deleted. Begin a new one.", again: false },
  read_only: { title: "Only to read", todo: "Begin a conversation of your own.", again: false },
  too_often: { title: "Too many messages", again: true },
  answering: { title: "This is being answered", todo: "Its answer appears here.", again: false },
  disk_full: { title: "The disk is full", again: true },
  interrupted: { title: "Your computer was switched off", again: true },
  internal: { title: "Something went wrong on your computer", todo: "Try again.", again: true },
};

export const CODES = Object.keys(ADVICE);

export function adviceOn(code: string): Advice {
  return ADVICE[code] ?? { title: "That did not work", todo: "Try again.", again: true };
}
