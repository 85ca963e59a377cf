// Scheduled jobs: what the AI does by itself at its time, when it runs next, and the way to a new one.
import { CalendarClock, MessageCircle, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@matrixos/look/Button.tsx";
import { openWindow } from "../../desktop/open.ts";
import { deleteJob, type Job } from "../../gateway/jobs.ts";
import { Confirm } from "../../parts/Confirm.tsx";
import { Empty, Failed, Loading } from "../../parts/States.tsx";
import { JobForm } from "./JobForm.tsx";
import { away, words } from "./schedule.ts";
import { useJobs } from "./useJobs.ts";
import styles from "./jobs.module.css";

export default function JobsWindow({ visible }: { visible: boolean }) {
  const { list, problem, again } = useJobs(visible);
  const [making, setMaking] = useState(false);
  const [ending, setEnding] = useState<Job>();
  if (making) {
    return (
      <JobForm
        onDone={() => {
          setMaking(false);
          again();
        }}
        onCancel={() => setMaking(false)}
      />
    );
  }
  if (!list) return problem ? <Failed message={problem} onRetry={again} /> : <Loading what="the jobs" />;
  const begin = (
    <Button kind="primary" className={styles.new} data-testid="job-new" onClick={() => setMaking(true)}>
      <Plus size={16} aria-hidden="true" />
      New job
    </Button>
  );
  return (
    <div className={styles.jobs}>
      {list.length === 0 ? (
        <Empty icon={<CalendarClock aria-hidden="true" />} title="Nothing is planned." text="A job is something your AI does by itself at its time: a summary every morning, a reminder, a look at a page each hour. You can also ask it in the chat.">
          {begin}
        </Empty>
      ) : (
        <>
          <div className={styles.tools}>
            <p className={styles.count}>
              {list.length} {list.length === 1 ? "job" : "jobs"}
            </p>
            {begin}
          </div>
          {problem && (
            <p className={styles.problem} role="status">
              This list may be old. {problem}
            </p>
          )}
          <ul className={styles.list}>
            {list.map((job) => (
              <JobRow key={job.id} job={job} onEnd={() => setEnding(job)} />
            ))}
          </ul>
        </>
      )}
      {ending && (
        <Confirm
          title={`Delete “${ending.name}”?`}
          text="It does not run any more. What it has said stays in its conversation."
          act="Delete the job"
          run={() => deleteJob(ending.id)}
          done={() => {
            setEnding(undefined);
            again();
          }}
          close={() => setEnding(undefined)}
        />
      )}
    </div>
  );
}

const moment = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

function JobRow({ job, onEnd }: { job: Job; onEnd: () => void }) {
  const now = Date.now() / 1_000;
  return (
    <li className={styles.job} data-testid="job">
      <div className={styles.what}>
        <h3>{job.name}</h3>
        <p className={styles.when}>
          {words(job.schedule)}
          {job.target && <span className={styles.chip}>to {job.target.channel}</span>}
        </p>
        <p className={styles.message}>{job.message}</p>
      </div>
      <dl className={styles.times}>
        <dt>Next</dt>
        <dd title={job.nextRun === null ? undefined : away(job.nextRun, now)}>{job.nextRun === null ? "never again" : moment.format(job.nextRun * 1_000)}</dd>
        <dt>Last</dt>
        <dd>{job.lastRun === null ? "not yet" : away(job.lastRun, now)}</dd>
      </dl>
      <div className={styles.acts}>
        {job.lastRun !== null && (
          <IconButton label={`What ${job.name} said`} onClick={() => openWindow("chat", `cron-${job.id}`)}>
            <MessageCircle aria-hidden="true" />
          </IconButton>
        )}
        <IconButton label={`Delete ${job.name}`} onClick={onEnd}>
          <Trash2 aria-hidden="true" />
        </IconButton>
      </div>
    </li>
  );
}
