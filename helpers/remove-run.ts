/**
 * The end of a run in the cluster. The run's own end, signals, the next run's sweep and `npm run cleanup` all call this one function.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { V1ObjectMeta } from "@kubernetes/client-node";
import { reasonOf } from "./errors.ts";
import { isNotFound, type KubernetesClient } from "./kubernetes.ts";
import { leaseName, managedBy, managedByLabel, runLabel, selectorOf, type Run } from "./run.ts";

type KubernetesObject = { metadata: V1ObjectMeta };

/** Owners before what they own, so that no controller replaces what has just been deleted. */
const kinds = {
  Deployment: "/apis/apps/v1/namespaces/NAMESPACE/deployments",
  ReplicaSet: "/apis/apps/v1/namespaces/NAMESPACE/replicasets",
  Service: "/api/v1/namespaces/NAMESPACE/services",
  EndpointSlice: "/apis/discovery.k8s.io/v1/namespaces/NAMESPACE/endpointslices",
  Secret: "/api/v1/namespaces/NAMESPACE/secrets",
  ConfigMap: "/api/v1/namespaces/NAMESPACE/configmaps",
  Pod: "/api/v1/namespaces/NAMESPACE/pods",
};

export type RemovableRun = Pick<Run, "id" | "namespace" | "ownsNamespace">;

/** What could not be removed, as sentences; none when everything is gone or on its way. */
export type Leftovers = readonly string[];

/**
 * Deletes what carries the run's label, each object by its UID, waits until the Pods are gone, and deletes the run's own namespace. It
 * ends when that namespace is empty and Terminating: its controller needs five more seconds that nobody has to watch. It never throws.
 * @param signal bounds the whole of it
 */
export async function removeRun(client: KubernetesClient, run: RemovableRun, signal: AbortSignal): Promise<Leftovers> {
  const problems = new Set<string>();
  let remaining: string[] = [];
  while (!signal.aborted) {
    try {
      remaining = await deleteLabelled(client, run, signal);
      if (remaining.length === 0) {
        await endNamespace(client, run, signal);
        return [];
      }
      await sleep(100, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) problems.add(reasonOf(error));
      await sleep(250, undefined, { signal }).catch(() => undefined);
    }
  }
  const where = run.ownsNamespace ? `namespace ${run.namespace}` : `objects labelled ${selectorOf(run)} in namespace ${run.namespace}`;
  return [`${where}: ${[...remaining, ...problems].join("; ") || "not deleted"}`];
}

/** One round: deletes what has not been told to go yet, and returns the names of what is still there. */
async function deleteLabelled(client: KubernetesClient, run: RemovableRun, signal: AbortSignal): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(kinds).map(async ([kind, template]) => {
      const path = template.replace("NAMESPACE", run.namespace);
      const items = await client.list<KubernetesObject>(path, { query: { labelSelector: selectorOf(run) }, signal });
      const fresh = items.filter((item) => item.metadata.deletionTimestamp === undefined);
      await Promise.all(fresh.map((item) => deleteByUID(client, `${path}/${item.metadata.name}`, item, signal)));
      return items.map((item) => `${kind} ${item.metadata.name}`);
    }),
  );
  return found.flat();
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
