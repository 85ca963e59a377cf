// How this computer is: memory, disk, processors, since when it runs.
import type { ReactNode } from "react";
import { Failed, Loading } from "../../parts/States.tsx";
import { duration } from "../../parts/units.ts";
import type { SystemInfo } from "../../gateway/system.ts";
import { Bar } from "./Bar.tsx";
import { useSystemInfo } from "./useSystemInfo.ts";
import { useTicking } from "./useTicking.ts";
import styles from "./system.module.css";

export function SystemWindow({ visible }: { visible: boolean }) {
  const { info, error, asOf, again } = useSystemInfo(visible);
  if (info) return <Facts info={info} asOf={asOf} stale={error} />;
  return error ? <Failed message={error} onRetry={again} /> : <Loading what="the figures" />;
}

function Facts({ info, asOf, stale }: { info: SystemInfo; asOf: number; stale: string | undefined }) {
  return (
    <div className={styles.system}>
      <Bar name="Memory" gauge={info.memory} />
      <Bar name="Disk" gauge={info.disk} />
      <dl className={styles.facts}>
        <Fact name="Running for">
          <Uptime seconds={info.uptime} asOf={asOf} />
        </Fact>
        <Fact name="Processor">{info.cpuLimit === null ? "no limit told" : `${info.cpuLimit} ${info.cpuLimit === 1 ? "core" : "of a core"}`}</Fact>
        <Fact name="Processes">{info.processes ?? "unknown"}</Fact>
        <Fact name="Channels">{info.channels.join(", ") || "none connected"}</Fact>
        <Fact name="Version">{info.version}</Fact>
        {info.image && <Fact name="Image">{shortDigest(info.image)}</Fact>}
      </dl>
      {stale && (
        <p className={styles.stale} role="status">
          These figures are from {new Date(asOf).toLocaleTimeString()}. {stale}
        </p>
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Uptime({ seconds, asOf }: { seconds: number; asOf: number }) {
  const now = useTicking();
  return duration(seconds + Math.max(0, now - asOf) / 1000);
}

/** A digest is long and its beginning tells it apart. */
function shortDigest(image: string): string {
  return image.replace(/(sha256:)?([0-9a-f]{12})[0-9a-f]{52}/, "$2");
}
