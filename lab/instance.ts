/**
 * An instance of the lab: what follows from its name. Two instances share nothing but the cache.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { isCIDR, overlaps } from "../helpers/cidr.ts";
import { SettingsError } from "../helpers/errors.ts";
import { clusterCIDR, serviceCIDR, subnetOfName, topologyOf, type Topology } from "./topology.ts";

/** What is derived from pinned versions alone, and so outlives every instance. */
export const cacheFolder = "/var/cache/hard-way-lab";
export const stateFolder = "/var/lib/hard-way-lab";

/** How the guide calls the cluster, and its context in a kubeconfig. */
export const clusterName = "kubernetes-the-hard-way";

export type Instance = {
  name: string;
  folder: string;
  topology: Topology;
  /** The name of a host's network namespace, and of the bridge's when no host is given. */
  namespaceOf(host?: string): string;
  /** The machine's end of the veth pair. Interface names have at most 15 characters. */
  link: string;
  /** Where the processes of a host are kept, below each cgroup hierarchy. */
  cgroupOf(host?: string): string;
  /** The root file system of a host. */
  rootOf(host: string): string;
  kubeconfig: string;
};

export function instanceOf({
  name,
  subnet = subnetOfName(name),
  workers,
}: {
  name: string;
  subnet?: string | undefined;
  workers: number;
}): Instance {
  const folder = join(stateFolder, name);
  return {
    name,
    folder,
    topology: topologyOf({ subnet, workers }),
    namespaceOf: (host = "bridge") => `hwl-${name}-${host}`,
    link: `hwl-${name}`,
    cgroupOf: (host) => join("hard-way-lab", name, host ?? ""),
    rootOf: (host) => join(folder, "hosts", host, "root"),
    kubeconfig: join(folder, "pki/admin.kubeconfig"),
  };
}

/** What an instance was made of. Recorded when it is complete, so that one that is not, or is another's, is told from one that is. */
export type Definition = { hash: string; subnet: string; workers: number; leaders: Record<string, number> };

const definitionPath = (name: string): string => join(stateFolder, name, "definition.json");

export function readDefinition(name: string): Definition | undefined {
  const path = definitionPath(name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Definition) : undefined;
}

export const definitionPathOf = definitionPath;

type Shape = { subnet: string; workers: number; ready?: string | undefined };

/** What this checkout would make an instance of, under this environment. */
export function wishedShape({ topology }: Instance, environment: Readonly<Record<string, string | undefined>>): Shape {
  const ready = environment["LAB_BINARIES"] ? resolve(environment["LAB_BINARIES"]) : undefined;
  return { subnet: topology.subnet, workers: topology.workers.length, ready };
}

/**
 * A hash over everything that decides what an instance is: the lab's own sources, the pins, the shape.
 * @param shape `ready` is the folder that LAB_BINARIES names; a binary that was replaced there makes another instance
 */
export function definitionHash({ ready, ...shape }: Shape): string {
  const binaries = ready === undefined ? [] : readdirSync(ready).map((name) => [ready, name, statSync(join(ready, name)).mtimeMs]);
  const hash = createHash("sha256").update(JSON.stringify([shape, binaries]));
  for (const path of sources(import.meta.dirname)) hash.update(path.slice(import.meta.dirname.length)).update(readFileSync(path));
  return hash.digest("hex");
}

/** Tests, what only they use, and what is done to an instance afterwards make no difference to it. */
function sources(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|go|mod|sum)$/.test(entry.name) && !entry.name.endsWith(".test.ts"))
    .filter((entry) => !["self", "faults", "legal", "proof"].includes(relative(folder, entry.parentPath)))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** The shape that the environment and the command line ask for. */
export function chosenInstance(environment: Readonly<Record<string, string | undefined>>, workers = 2): Instance {
  const name = environment["LAB_NAME"] || "lab";
  const subnet = environment["LAB_SUBNET"] || undefined;
  const problems: string[] = [];
  if (!/^[a-z][a-z0-9]{0,9}$/.test(name)) problems.push(`LAB_NAME="${name}": expected up to 10 small letters and digits, such as lab2.`);
  if (subnet !== undefined) problems.push(...subnetProblems(subnet).map((problem) => `LAB_SUBNET="${subnet}": ${problem}`));
  if (!Number.isInteger(workers) || workers < 1 || workers > 16) problems.push(`--workers: expected a number from 1 to 16.`);
  if (problems.length > 0) throw new SettingsError(problems);
  return instanceOf({ name, subnet, workers });
}

function subnetProblems(subnet: string): string[] {
  if (!isCIDR(subnet) || !subnet.endsWith(".0/24")) return ["expected a /24, such as 10.91.7.0/24."];
  const taken = [clusterCIDR, serviceCIDR].filter((range) => overlaps(range, subnet));
  return taken.map((range) => `it overlaps ${range}, where the lab's Pods and Services have their addresses.`);
}

/** The instance that the environment names, in the shape in which it was booted; undefined where none has been booted whole. */
export function recordedInstance(environment: Readonly<Record<string, string | undefined>>): Instance | undefined {
  const recorded = readDefinition(chosenInstance(environment).name);
  return recorded && chosenInstance({ ...environment, LAB_SUBNET: recorded.subnet }, recorded.workers);
}
