/**
 * What of a lab there could be on this machine, so that before and after can be compared.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { processesOf } from "../host.ts";
import { cacheFolder, stateFolder, type Instance } from "../instance.ts";
import { run } from "../run.ts";
import { wantedSysctls } from "../sysctls.ts";

type Named = { name?: string; ifname?: string };
const names = (json: string): string[] => (JSON.parse(json || "[]") as Named[]).map(({ name, ifname }) => name ?? ifname ?? "").toSorted();

/** Everything that outlives a process: links, namespaces, mounts, cgroups, sysctls, files; and the processes of the instance. */
export async function tracesOn(instance: Instance): Promise<Record<string, unknown>> {
  return {
    links: names(await run(["ip", "-j", "link"])),
    addresses: (await run(["ip", "-brief", "address"])).split("\n").map((line) => line.split(/\s+/).slice(0, 1).join(" ")),
    networkNamespaces: names(await run(["ip", "-j", "netns", "list"])),
    mounts: mounts(),
    cgroups: cgroups(),
    sysctls: Object.fromEntries(wantedSysctls.map((name) => [name, readFileSync(join("/proc/sys", name), "utf8").trim()])),
    files: existsSync(stateFolder) ? readdirSync(stateFolder).toSorted() : [],
    temporary: readdirSync("/tmp").filter((name) => /^(hard-way|pause-)/.test(name)),
    processes: processesOf(instance),
  };
}

const mounts = (): string[] =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(stateFolder) || path.startsWith(cacheFolder) || path.startsWith("/run/netns"))
    .toSorted();

function cgroups(): string[] {
  const root = "/sys/fs/cgroup";
  const parents = [root, ...readdirSync(root).map((name) => join(root, name))].map((folder) => join(folder, "hard-way-lab"));
  return parents.flatMap((folder) => (existsSync(folder) ? [folder, ...readdirSync(folder).map((name) => join(folder, name))] : []));
}
