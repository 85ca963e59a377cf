// Activity: every turn of the AI, whoever began it: what it used, what it took, how it ended.
import { History, MessageCircle } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import { openWindow } from "../../desktop/open.ts";
import { messageOf } from "../../gateway/http.ts";
import { onEvent } from "../../gateway/live.ts";
import { logs, tokensOf, type Turn } from "../../gateway/usage.ts";
import { Empty, Failed, Loading } from "../../parts/States.tsx";
import { count, dollars } from "../../parts/units.ts";
import { resultOf, sourceOf, took, toolsOf } from "./words.ts";
import styles from "./activity.module.css";

const STEP = 100;
const MOST = 1_000;

export default function ActivityWindow({ visible }: { visible: boolean }) {
  const [limit, setLimit] = useState(STEP);
  const { turns, problem, again } = useTurns(limit, visible);
  if (!turns) return problem ? <Failed message={problem} onRetry={again} /> : <Loading what="the activity" />;
  if (turns.length === 0) return <Empty icon={<History aria-hidden="true" />} title="Your AI has done nothing yet." text="Each of its turns is listed here: who asked, what it used, what it cost." />;
  return (
    <div className={styles.activity}>
      {problem && (
        <p className={styles.problem} role="status">
          This list may be old. {problem}
        </p>
      )}
      <table className={styles.table}>
        <caption className="unseen">Turns of the AI, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Asked by</th>
            <th scope="col">Tools</th>
            <th scope="col" className={styles.figure}>
              Tokens
            </th>
            <th scope="col" className={styles.figure}>
              Cost
            </th>
            <th scope="col" className={styles.figure}>
              Took
            </th>
            <th scope="col">Result</th>
            <th scope="col">
              <span className="unseen">Conversation</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {turns.map((turn) => (
            <Row key={`${turn.at} ${turn.sessionId}`} turn={turn} />
          ))}
        </tbody>
      </table>
      {turns.length === limit && limit < MOST && (
        <p className={styles.more}>
          <Button onClick={() => setLimit(Math.min(MOST, limit * 3))}>Show earlier ones</Button>
        </p>
      )}
    </div>
  );
}

const moment = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

function Row({ turn }: { turn: Turn }) {
  const result = resultOf(turn.result);
  const tokens = tokensOf(turn.usage);
  const { input, output, cacheRead, cacheWrite } = turn.usage;
  return (
    <tr data-testid="turn">
      <td className={styles.when}>
        <time dateTime={new Date(turn.at).toISOString()}>{moment.format(turn.at)}</time>
        <small>{turn.model}</small>
      </td>
      <td className={styles.source}>{sourceOf(turn.source)}</td>
      <td className={styles.tools}>
        {toolsOf(turn.tools).map(({ name, times }) => (
          <span key={name} className={styles.chip}>
            {name}
            {times > 1 && ` ×${times}`}
          </span>
        ))}
      </td>
      <td className={styles.figure} title={`${input} read, ${output} written, ${cacheRead} from the cache, ${cacheWrite} into it`}>
        {count(tokens)} <span className={styles.unit}>tokens</span>
      </td>
      <td className={styles.figure}>{turn.costNanos === undefined ? "–" : dollars(turn.costNanos)}</td>
      <td className={styles.figure}>{took(turn.took)}</td>
      <td className={styles.result} data-tone={result.tone}>
        <i aria-hidden="true" />
        {result.name}
      </td>
      <td className={styles.open}>
        {turn.sessionId && (
          <IconButton label={`Open the conversation of ${moment.format(turn.at)}`} onClick={() => openWindow("chat", turn.sessionId)}>
            <MessageCircle aria-hidden="true" />
          </IconButton>
        )}
      </td>
    </tr>
  );
}

function useTurns(limit: number, visible: boolean): { turns?: Turn[]; problem?: string | undefined; again: () => void } {
  const [state, setState] = useState<{ turns?: Turn[]; problem?: string | undefined }>({});
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => {
    if (!visible) return;
    const stop = new AbortController();
    logs(limit, stop.signal).then(
      (turns) => setState({ turns }),
      (error) => stop.signal.aborted || setState((last) => ({ ...last, problem: messageOf(error) })),
    );
    return () => stop.abort();
  }, [limit, visible, round]);
  useEffect(
    () =>
      onEvent((event) => {
        if (event.type === "kernel:result" || event.type === "resync" || (event.type === "kernel:error" && event.turnId)) again();
      }),
    [again],
  );
  return { ...state, again };
}
