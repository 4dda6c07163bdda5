/**
 * The end of a run in the cluster. The run's own end, signals, the next run's sweep and `npm run cleanup` all call this one function.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { V1ObjectMeta } from "@kubernetes/client-node";
import { reasonOf } from "./errors.ts";
import { isForbidden, isNotFound, type KubernetesClient } from "./kubernetes.ts";
import { leaseName, managedBy, managedByLabel, runLabel, selectorOf, type Run } from "./run.ts";

type KubernetesObject = { metadata: V1ObjectMeta };

/** What a run creates itself. */
const created = {
  Deployment: "/apis/apps/v1/namespaces/NAMESPACE/deployments",
  Service: "/api/v1/namespaces/NAMESPACE/services",
  Secret: "/api/v1/namespaces/NAMESPACE/secrets",
  ConfigMap: "/api/v1/namespaces/NAMESPACE/configmaps",
};
/**
 * What controllers create for it. The garbage collector deletes these in the right order; who deletes a ReplicaSet or a Pod besides races
 * with controllers that have not heard of their owner's end yet, and replace it.
 */
const owned = {
  ReplicaSet: "/apis/apps/v1/namespaces/NAMESPACE/replicasets",
  EndpointSlice: "/apis/discovery.k8s.io/v1/namespaces/NAMESPACE/endpointslices",
  Pod: "/api/v1/namespaces/NAMESPACE/pods",
};
const kinds = { ...created, ...owned };

export type RemovableRun = Pick<Run, "id" | "namespace" | "ownsNamespace">;

/** What could not be removed, as sentences; none when everything is gone or on its way. */
export type Leftovers = readonly string[];

/**
 * Deletes what carries the run's label, each object by its UID, waits until the Pods are gone, and deletes the run's own namespace. It
 * ends when that namespace is empty and Terminating: its controller needs five more seconds that nobody has to watch. It never throws.
 * @param signal bounds the whole of it
 * @param garbageCollectorMs after this long without the garbage collector, which may be what is broken, the rest is deleted here
 */
export async function removeRun(
  client: KubernetesClient,
  run: RemovableRun,
  signal: AbortSignal,
  garbageCollectorMs = 1_500,
): Promise<Leftovers> {
  const problems = new Set<string>();
  const began = Date.now();
  const mayDelete = (kind: Kind): boolean => kind in created || Date.now() - began > garbageCollectorMs;
  let remaining: readonly Remaining[] = allKinds;
  while (!signal.aborted) {
    try {
      const round = await deleteLabelled(client, run, remaining, { mayDelete, signal });
      if (round.length === 0 && remaining.length === allKinds.length) {
        await endNamespace(client, run, signal);
        return [];
      }
      // What is still there is looked at again and again; the round that ends it looks at everything once more.
      remaining = round.length === 0 ? allKinds : round;
      if (round.length > 0) await sleep(intervalMs, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) problems.add(reasonOf(error));
      await sleep(250, undefined, { signal }).catch(() => undefined);
    }
  }
  const where = run.ownsNamespace ? `namespace ${run.namespace}` : `objects labelled ${selectorOf(run)} in namespace ${run.namespace}`;
  const names = remaining.flatMap((one) => one.names);
  return [`${where}: ${[...names, ...problems].join("; ") || "not deleted"}`];
}

type Remaining = { kind: Kind; names: readonly string[] };
const allKinds: readonly Remaining[] = (Object.keys(kinds) as Kind[]).map((kind) => ({ kind, names: [] }));

const intervalMs = 50;

/** One round: deletes what has not been told to go yet, and returns what is still there. */
async function deleteLabelled(
  client: KubernetesClient,
  run: RemovableRun,
  among: readonly Remaining[],
  { mayDelete, signal }: Round,
): Promise<Remaining[]> {
  const found = await Promise.all(
    among.map(async ({ kind }) => ({ kind, names: await deleteKind(client, run, kind, { mayDelete: mayDelete(kind), signal }) })),
  );
  return found.filter(({ names }) => names.length > 0);
}

type Kind = keyof typeof kinds;
type Round = { mayDelete: (kind: Kind) => boolean; signal: AbortSignal };

async function deleteKind(
  client: KubernetesClient,
  run: RemovableRun,
  kind: Kind,
  { mayDelete, signal }: { mayDelete: boolean; signal: AbortSignal },
): Promise<string[]> {
  const path = kinds[kind].replace("NAMESPACE", run.namespace);
  try {
    const items = await client.list<KubernetesObject>(path, { query: { labelSelector: selectorOf(run) }, signal });
    const fresh = items.filter((item) => mayDelete && item.metadata.deletionTimestamp === undefined);
    await Promise.all(fresh.map((item) => deleteByUID(client, `${path}/${item.metadata.name}`, item, signal)));
    return items.map((item) => `${kind} ${item.metadata.name}`);
  } catch (error) {
    // What we may not look at goes with the run's own namespace.
    if (isForbidden(error) && run.ownsNamespace) return [];
    throw error;
  }
}

/** The UID makes sure that a namesake somebody else has created meanwhile is left alone. */
async function deleteByUID(client: KubernetesClient, path: string, item: KubernetesObject, signal: AbortSignal): Promise<void> {
  try {
    await client.delete(path, { uid: item.metadata.uid as string, propagationPolicy: "Background", signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The Lease goes last, and with the namespace where the run owns it: as long as it is there, the run can be found. */
async function endNamespace(client: KubernetesClient, run: RemovableRun, signal: AbortSignal): Promise<void> {
  const path = run.ownsNamespace
    ? `/api/v1/namespaces/${run.namespace}`
    : `/apis/coordination.k8s.io/v1/namespaces/${run.namespace}/leases/${leaseName(run)}`;
  try {
    const item = await client.get<KubernetesObject>(path, { signal });
    const labels = item.metadata.labels ?? {};
    if (labels[managedByLabel] !== managedBy || labels[runLabel] !== run.id) return;
    if (item.metadata.deletionTimestamp === undefined) await deleteByUID(client, path, item, signal);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
