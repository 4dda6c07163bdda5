/**
 * Whether the workers are there: registered, Ready, and heard of. A kubelet that dies stays Ready for 40 to 50 s, until the controller
 * manager's grace period is over; the Lease that it renews four times as often as it must tells sooner.
 * https://kubernetes.io/docs/concepts/architecture/nodes/#heartbeats
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Lease, V1Node } from "@kubernetes/client-node";
import { isNotFound, type KubernetesClient } from "./kubernetes.ts";
import { secondsSinceRenewal } from "./lease.ts";
import { nameOf, notReadyBecause } from "./nodes.ts";

/** Within which time a Lease is renewed: a quarter of nodeLeaseDurationSeconds, which is 40 unless set, and a little for the way. */
const renewalSeconds = (lease?: V1Lease): number => (lease?.spec?.leaseDurationSeconds ?? 40) / 4 + 3;

/**
 * One sentence for each worker that is missing, not Ready or silent.
 * @param expected names of Nodes; when empty, every registered Node, of which there must be one
 * @param watchedSeconds how old a Lease may be, and how long what is wrong is watched before it counts; without a Lease, where none is
 */
export async function workerProblems(
  client: KubernetesClient,
  expected: readonly string[],
  watchedSeconds = renewalSeconds,
): Promise<string[]> {
  const nodes = await client.list<V1Node>("/api/v1/nodes");
  const names = expected.length > 0 ? expected : nodes.map(nameOf);
  if (names.length === 0) return ["no Node is registered: no kubelet has ever reached the API server"];
  const problems = await Promise.all(
    names.map(async (name) => {
      const node = nodes.find((candidate) => nameOf(candidate) === name);
      if (node === undefined) return `${name}: not registered; the cluster has ${nodes.map(nameOf).join(", ") || "no Nodes"}`;
      const problem = (await unreadiness(client, node, watchedSeconds())) ?? (await silence(client, name, watchedSeconds));
      return problem === undefined ? [] : `${name}: ${problem}`;
    }),
  );
  return problems.flat();
}

/** A kubelet that has just been started, as by a boot, first reports that it is not Ready, and seconds later that it is. */
async function unreadiness(client: KubernetesClient, node: V1Node, watchedSeconds: number): Promise<string | undefined> {
  const deadline = Date.now() + watchedSeconds * 1000;
  let problem = notReadyBecause(node);
  while (problem !== undefined && Date.now() < deadline) {
    await sleep(500);
    const now = (await client.list<V1Node>("/api/v1/nodes")).find((candidate) => nameOf(candidate) === nameOf(node));
    problem = now === undefined ? "it is registered no more" : notReadyBecause(now);
  }
  return problem === undefined ? undefined : `${problem}, and has not become Ready in the ${watchedSeconds} s since`;
}

/**
 * A Lease that looks old may be a clock that differs: what counts is whether it is renewed while we watch. One that is not there may be
 * on its way: the kubelet of a cluster that has just booted registers its Node up to 7 s before it tries again to create its Lease.
 */
async function silence(client: KubernetesClient, name: string, watchedSeconds: typeof renewalSeconds): Promise<string | undefined> {
  const first = await readLease(client, name);
  const seconds = watchedSeconds(first);
  if (first !== undefined && isFresh(first, seconds)) return undefined;
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    await sleep(500);
    const lease = await readLease(client, name);
    if (lease !== undefined && lease.spec?.renewTime !== first?.spec?.renewTime) return undefined;
  }
  const watched = `in the ${seconds} s since`;
  return first === undefined
    ? `Ready, but it had no Lease in kube-node-lease, and got none ${watched}: its kubelet does not report`
    : `Ready, but its Lease was last renewed at ${String(first.spec?.renewTime)} and not ${watched}: its kubelet is silent`;
}

/** One that was renewed in the future is not: clocks differ. */
function isFresh(lease: V1Lease, watchedSeconds: number): boolean {
  const age = secondsSinceRenewal(lease);
  return age >= 0 && age < watchedSeconds;
}

async function readLease(client: KubernetesClient, name: string): Promise<V1Lease | undefined> {
  try {
    return await client.get<V1Lease>(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
