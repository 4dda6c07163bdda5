/**
 * Runs that are in the cluster without anybody at work on them: what a kill -9, a power cut or a lost connection left behind.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Lease, V1Namespace } from "@kubernetes/client-node";
import type { KubernetesClient } from "./kubernetes.ts";
import { holderIsDead, leaseDurationSeconds, secondsSinceRenewal } from "./lease.ts";
import type { RemovableRun } from "./remove-run.ts";
import { managedBy, managedByLabel, runLabel } from "./run.ts";

export type FoundRun = RemovableRun & { renewTime: string; abandoned: boolean };

/** A run on another machine, whose clock may differ, counts as abandoned only after this long without a renewal. */
const abandonedAfterSeconds = 600;

/** Every run of this suite that the cluster holds, abandoned or at work. */
export async function findRuns(client: KubernetesClient, signal: AbortSignal): Promise<FoundRun[]> {
  const query = { labelSelector: `${managedByLabel}=${managedBy}` };
  const [namespaces, leases] = await Promise.all([
    client.list<V1Namespace>("/api/v1/namespaces", { query, signal }),
    client.list<V1Lease>("/apis/coordination.k8s.io/v1/leases", { query, signal }),
  ]);
  const own = namespaces.filter((namespace) => namespace.metadata?.deletionTimestamp === undefined);
  const withLease = new Set(leases.map((lease) => lease.metadata?.labels?.[runLabel]));
  const ownNames = new Set(namespaces.map((namespace) => namespace.metadata?.name));
  const ending = new Set(
    namespaces.map((namespace) => namespace.metadata?.name).filter((name) => !own.some((one) => one.metadata?.name === name)),
  );
  return [
    ...leases
      .filter((lease) => !ending.has(lease.metadata?.namespace))
      .map((lease) => ({
        id: lease.metadata?.labels?.[runLabel] ?? "",
        namespace: lease.metadata?.namespace ?? "",
        ownsNamespace: ownNames.has(lease.metadata?.namespace),
        renewTime: String(lease.spec?.renewTime),
        abandoned: holderIsDead(lease) || secondsSinceRenewal(lease) > abandonedAfterSeconds,
      })),
    ...own
      .filter((namespace) => !withLease.has(namespace.metadata?.labels?.[runLabel]))
      .map((namespace) => ({
        id: namespace.metadata?.labels?.[runLabel] ?? "",
        namespace: namespace.metadata?.name ?? "",
        ownsNamespace: true,
        renewTime: "",
        abandoned: false,
      })),
  ];
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
