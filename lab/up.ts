/**
 * Booting the lab. Whatever an earlier attempt left behind is repaired or built anew: an instance is complete only when its definition
 * has been recorded, and that is the last thing that happens.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { reasonOf, SettingsError } from "../helpers/errors.ts";
import { provideTree } from "./base.ts";
import { haveBinaries, provideBinaries } from "./binaries.ts";
import { componentsOf } from "./components/index.ts";
import { registryPort } from "./components/registry.ts";
import { takeDown } from "./down.ts";
import { healthy, kubectl } from "./healthy.ts";
import { isRunning } from "./environment.ts";
import { bootHost, installHost, knownHost } from "./host.ts";
import { provideImages, pushImage } from "./images.ts";
import { definitionHash, definitionPathOf, readDefinition, type Definition, type Instance } from "./instance.ts";
import { collisions, createNetwork } from "./network.ts";
import { createPKI } from "./pki.ts";
import { providePrerequisites } from "./prerequisites.ts";
import { progressOf, type Progress } from "./progress.ts";
import { run } from "./run.ts";
import { applySysctls } from "./sysctls.ts";
import { hostsOf } from "./topology.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Boots the instance, or makes sure that it is up and as this checkout defines it. Ends in `healthy`. */
export async function bringUp(instance: Instance, environment: Environment): Promise<void> {
  const progress = progressOf(haveBinaries() ? 6 : 7);
  const shape = { subnet: instance.topology.subnet, workers: instance.topology.workers.length };
  const hash = definitionHash(shape);
  const recorded = readDefinition(instance.name);
  if (isRunning(instance) && recorded?.hash === hash) {
    await healthy(instance);
    return progress.say(`"${instance.name}" is up and healthy`);
  }
  if (recorded !== undefined && recorded.hash !== hash)
    progress.say(`"${instance.name}" was made by another checkout, or for another shape: it is built anew`);
  await providePrerequisites(environment, progress.say);
  await refuseCollisions(instance);
  await takeDown(instance, progress.say);
  await create(instance, environment, progress, hash);
}

async function refuseCollisions(instance: Instance): Promise<void> {
  const found = await collisions(instance);
  if (found.length === 0) return;
  throw new SettingsError([`The lab's network ${instance.topology.subnet} overlaps ${found.join(" and ")}. Set LAB_SUBNET to a free /24.`]);
}

async function create(instance: Instance, environment: Environment, progress: Progress, hash: string): Promise<void> {
  const { step, say } = progress;
  const began = Date.now();
  const binaries = haveBinaries()
    ? await provideBinaries(undefined, say)
    : await step("building Kubernetes, etcd, containerd, runc, CNI plugins", () =>
        provideBinaries(environment["LAB_BINARIES"] || undefined, (name) => say(`  ${name}`)),
      );
  const [base, images] = await step(
    "Debian for the hosts, nginx for the Pods",
    async () => [await provideTree("host"), await provideImages()] as const,
  );
  for (const change of await applySysctls()) say(change);
  await mkdir(instance.folder, { recursive: true, mode: 0o700 });
  await step("certificates and network", () => Promise.all([createPKI(instance), createNetwork(instance)]));
  const components = componentsOf(instance);
  const leaders: Record<string, number> = {};
  await step(`hosts ${[...components.keys()].join(", ")}`, async () => {
    await Promise.all([...components].map(([host, of]) => installHost(instance, host, { base, binaries, components: of })));
    for (const host of components.keys()) leaders[host] = await bootHost(instance, host);
  });
  await writeFile(
    join(instance.folder, "known_hosts"),
    hostsOf(instance.topology)
      .map((host) => `${knownHost(instance, host)}\n`)
      .join(""),
  );
  await step("control plane, registry and images", async () => {
    await Promise.all([pushImages(instance, images), grantKubeletAccess(instance)]);
  });
  await step("Nodes Ready", () => healthy(instance));
  const definition: Definition = { hash, subnet: instance.topology.subnet, workers: instance.topology.workers.length, leaders };
  await writeFile(definitionPathOf(instance.name), JSON.stringify(definition));
  say(`"${instance.name}" is up and healthy after ${((Date.now() - began) / 1000).toFixed(0)} s`);
}

async function pushImages(instance: Instance, images: Awaited<ReturnType<typeof provideImages>>): Promise<void> {
  const registry = `http://${instance.topology.server.address}:${registryPort}`;
  await retrying("the registry", async () => {
    const { statusCode, body } = await request(`${registry}/v2/`);
    await body.dump();
    if (statusCode !== 200) throw new Error(`it answered ${statusCode}`);
  });
  for (const image of images) await pushImage(registry, image);
}

/** The guide's chapter 9: the API server, whose certificate says `kubernetes`, may use the kubelets' API. */
const kubeletAccess = [
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "system:kube-apiserver-to-kubelet", labels: { "kubernetes.io/bootstrapping": "rbac-defaults" } },
    rules: [{ apiGroups: [""], resources: ["nodes/proxy", "nodes/stats", "nodes/log", "nodes/spec", "nodes/metrics"], verbs: ["*"] }],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "system:kube-apiserver" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:kube-apiserver-to-kubelet" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "kubernetes" }],
  },
];

async function grantKubeletAccess(instance: Instance): Promise<void> {
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: kubeletAccess });
  await retrying("the API server", () => run(kubectl(instance, "apply", "--filename=-"), { input }));
}

/** What has just been started does not answer at once; it is asked again for a minute. */
async function retrying<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`${what} did not come up within 60 s; last seen: ${reasonOf(error)}`, {
          cause: error,
        });
      await sleep(150);
    }
  }
}
