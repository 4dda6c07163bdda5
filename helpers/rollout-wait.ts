/**
 * Waiting for the Deployment's Pods: reads, judges, and gives up as soon as there is no hope.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CoreV1Event, V1Deployment, V1Lease, V1Pod } from "@kubernetes/client-node";
import { errorOf } from "./errors.ts";
import type { KubernetesClient } from "./kubernetes.ts";
import { isReady, listPods, livePods } from "./pods.ts";
import { describeObstacle, obstaclesOf, type RolloutObservation } from "./rollout.ts";
import { newPatience, type Deadlines } from "./rollout-patience.ts";
import type { Run } from "./run.ts";
import { names } from "./workload.ts";

const intervalMs = 100;
/** Events and Leases explain a delay; nothing is delayed yet before this. */
const explainAfterMs = 1_000;

type Expectation = Deadlines & {
  replicas: number;
  /** Further conditions on the ready Pods: what else they have to be. */
  accept?: (pods: readonly V1Pod[]) => boolean;
};

/**
 * The Pods of the run's Deployment, once as many as expected are Ready, and no other is left.
 * @throws ConformanceError or InconclusiveError, by what stands in the way, with the last thing seen
 */
export async function waitForReadyPods(client: KubernetesClient, run: Run, expectation: Expectation): Promise<V1Pod[]> {
  const { replicas, accept = () => true } = expectation;
  const deployment = `Deployment ${run.namespace}/${names.deployment}`;
  const began = Date.now();
  const patience = newPatience(began, expectation);
  for (;;) {
    const observation = await observe(client, run, Date.now() - began > explainAfterMs);
    const pods = livePods(observation.pods);
    const ready = pods.filter(isReady);
    if (ready.length === replicas && pods.length === replicas && accept(ready)) return ready.toSorted(byName);
    const obstacles = obstaclesOf(observation);
    const seen = `${ready.length} of ${replicas} Pods Ready; ${obstacles.map(describeObstacle).join("; ") || "nothing hinders them"}`;
    const { hopeless, isOver } = patience.after(observation, obstacles);
    if (hopeless !== undefined) throw errorOf({ message: `${deployment} cannot become ready: ${seen}`, verdict: hopeless.verdict });
    if (isOver) {
      const seconds = Math.round((observation.now - began) / 1000);
      throw errorOf({ message: `${deployment} was not ready after ${seconds} s: ${seen}`, verdict: obstacles[0]?.verdict ?? "fail" });
    }
    await sleep(intervalMs);
  }
}

async function observe(client: KubernetesClient, run: Run, explain: boolean): Promise<RolloutObservation> {
  const core = `/api/v1/namespaces/${run.namespace}`;
  const [deployment, pods, events, scheduler, controllerManager] = await Promise.all([
    client.get<V1Deployment>(`/apis/apps/v1/namespaces/${run.namespace}/deployments/${names.deployment}`),
    listPods(client, run),
    explain ? client.list<CoreV1Event>(`${core}/events`, { query: { fieldSelector: "involvedObject.kind=Pod" } }) : [],
    explain ? leaderLease(client, "kube-scheduler") : undefined,
    explain ? leaderLease(client, "kube-controller-manager") : undefined,
  ]);
  return {
    deployment,
    pods,
    events,
    leases: { "kube-scheduler": scheduler, "kube-controller-manager": controllerManager },
    now: Date.now(),
  };
}

/** Undefined where there is none or it may not be read: some clusters hide their control plane. */
async function leaderLease(client: KubernetesClient, name: string): Promise<V1Lease | undefined> {
  return client.get<V1Lease>(`/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${name}`).catch(() => undefined);
}

const byName = (one: V1Pod, other: V1Pod): number => (one.metadata?.name ?? "").localeCompare(other.metadata?.name ?? "");
