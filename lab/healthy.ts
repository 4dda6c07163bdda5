/**
 * Whether the lab is as it should be: what `up` ends with, and every healed fault.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadKubeconfig } from "../helpers/kubeconfig.ts";
import { KubernetesClient } from "../helpers/kubernetes.ts";
import { pauseImage } from "./components/containerd.ts";
import { componentsOf } from "./components/index.ts";
import { leadersOf, runOnHost } from "./host.ts";
import { clusterName, type Instance } from "./instance.ts";

type Node = {
  metadata: { name: string };
  spec: { taints?: { key: string }[]; unschedulable?: boolean };
  status: { conditions?: { type: string; status: string; message: string }[] };
};

const requestTimeoutMs = 5_000;

/** kubectl as admin of an instance, the one that its server has. */
export const kubectl = (instance: Instance, ...parameters: readonly string[]): [string, ...string[]] => [
  join(instance.rootOf("server"), "usr/local/bin/kubectl"),
  `--kubeconfig=${instance.kubeconfig}`,
  "--request-timeout=5s",
  ...parameters,
];

/**
 * Waits until the API server is ready, every worker Ready and untainted, every unit active, and in a new namespace the controllers and
 * every kubelet are seen at work.
 * @throws Error with the last thing seen
 */
export async function healthy(instance: Instance, timeoutMs = 120_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const client = new KubernetesClient(await loadKubeconfig(instance.kubeconfig, clusterName));
  try {
    for (;;) {
      const problem = await problemOf(instance, client).catch((error: Error) => error.message);
      if (problem === undefined) return;
      if (Date.now() > deadline) throw new Error(`The lab is not healthy after ${timeoutMs / 1000} s; last seen: ${problem}`);
      await sleep(200);
    }
  } finally {
    await client.close();
  }
}

async function problemOf(instance: Instance, client: KubernetesClient): Promise<string | undefined> {
  const ready = await client.text("/readyz", { timeoutMs: requestTimeoutMs });
  if (ready !== "ok") return `/readyz answered ${ready}`;
  // The API calls a Node Ready for most of a minute after its kubelet has stopped; systemd knows at once.
  return (
    (await nodesProblem(instance, client)) ??
    (await unitsProblem(instance)) ??
    (await scratchProblem(instance, client)) ??
    // What a kubelet says when it has just been started may be that it is not Ready, and come when it has already started a Pod.
    nodesProblem(instance, client)
  );
}

async function nodesProblem(instance: Instance, client: KubernetesClient): Promise<string | undefined> {
  const nodes = await client.list<Node>("/api/v1/nodes", { timeoutMs: requestTimeoutMs });
  const problems = instance.topology.workers.map(({ name }) => {
    const node = nodes.find(({ metadata }) => metadata.name === name);
    return nodeProblem(name, node);
  });
  return inOne(problems.filter((problem) => problem !== undefined));
}

const inOne = (problems: readonly string[]): string | undefined => (problems.length === 0 ? undefined : problems.join("; "));

async function unitsProblem(instance: Instance): Promise<string | undefined> {
  const leaders = leadersOf(instance);
  const problems = await Promise.all(
    [...componentsOf(instance)].map(async ([host, components]) => {
      const units = components.flatMap((component) => component.units);
      if (leaders[host] === undefined) return [`${host} does not run`];
      const said = await runOnHost(leaders[host], ["systemctl", "show", "--value", "--property=ActiveState", ...units]);
      const states = said.split("\n").filter(Boolean);
      return units.flatMap((unit, index) => (states[index] === "active" ? [] : [`${unit} of ${host} is ${states[index]}`]));
    }),
  );
  return inOne(problems.flat());
}

function nodeProblem(name: string, node: Node | undefined): string | undefined {
  if (node === undefined) return `${name} is not registered`;
  const ready = node.status.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "True") return `${name} is not Ready: ${ready?.message ?? "no condition yet"}`;
  if (node.spec.unschedulable === true) return `${name} is cordoned`;
  const taints = (node.spec.taints ?? []).map(({ key }) => key);
  return taints.length > 0 ? `${name} is tainted: ${taints.join(", ")}` : undefined;
}

/** A namespace of its own shows whether controllers and kubelets are at work. */
async function scratchProblem(instance: Instance, client: KubernetesClient): Promise<string | undefined> {
  const { metadata } = await client.create<{ metadata: { name: string; uid: string } }>("/api/v1/namespaces", {
    metadata: { generateName: "lab-scratch-" },
  });
  const namespace = `/api/v1/namespaces/${metadata.name}`;
  try {
    return (await controllersProblem(client, namespace)) ?? (await kubeletsProblem(instance, client, namespace));
  } finally {
    await client.delete(namespace, { uid: metadata.uid });
  }
}

/** Whether something is so within some seconds. */
async function within(timeoutMs: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await isSo()) return true;
    if (Date.now() > deadline) return false;
    await sleep(100);
  }
}

async function controllersProblem(client: KubernetesClient, namespace: string): Promise<string | undefined> {
  const accounts = () => client.list(`${namespace}/serviceaccounts`, { timeoutMs: requestTimeoutMs });
  const created = await within(2_000, async () => (await accounts()).length > 0);
  return created ? undefined : "a new namespace got no ServiceAccount: kube-controller-manager is not at work";
}

/** A Node is called Ready for as long as a minute before its kubelet hears of new Pods again, after the API server was away. */
async function kubeletsProblem(instance: Instance, client: KubernetesClient, namespace: string): Promise<string | undefined> {
  const pods = `${namespace}/pods`;
  for (const { name } of instance.topology.workers) await client.create(pods, scratchPod(name), { timeoutMs: requestTimeoutMs });
  const started = await within(5_000, async () => {
    const seen = await client.list<{ status: { phase?: string } }>(pods, { timeoutMs: requestTimeoutMs });
    return seen.every(({ status }) => status.phase === "Running");
  });
  return started ? undefined : "within 5 s not every kubelet has started a Pod";
}

const scratchPod = (nodeName: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: nodeName },
  spec: {
    nodeName,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "pause", image: pauseImage }],
  },
});
