/**
 * Whether the lab is as it should be: what `up` ends with, and every healed fault.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pauseImage } from "./components/containerd.ts";
import { componentsOf } from "./components/index.ts";
import { leadersOf, runOnHost } from "./host.ts";
import type { Instance } from "./instance.ts";
import { run, succeeds } from "./run.ts";

type Node = {
  metadata: { name: string };
  spec: { taints?: { key: string }[]; unschedulable?: boolean };
  status: { conditions?: { type: string; status: string; message: string }[] };
};

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
export async function healthy(instance: Instance, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const problem = await problemOf(instance).catch((error: Error) => error.message);
    if (problem === undefined) return;
    if (Date.now() > deadline) throw new Error(`The lab is not healthy after ${timeoutMs / 1000} s; last seen: ${problem}`);
    await sleep(200);
  }
}

async function problemOf(instance: Instance): Promise<string | undefined> {
  const ready = await run(kubectl(instance, "get", "--raw", "/readyz"));
  if (ready !== "ok") return `/readyz answered ${ready}`;
  const nodes = (JSON.parse(await run(kubectl(instance, "get", "nodes", "-o", "json"))) as { items: Node[] }).items;
  const problems = instance.topology.workers.flatMap(
    ({ name }) =>
      nodeProblem(
        name,
        nodes.find((node) => node.metadata.name === name),
      ) ?? [],
  );
  // The API calls a Node Ready for most of a minute after its kubelet has stopped; systemd knows at once.
  if (problems.length === 0) problems.push(...(await unitProblems(instance)));
  return problems.length > 0 ? problems.join("; ") : scratchProblem(instance);
}

async function unitProblems(instance: Instance): Promise<string[]> {
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
  return problems.flat();
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
async function scratchProblem(instance: Instance): Promise<string | undefined> {
  const name = `lab-scratch-${process.pid}`;
  await run(kubectl(instance, "create", "namespace", name));
  try {
    return (await controllersProblem(instance, name)) ?? (await kubeletsProblem(instance, name));
  } finally {
    await run(kubectl(instance, "delete", "namespace", name, "--wait=false"));
  }
}

async function controllersProblem(instance: Instance, namespace: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const found = await run(kubectl(instance, "-n", namespace, "get", "serviceaccount", "default", "--ignore-not-found", "-o", "name"));
    if (found !== "") return undefined;
    await sleep(100);
  }
  return "a new namespace got no ServiceAccount: kube-controller-manager is not at work";
}

/** A Node is called Ready for as long as a minute before its kubelet hears of new Pods again, after the API server was away. */
async function kubeletsProblem(instance: Instance, namespace: string): Promise<string | undefined> {
  const items = instance.topology.workers.map(({ name }) => scratchPod(name));
  await run(kubectl(instance, "-n", namespace, "create", "--filename=-"), {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  });
  const running = ["wait", "--for=jsonpath={.status.phase}=Running", "pods", "--all", "--timeout=5s", "--request-timeout=0"];
  const started = await succeeds(kubectl(instance, "-n", namespace, ...running));
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
