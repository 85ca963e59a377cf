// What to do about each way in which a turn or a message can fail. The computer's own words say what happened.

export interface Advice {
  title: string;
  todo: string;
  /** Saying the same again may help. */
  again: boolean;
}

const ADVICE: Record<string, Advice> = {
  no_key: { title: "Your AI has no key yet", todo: "Everything else works. On your own server: set ANTHROPIC_API_KEY and start the computer again.", again: true },
  key_refused: { title: "The key is not accepted", todo: "Ask whoever runs this server for a new one, or set another key.", again: true },
  no_budget: { title: "The budget is used up", todo: "Your AI answers again when there is new budget. Files, apps and terminal work as before.", again: true },
  busy: { title: "The model is busy", todo: "Wait a minute, then try again.", again: true },
  offline: { title: "The model cannot be reached", todo: "Your message is kept. Try again when the connection is back.", again: true },
  upstream: { title: "The answer broke off", todo: "What was said until then is kept. Try again.", again: true },
  refused: { title: "The model refused", todo: "Say it in another way, or begin a new conversation.", again: false },
  deadline: { title: "That took too long", todo: "What was done until then is kept. Ask for a smaller step, or say “go on”.", again: false },
  queue_full: { title: "Too many messages wait", todo: "Wait for an answer, or stop what runs. Then try again.", again: true },
  bad_message: { title: "That message cannot be sent", todo: "Make it shorter: at most 100,000 characters.", again: false },
  bad_session: { title: "This conversation is not there", todo: "It may have been deleted. Begin a new one.", again: false },
  read_only: { title: "Only to read", todo: "A visitor holds this conversation with your AI. Begin one of your own.", again: false },
  too_often: { title: "Too many messages", todo: "Wait a while, then try again.", again: true },
  answering: { title: "This is being answered", todo: "Its answer appears here.", again: false },
  disk_full: { title: "The disk is full", todo: "Delete something in Files, then try again.", again: true },
  internal: { title: "Something went wrong on your computer", todo: "Try again.", again: true },
};

export const CODES = Object.keys(ADVICE);

export function adviceOn(code: string): Advice {
  return ADVICE[code] ?? { title: "That did not work", todo: "Try again.", again: true };
}
