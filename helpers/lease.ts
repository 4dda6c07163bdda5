/**
 * The Lease of a run: by it others can tell a run that is at work from one that was killed. Written when the run begins, renewed while it
 * lasts, gone with its end. https://kubernetes.io/docs/concepts/architecture/leases/
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { V1Lease } from "@kubernetes/client-node";
import type { KubernetesClient } from "./kubernetes.ts";
import { labelsOf, leaseName, type Run } from "./run.ts";

export const leaseDurationSeconds = 20;
const renewIntervalMs = 5_000;

/**
 * The holder says which process it is: the boot and the process namespace name the machine (hostnames repeat), the start time tells a
 * process from a later one with its number. Undefined where there is no /proc; such a holder is judged by its Lease alone.
 */
function processIdentity(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const namespace = readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
    return [boot, namespace, pid, startOf(pid)].join("/");
  } catch {
    return undefined;
  }
}

/** In clock ticks since boot, the 22nd field of proc_pid_stat(5). */
const startOf = (pid: number): string | undefined => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19];

/** Whether the holder ran on this machine and is no more. */
export function holderIsDead(lease: V1Lease): boolean {
  const holder = lease.spec?.holderIdentity ?? "";
  const [boot, namespace, pid] = holder.split("/");
  const own = processIdentity(process.pid)?.split("/");
  if (own === undefined || boot !== own[0] || namespace !== own[1]) return false;
  return processIdentity(Number(pid)) !== holder;
}

/** How long ago the Lease was renewed, by this machine's clock. */
export function secondsSinceRenewal(lease: V1Lease, now = Date.now()): number {
  return (now - new Date(lease.spec?.renewTime ?? 0).getTime()) / 1000;
}

/** A timestamp with microseconds, as the API wants a Lease's times. */
export const microTime = (date: Date): string => date.toISOString().replace("Z", "000Z");

/** Creates the run's Lease and keeps it renewed until the returned function is called. */
export async function holdLease(client: KubernetesClient, run: Run, signal: AbortSignal): Promise<() => void> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${run.namespace}/leases`;
  const now = microTime(new Date());
  await client.create(
    path,
    {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: leaseName(run), namespace: run.namespace, labels: labelsOf(run) },
      spec: {
        holderIdentity: processIdentity(process.pid) ?? `${hostname()}/${process.pid}`,
        leaseDurationSeconds,
        acquireTime: now,
        renewTime: now,
      },
    },
    { signal },
  );
  const timer = setInterval(() => {
    // A renewal that fails is made good by the next; a cluster that stays away is what the checks find out.
    client.patch(`${path}/${leaseName(run)}`, { spec: { renewTime: microTime(new Date()) } }, {}).catch(() => undefined);
  }, renewIntervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
