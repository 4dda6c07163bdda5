/**
 * What of a lab there could be on this machine, so that before and after can be compared.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { processesOf } from "../host.ts";
import { cacheFolder, stateFolder, type Instance } from "../instance.ts";
import { run } from "../run.ts";
import { wantedSysctls } from "../sysctls.ts";

type Link = { ifname: string; addr_info: { local?: string; scope: string }[] };

/** Everything that outlives a process: links, routes, namespaces, mounts, cgroups, sysctls, files; and the processes of the instance. */
export async function tracesOn(instance: Instance): Promise<Record<string, unknown>> {
  const links = JSON.parse(await run(["ip", "-json", "address"])) as Link[];
  const routes = JSON.parse(await run(["ip", "-json", "route"])) as { dst: string; dev?: string }[];
  return {
    // An address of the link itself follows from a random number, and comes a moment after the link.
    links: links
      .map(({ ifname, addr_info }) => [ifname, ...addr_info.filter(({ scope }) => scope !== "link").map(({ local }) => local)].join(" "))
      .toSorted(),
    routes: routes.map(({ dst, dev }) => `${dst} ${dev}`).toSorted(),
    networkNamespaces: namesIn("/run/netns"),
    mounts: mounts(),
    cgroups: cgroups(),
    sysctls: Object.fromEntries(wantedSysctls.map((name) => [name, readFileSync(join("/proc/sys", name), "utf8").trim()])),
    files: namesIn(stateFolder),
    nspawn: namesIn("/run/systemd/nspawn/propagate"),
    temporary: readdirSync("/tmp").filter((name) => name.startsWith("nspawn-")),
    processes: processesOf(instance),
  };
}

/** Bytes of memory that its processes hold, all hosts together; the kernel's cache of files is not counted. */
export function memoryOf(instance: Instance): number {
  const path = (hierarchy: string): string => join("/sys/fs/cgroup", hierarchy, instance.cgroupOf(), "memory.stat");
  const [file, name] = existsSync(path("memory")) ? [path("memory"), "total_rss"] : [path(""), "anon"];
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(readFileSync(file, "utf8"))?.[1]);
}

/** Undefined for a folder that is not there, because an empty one is a trace as well. */
const namesIn = (folder: string): string[] | undefined => (existsSync(folder) ? readdirSync(folder).toSorted() : undefined);

const mounts = (): string[] =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(stateFolder) || path.startsWith(cacheFolder) || path.startsWith("/run/netns"))
    .toSorted();

/** The root of every hierarchy, where nspawn leaves cgroups of hosts that have none of their own, and what is below the lab's. */
function cgroups(): string[] {
  const root = "/sys/fs/cgroup";
  const roots = [root, ...childrenOf(root)];
  return [...roots.flatMap(childrenOf), ...roots.flatMap((hierarchy) => childrenOf(join(hierarchy, "hard-way-lab")))].toSorted();
}

const childrenOf = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(folder, name))
    : [];
