/**
 * The Pods of a run, as the API shows them.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import type { KubernetesClient } from "./kubernetes.ts";
import { selectorOf, type Run } from "./run.ts";
import { containerName } from "./workload.ts";

/** All Pods of a run, those among them that are on their way out. */
export const listPods = (client: KubernetesClient, run: Run): Promise<V1Pod[]> =>
  client.list<V1Pod>(`/api/v1/namespaces/${run.namespace}/pods`, { query: { labelSelector: selectorOf(run) } });

/** Whether a Pod is Running, and Ready to be asked. */
export function isReady(pod: V1Pod): boolean {
  return pod.status?.phase === "Running" && (pod.status.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True");
}

/** Pods that have ended and stay for people to see, such as one that was evicted; another has taken their place. */
export const hasEnded = ({ status }: V1Pod): boolean => status?.phase === "Failed" || status?.phase === "Succeeded";

/** The Pods that count, by the rule of the ReplicaSet controller: those that have not ended and are not on their way out. */
export const livePods = (pods: readonly V1Pod[]): V1Pod[] =>
  pods.filter((pod) => pod.metadata?.deletionTimestamp === undefined && !hasEnded(pod));

/** How often a Pod's containers have restarted. */
export const restartsOf = ({ status }: V1Pod): number =>
  (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);

/**
 * What has become of a Pod that was Ready, where it has not stayed so; undefined where its container still runs. A container that ends at
 * once passes for Running, and its Pod for Ready, until its kubelet looks again, a second later.
 */
export function endedSince(before: V1Pod, now: V1Pod | undefined): string | undefined {
  const where = `Pod ${before.metadata?.name} on ${before.spec?.nodeName} was Ready`;
  if (now === undefined) return `${where}, and is gone`;
  const [was, is] = [before, now].map(({ status }) => status?.containerStatuses?.find(({ name }) => name === containerName));
  if (is?.containerID === was?.containerID && isReady(now)) return undefined;
  const end = endOf(is);
  return end === undefined ? `${where}, and is so no more` : `${where}, and its container has ended since: ${end}`;
}

/** How a container ended last, in the words of its kubelet and with its exit code; undefined where it has not. */
export function endOf(status: V1ContainerStatus | undefined): string | undefined {
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  return ended && `${ended.reason}, exit code ${ended.exitCode}`;
}
