/**
 * Booting the lab. Whatever an earlier attempt left behind is removed first: an instance is complete only when its definition has been
 * recorded, and that is the last thing that happens.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { reasonOf, SettingsError } from "../helpers/errors.ts";
import { provideTree } from "./base.ts";
import { provideBinaries } from "./binaries.ts";
import { componentsOf } from "./components/index.ts";
import { registryPort } from "./components/registry.ts";
import { isThere, takeDown } from "./down.ts";
import { isRunning } from "./environment.ts";
import { writeWhole } from "./files.ts";
import { healthy, kubectl } from "./healthy.ts";
import { bootHost, installHost, knownHost } from "./host.ts";
import { provideImages, pushImage, type Image } from "./images.ts";
import { definitionHash, definitionPathOf, readDefinition, wishedShape, type Definition, type Instance } from "./instance.ts";
import { collisions, createNetwork } from "./network.ts";
import { createPKI } from "./pki.ts";
import { installPackages, prerequisites, thisMachine, workAhead } from "./prerequisites.ts";
import { inSteps, say, type Step } from "./progress.ts";
import { run } from "./run.ts";
import { applySysctls } from "./sysctls.ts";
import { hostsOf } from "./topology.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Boots the instance, or makes sure that it is up and as this checkout defines it. Ends in `healthy`. */
export async function bringUp(instance: Instance, environment: Environment): Promise<void> {
  const began = Date.now();
  const { ready, ...shape } = wishedShape(instance, environment);
  const packages = await refuseUnlessPossible(instance, { ready, install: environment["LAB_INSTALL"] });
  const hash = definitionHash({ ...shape, ready });
  if (isThere(instance)) {
    const flaw = await flawOf(instance, hash);
    if (flaw === undefined) return say(`"${instance.name}" is up and healthy`);
    say(`"${instance.name}" ${flaw}: it is built anew`);
  }
  const leaders = await build(instance, { ready, packages });
  const definition: Definition = { hash, ...shape, leaders };
  await writeWhole(definitionPathOf(instance.name), JSON.stringify(definition));
  say(`"${instance.name}" is up and healthy after ${((Date.now() - began) / 1000).toFixed(0)} s`);
}

/** Says all that stands in the way, before anything is changed; returns the Debian packages that are to be installed. */
async function refuseUnlessPossible(
  instance: Instance,
  wishes: { ready: string | undefined; install: string | undefined },
): Promise<string[]> {
  const { problems, packages } = prerequisites(await thisMachine(), workAhead(wishes.ready), wishes);
  // Without `ip` nobody can tell yet; the step that installs it asks again.
  const taken = await networkProblems(instance).catch(() => []);
  if (problems.length + taken.length > 0) throw new SettingsError([...problems, ...taken]);
  return packages;
}

async function networkProblems(instance: Instance): Promise<string[]> {
  const found = await collisions(instance);
  return found.length === 0
    ? []
    : [`The lab's network ${instance.topology.subnet} overlaps ${found.join(" and ")} of this machine. Set LAB_SUBNET to a free /24.`];
}

/** Why an instance that is there cannot stay; undefined when it can. */
async function flawOf(instance: Instance, hash: string): Promise<string | undefined> {
  const recorded = readDefinition(instance.name);
  if (recorded === undefined) return "was left half made";
  if (recorded.hash !== hash) return "was made by another checkout, or in another shape";
  if (!isRunning(instance)) return "has hosts that do not run";
  return healthy(instance, 10_000).then(
    () => undefined,
    (error: unknown) => `is up but not healthy (${reasonOf(error)})`,
  );
}

/** Builds and boots all of it; returns the process that leads each host. */
async function build(
  instance: Instance,
  { ready, packages }: { ready: string | undefined; packages: readonly string[] },
): Promise<Record<string, number>> {
  const components = componentsOf(instance);
  const leaders: Record<string, number> = {};
  let [binaries, base, images]: [string, string, readonly Image[]] = ["", "", []];
  const install: Step = [`Debian packages ${packages.join(" ")}`, () => installAndLookAgain(instance, packages)];
  const remove: Step = ["removing what is there", () => takeDown(instance, say)];
  await inSteps([
    ...(packages.length > 0 ? [install] : []),
    [
      "Kubernetes, etcd, containerd, runc, CNI plugins, registry; Debian for the hosts, nginx for the Pods",
      // Side by side: while one loads, the other computes.
      async () => {
        const building = provideBinaries(ready, (name) => say(`  building ${name}`));
        [binaries, [base, images]] = await Promise.all([building, provideSystems()]);
      },
    ],
    ...(isThere(instance) ? [remove] : []),
    ["certificates and network", () => prepare(instance)],
    [
      `hosts ${[...components.keys()].join(", ")}`,
      async () => {
        await Promise.all([...components].map(([host, of]) => installHost(instance, host, { base, binaries, components: of })));
        for (const host of components.keys()) leaders[host] = await bootHost(instance, host);
        await writeKnownHosts(instance);
      },
    ],
    ["control plane, registry and images", () => Promise.all([pushImages(instance, images), grantKubeletAccess(instance)])],
    ["Nodes Ready", () => healthy(instance)],
  ]);
  return leaders;
}

async function provideSystems(): Promise<[base: string, images: readonly Image[]]> {
  const base = await provideTree("host");
  const images = await provideImages();
  say("  Debian and nginx are there");
  return [base, images];
}

async function installAndLookAgain(instance: Instance, packages: readonly string[]): Promise<void> {
  await installPackages(packages);
  const problems = await networkProblems(instance);
  if (problems.length > 0) throw new SettingsError(problems);
}

async function prepare(instance: Instance): Promise<void> {
  // The folder first: whatever is changed from here on, `down` finds that there is something to undo.
  await mkdir(instance.folder, { recursive: true, mode: 0o700 });
  for (const change of await applySysctls()) say(change);
  await Promise.all([createPKI(instance), createNetwork(instance)]);
}

async function writeKnownHosts(instance: Instance): Promise<void> {
  const lines = hostsOf(instance.topology).map((host) => `${knownHost(instance, host)}\n`);
  await writeFile(join(instance.folder, "known_hosts"), lines.join(""));
}

async function pushImages(instance: Instance, images: readonly Image[]): Promise<void> {
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
