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
  /** Nobody is at work on it any more. */
  abandoned: boolean;
  /** Its namespace is on its way out, or held up on it. */
  isTerminating: boolean;
};

/** A run on another machine, whose clock may differ, counts as abandoned only after this long without a renewal. */
const abandonedAfterSeconds = 600;

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
  const abandoned = holderIsDead(lease) || secondsSinceRenewal(lease) > abandonedAfterSeconds;
  return {
    id: idOf(lease),
    namespace: lease.metadata?.namespace ?? "",
    ownsNamespace,
    renewTime: String(lease.spec?.renewTime),
    abandoned,
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
    isTerminating,
  };
}

/**
 * The runs that nobody renews, found by watching instead of by comparing clocks: what has not renewed its Lease for as long as a Lease
 * lasts is abandoned.
 * @param watchMs how long is watched
 */
export async function findAbandonedRuns(
  client: KubernetesClient,
  signal: AbortSignal,
  watchMs = leaseDurationSeconds * 1000,
): Promise<{ abandoned: FoundRun[]; atWork: FoundRun[] }> {
  const before = await findRuns(client, signal);
  if (before.every((run) => run.abandoned)) return { abandoned: before, atWork: [] };
  await sleep(watchMs, undefined, { signal });
  const after = await findRuns(client, signal);
  const silent = (run: FoundRun) => before.some((earlier) => earlier.id === run.id && earlier.renewTime === run.renewTime);
  return { abandoned: after.filter((run) => run.abandoned || silent(run)), atWork: after.filter((run) => !run.abandoned && !silent(run)) };
}
