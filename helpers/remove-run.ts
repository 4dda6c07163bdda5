/**
 * The end of a run in the cluster. The run's own end, signals, the next run's sweep and `npm run cleanup` all call this one function.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { V1ObjectMeta } from "@kubernetes/client-node";
import { reasonOf } from "./errors.ts";
import { ApiRefusal, isForbidden, isNotFound, type KubernetesClient } from "./kubernetes.ts";
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
export type RemovableRun = Pick<Run, "id" | "namespace" | "ownsNamespace">;

/** What could not be removed, as sentences; none when everything is gone or on its way. */
export type Leftovers = readonly string[];

/**
 * Deletes the run's own namespace, and what carries the run's label, each object by its UID, and waits until the Pods are gone. It ends
 * when that namespace is empty and Terminating: its controller begins only 5 s after it was told, and nobody has to watch that. It is told
 * first, because nothing new can be created in a namespace that is Terminating. It never throws.
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
  const note = (error: unknown): undefined => {
    if (!signal.aborted) problems.add(reasonOf(error));
    return undefined;
  };
  const began = Date.now();
  // Undefined as long as the namespace has not been told.
  let fate: Fate | undefined = run.ownsNamespace ? undefined : "another's";
  let remaining: readonly string[] = [];
  while (!signal.aborted) {
    // That the namespace may not be deleted does not save what is in it.
    fate ??= await deleteOwn(client, run, namespacePath(run), signal).catch(note);
    const ownedToo = fate === "going" || Date.now() - began > garbageCollectorMs;
    const found = await deleteLabelled(client, run, { ownedToo, signal }).catch(note);
    if (found?.length === 0 && fate !== undefined) {
      const isOver = fate === "going" || (await deleteOwn(client, run, leasePath(run), signal).catch(note)) !== undefined;
      if (isOver) return fate === "unlabelled" ? [leftUnlabelled(client, run)] : [];
    }
    remaining = found ?? remaining;
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
  const where = run.ownsNamespace ? `namespace ${run.namespace}` : `objects labelled ${selectorOf(run)} in namespace ${run.namespace}`;
  return [`${where}: ${[...remaining, ...problems].join("; ") || "not deleted"}`];
}

const intervalMs = 100;

type Round = { ownedToo: boolean; signal: AbortSignal };

/** One round: deletes what has not been told to go yet, and returns the names of what is still there. */
async function deleteLabelled(client: KubernetesClient, run: RemovableRun, { ownedToo, signal }: Round): Promise<string[]> {
  const found = await Promise.all([
    ...Object.entries(created).map(async ([kind, path]) => deleteKind(client, run, { kind, path, isDeleted: true, signal })),
    ...Object.entries(owned).map(async ([kind, path]) => deleteKind(client, run, { kind, path, isDeleted: ownedToo, signal })),
  ]);
  return found.flat();
}

type OneKind = { kind: string; path: string; isDeleted: boolean; signal: AbortSignal };

async function deleteKind(client: KubernetesClient, run: RemovableRun, { kind, path, isDeleted, signal }: OneKind): Promise<string[]> {
  const collection = path.replace("NAMESPACE", run.namespace);
  try {
    const items = await client.list<KubernetesObject>(collection, { query: { labelSelector: selectorOf(run) }, signal });
    const fresh = items.filter((item) => isDeleted && item.metadata.deletionTimestamp === undefined);
    await Promise.all(fresh.map((item) => deleteByUID(client, `${collection}/${item.metadata.name}`, item, signal)));
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
    const isGone =
      isNotFound(error) || (isConflict(error) && (await client.get<KubernetesObject>(path, { signal })).metadata.uid !== item.metadata.uid);
    if (!isGone) throw error;
  }
}

const isConflict = (error: unknown): boolean => error instanceof ApiRefusal && error.code === 409;

const namespacePath = ({ namespace }: RemovableRun): string => `/api/v1/namespaces/${namespace}`;
/** In a namespace of others the Lease goes last: as long as it is there, the run can be found. */
const leasePath = (run: RemovableRun): string => `/apis/coordination.k8s.io/v1/namespaces/${run.namespace}/leases/${leaseName(run)}`;

/** What becomes of an object that bears the run's name: it is gone or on its way, another run's, or lacks the labels of any run. */
type Fate = "going" | "another's" | "unlabelled";

/** Deletes the object of this path if it is the run's, which its labels say. */
async function deleteOwn(client: KubernetesClient, run: RemovableRun, path: string, signal: AbortSignal): Promise<Fate> {
  try {
    const item = await client.get<KubernetesObject>(path, { signal });
    const { labels = {}, deletionTimestamp } = item.metadata;
    if (deletionTimestamp !== undefined) return "going";
    if (labels[managedByLabel] !== managedBy || labels[runLabel] === undefined) return "unlabelled";
    if (labels[runLabel] !== run.id) return "another's";
    await deleteByUID(client, path, item, signal);
    return "going";
  } catch (error) {
    if (isNotFound(error)) return "going";
    throw error;
  }
}

/** That its labels were changed, and that somebody else has made it, cannot be told apart from here. */
const leftUnlabelled = ({ access }: KubernetesClient, { id, namespace }: RemovableRun): string =>
  `namespace ${namespace}: it was left, because it does not bear the labels ${managedByLabel}=${managedBy} and ${runLabel}=${id} by which ` +
  `a run knows its own; has a policy changed them? When it is not needed, delete it: ` +
  `"kubectl --context ${access.contextName} delete namespace ${namespace}"`;
