/**
 * Runs that are in the cluster without anybody at work on them: what a kill -9, a power cut or a lost connection left behind.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Lease, V1Namespace } from "@kubernetes/client-node";
import type { KubernetesClient } from "./kubernetes.ts";
import { holderIsDead, leaseDurationSeconds, secondsSinceRenewal } from "./lease.ts";
import type { RemovableRun } from "./remove-run.ts";
import { managedBy, managedByLabel, runLabel } from "./run.ts";

export type FoundRun = RemovableRun & {
  renewTime: string;
  /** Nobody is at work on it any more: its process is no more, its namespace is on its way out, or it was watched and is silent. */
  abandoned: boolean;
  /** By this machine's clock its Lease was renewed long ago. As clocks differ, it has to be watched before it is removed. */
  looksOld: boolean;
  /** Its namespace is on its way out, or held up on it. */
  isTerminating: boolean;
};

/** Clocks that differ by less than this make no run look old. */
const oldAfterSeconds = 600;

/** Every run of this suite that the cluster holds, abandoned or at work. */
export async function findRuns(client: KubernetesClient, signal: AbortSignal): Promise<FoundRun[]> {
  const query = { labelSelector: `${managedByLabel}=${managedBy}` };
  const [namespaces, leases] = await Promise.all([
    client.list<V1Namespace>("/api/v1/namespaces", { query, signal }),
    client.list<V1Lease>("/apis/coordination.k8s.io/v1/leases", { query, signal }),
  ]);
  const namesOf = (those: readonly V1Namespace[]) => new Set(those.map(({ metadata }) => metadata?.name));
  const terminating = namesOf(namespaces.filter(({ metadata }) => metadata?.deletionTimestamp !== undefined));
  const own = namesOf(namespaces);
  const held = leases
    .filter(({ metadata }) => !terminating.has(metadata?.namespace))
    .map((lease) => runOfLease(lease, { ownsNamespace: own.has(lease.metadata?.namespace) }));
  // A run that was killed between its first two requests has a namespace, and no Lease in it.
  const withLease = new Set(held.map(({ id }) => id));
  const bare = namespaces.filter((namespace) => !withLease.has(idOf(namespace)));
  return [...held, ...bare.map(runOfNamespace)];
}

const idOf = ({ metadata }: V1Namespace | V1Lease): string => metadata?.labels?.[runLabel] ?? "";

function runOfLease(lease: V1Lease, { ownsNamespace }: { ownsNamespace: boolean }): FoundRun {
  return {
    id: idOf(lease),
    namespace: lease.metadata?.namespace ?? "",
    ownsNamespace,
    renewTime: String(lease.spec?.renewTime),
    abandoned: holderIsDead(lease),
    looksOld: secondsSinceRenewal(lease) > oldAfterSeconds,
    isTerminating: false,
  };
}

function runOfNamespace(namespace: V1Namespace): FoundRun {
  const isTerminating = namespace.metadata?.deletionTimestamp !== undefined;
  return {
    id: idOf(namespace),
    namespace: namespace.metadata?.name ?? "",
    ownsNamespace: true,
    renewTime: "",
    abandoned: isTerminating,
    looksOld: false,
    isTerminating,
  };
}

/**
 * Watches runs instead of comparing clocks: what has not renewed its Lease for as long as a Lease lasts is abandoned.
 * @param before the runs that are watched, as they were found
 * @param watchMs how long
 * @returns every run that is there afterwards
 */
export async function watchRuns(
  client: KubernetesClient,
  before: readonly FoundRun[],
  signal: AbortSignal,
  watchMs = leaseDurationSeconds * 1000,
): Promise<FoundRun[]> {
  await sleep(watchMs, undefined, { signal });
  const after = await findRuns(client, signal);
  const isSilent = (run: FoundRun) => before.some((earlier) => earlier.id === run.id && earlier.renewTime === run.renewTime);
  return after.map((run) => ({ ...run, abandoned: run.abandoned || isSilent(run) }));
}

/** Every run, and on which of them nobody is at work. Where that is not certain of all, they are watched. */
export async function findAbandonedRuns(
  client: KubernetesClient,
  signal: AbortSignal,
  watchMs?: number,
): Promise<{ abandoned: FoundRun[]; atWork: FoundRun[] }> {
  const found = await findRuns(client, signal);
  const runs = found.every((run) => run.abandoned) ? found : await watchRuns(client, found, signal, watchMs);
  return { abandoned: runs.filter((run) => run.abandoned), atWork: runs.filter((run) => !run.abandoned) };
}
