/**
 * A host of the lab: a Debian system booted by systemd-nspawn in a network namespace and cgroups of its own. Traps that have been walked
 * into: nspawn has to start inside a cgroup of its own in every v1 hierarchy, systemd's as well, or all hosts share one root; without
 * SYSTEMD_NSPAWN_API_VFS_WRITABLE=network a host sees the machine's interfaces in /sys; overlay does not mount on overlay, so
 * /var/lib/containerd is bound from the disk.
 */
import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Component, Content } from "./components/component.ts";
import { foldersIn, readIfThere } from "./files.ts";
import type { Instance } from "./instance.ts";
import { run, succeeds } from "./run.ts";

const folderOf = (instance: Instance, host: string): string => join(instance.folder, "hosts", host);

/** Lays the host's root: the base below, what the components install above. */
export async function installHost(
  instance: Instance,
  host: string,
  { base, binaries, components }: { base: string; binaries: string; components: readonly Component[] },
): Promise<void> {
  const folder = folderOf(instance, host);
  for (const name of ["upper", "work", "root", "containerd"]) await mkdir(join(folder, name), { recursive: true });
  await run([
    "mount",
    "-t",
    "overlay",
    "overlay",
    "-o",
    `lowerdir=${base},upperdir=${folder}/upper,workdir=${folder}/work`,
    `${folder}/root`,
  ]);
  const root = instance.rootOf(host);
  for (const { files, units } of components) {
    for (const [path, content] of Object.entries(files))
      await install(join(root, path), content, { binaries, pki: join(instance.folder, "pki") });
    const wants = join(root, "etc/systemd/system/multi-user.target.wants");
    await mkdir(wants, { recursive: true });
    for (const unit of units) await symlink(`/etc/systemd/system/${unit}`, join(wants, unit));
  }
  await chmod(join(root, "root/.ssh"), 0o700);
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", host, "-f", join(root, "etc/ssh/ssh_host_ed25519_key")]);
}

async function install(path: string, content: Content, from: { binaries: string; pki: string }): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if ("text" in content) await writeFile(path, content.text);
  else if ("pki" in content) await copyFile(join(from.pki, content.pki), path);
  else {
    await copyFile(join(from.binaries, content.binary), path);
    await chmod(path, 0o755);
  }
}

/** The host's public key, as a line of known_hosts. */
export function knownHost(instance: Instance, { name, address }: { name: string; address: string }): string {
  const [type, key] = readFileSync(join(instance.rootOf(name), "etc/ssh/ssh_host_ed25519_key.pub"), "utf8").split(" ");
  return `${name},${address} ${type} ${key}`;
}

const capabilities = ["--capability=all", "--system-call-filter=@known bpf keyctl add_key request_key @mount"];

/** Boots a host in the background, in a session of its own, so that it outlives whoever booted it. Returns the process's number. */
export async function bootHost(instance: Instance, host: string): Promise<number> {
  const folder = folderOf(instance, host);
  const console = openSync(join(folder, "console.log"), "a");
  const cgroups = await createCgroups(instance, host);
  const nspawn = [
    ...[
      "systemd-nspawn",
      "--quiet",
      "--register=no",
      "--keep-unit",
      `--directory=${instance.rootOf(host)}`,
      `--machine=${instance.namespaceOf(host)}`,
    ],
    ...[`--hostname=${host}`, `--network-namespace-path=/run/netns/${instance.namespaceOf(host)}`, ...capabilities],
    ...[`--bind=${folder}/containerd:/var/lib/containerd`, "--bind=/dev/kmsg", "--console=pipe", "--boot"],
    // It would give the host this machine's name server, for which every lookup of an unknown name would wait in vain.
    "--resolv-conf=off",
  ];
  // The shell enters the cgroups before it becomes nspawn; there is no moment at which nspawn runs outside of them.
  const enter = cgroups.map((cgroup) => `echo $$ > '${cgroup}/cgroup.procs'`).join(" && ");
  const child = spawn("sh", ["-c", `${enter} && exec "$@"`, "sh", ...nspawn], {
    detached: true,
    stdio: ["ignore", console, console],
    env: {
      ...process.env,
      SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network",
      // Its locks would stay in /run for ever; the lab has one of its own.
      SYSTEMD_NSPAWN_LOCK: "0",
      ...(usesUnified() ? {} : { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "0" }),
    },
  });
  child.unref();
  if (child.pid === undefined) throw new Error(`${host}: systemd-nspawn could not be started`);
  return child.pid;
}

const cgroupRoot = "/sys/fs/cgroup";
const usesUnified = (): boolean => existsSync(join(cgroupRoot, "cgroup.controllers"));

/** The hierarchies that are mounted here: one with cgroup v2, several with v1; cpu and cpuacct may be links to one that both share. */
const hierarchies = (): string[] =>
  usesUnified()
    ? [cgroupRoot]
    : foldersIn(cgroupRoot)
        .map((name) => join(cgroupRoot, name))
        .filter((folder) => existsSync(join(folder, "cgroup.procs")));

async function createCgroups(instance: Instance, host: string): Promise<string[]> {
  const created: string[] = [];
  for (const hierarchy of hierarchies()) {
    const parent = join(hierarchy, instance.cgroupOf());
    await mkdir(join(hierarchy, instance.cgroupOf(host)), { recursive: true });
    if (hierarchy.endsWith("cpuset")) for (const folder of [dirname(parent), parent, join(parent, host)]) await inheritCpuset(folder);
    if (hierarchy.endsWith("memory")) await writeFile(join(parent, "memory.use_hierarchy"), "1").catch(() => undefined);
    created.push(join(hierarchy, instance.cgroupOf(host)));
  }
  return created;
}

/** A new cpuset has no processors, and nothing can enter it. */
async function inheritCpuset(folder: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) await writeFile(join(folder, file), readFileSync(join(dirname(folder), file)));
  await writeFile(join(folder, "cgroup.clone_children"), "1");
}

/** Every process in an instance's cgroups, whichever hierarchy knows of it. */
export function processesOf(instance: Instance): number[] {
  const lists = cgroupsOf(instance).map((folder) => readIfThere(join(folder, "cgroup.procs")));
  return [...new Set(lists.flatMap((list) => list.split("\n").filter(Boolean).map(Number)))];
}

/** The deepest first, as they have to be removed. */
function cgroupsOf(instance: Instance): string[] {
  const below = (folder: string): string[] => [...foldersIn(folder).flatMap((name) => below(join(folder, name))), folder];
  return hierarchies().flatMap((hierarchy) => below(join(hierarchy, instance.cgroupOf())));
}

/**
 * The systemd-nspawn of every host that runs, by the host's name. They are found by what they are, because an attempt to boot that broke
 * off has recorded none.
 */
export function leadersOf(instance: Instance): Record<string, number> {
  const machine = `--machine=${instance.namespaceOf("")}`;
  const leaders = processesOf(instance).flatMap((pid) => {
    const parameter = readIfThere(`/proc/${pid}/cmdline`)
      .split("\0")
      .find((part) => part.startsWith(machine));
    return parameter === undefined ? [] : [[parameter.slice(machine.length), pid] as const];
  });
  // A child that nspawn has just forked looks like it; the first is the parent.
  return Object.fromEntries(leaders.toReversed());
}

/** systemd's own signal for powering off, SIGRTMIN+4. Node knows no name for it. */
const powerOffSignal = 38;

/** Asks every host to power off, and ends by force what has not gone by itself. */
export async function powerOff(instance: Instance): Promise<void> {
  for (const leader of Object.values(leadersOf(instance))) send(initOf(leader), powerOffSignal);
  await until(() => Object.keys(leadersOf(instance)).length === 0, 8_000);
  await until(() => {
    for (const pid of processesOf(instance)) send(pid, "SIGKILL");
    return processesOf(instance).length === 0;
  }, 10_000);
  const left = processesOf(instance);
  if (left.length > 0) throw new Error(`"${instance.name}": the processes ${left.join(", ")} do not end, though SIGKILL was sent to them.`);
}

async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition() && Date.now() < deadline) await sleep(100);
}

function send(pid: number | undefined, signal: NodeJS.Signals | number): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch {
    // It has gone meanwhile.
  }
}

/** systemd of a host, as this machine numbers it: the one child of its nspawn. */
function initOf(leader: number): number | undefined {
  const [child] = readIfThere(`/proc/${leader}/task/${leader}/children`).split(" ");
  return child ? Number(child) : undefined;
}

/** Removes what a powered off instance still has in the kernel, mounts and cgroups, and what nspawn forgets when it is killed. */
export async function releaseHosts(instance: Instance): Promise<void> {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  for (const mount of mounts.filter((path) => path.startsWith(`${instance.folder}/`)).toReversed()) await run(["umount", "--lazy", mount]);
  for (const folder of cgroupsOf(instance)) await succeeds(["rmdir", folder]);
  for (const hierarchy of hierarchies()) await succeeds(["rmdir", dirname(join(hierarchy, instance.cgroupOf()))]);
  await removeTraces(instance);
}

const nspawnFolder = "/run/systemd/nspawn";

/** A folder a host by which nspawn passes mounts on. The folders above are nspawn's own; whatever else is in them keeps them. */
async function removeTraces(instance: Instance): Promise<void> {
  const propagate = join(nspawnFolder, "propagate");
  const names = foldersIn(propagate).filter((name) => name.startsWith(instance.namespaceOf("")));
  for (const name of names) await rm(join(propagate, name), { recursive: true });
  await rmdir(propagate).catch(() => undefined);
  await rmdir(nspawnFolder).catch(() => undefined);
}

/** Runs a command on a host from the outside, without SSH. */
export async function runOnHost(leader: number, command: readonly string[]): Promise<string> {
  const init = initOf(leader);
  if (init === undefined) throw new Error("the host is not running");
  return run(["nsenter", `--target=${init}`, "--mount", "--uts", "--ipc", "--net", "--pid", ...command]);
}
