/**
 * An instance as others see it: whether it runs, how the suite finds it, a shell on its hosts.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { SettingsError } from "../helpers/errors.ts";
import { readIfThere } from "./files.ts";
import { clusterName, definitionHash, readDefinition, wishedShape, type Instance } from "./instance.ts";
import { hostsOf, serviceCIDR } from "./topology.ts";

/** Whether every host of the instance is running. Cheap, because every smoke test of the lab begins with it. */
export function isRunning(instance: Instance): boolean {
  return readDefinition(instance.name) !== undefined && stoppedHosts(instance).length === 0;
}

/** Whether the instance was made of what this checkout would make it of. */
export function isOfThisCheckout(instance: Instance, environment: Readonly<Record<string, string | undefined>>): boolean {
  return readDefinition(instance.name)?.hash === definitionHash(wishedShape(instance, environment));
}

/** The hosts of an instance that was up whole and that do not run any more. */
export function stoppedHosts(instance: Instance): string[] {
  const leaders = Object.entries(readDefinition(instance.name)?.leaders ?? {});
  return leaders.flatMap(([host, pid]) => (isLeader(instance, pid) ? [] : [host]));
}

/** Whether a process is the one that was started as a host's leader, and not a later one with its number. */
function isLeader(instance: Instance, pid: number): boolean {
  return readIfThere(`/proc/${pid}/cmdline`).includes(`--machine=${instance.namespaceOf("")}`);
}

/** @throws SettingsError that says what to do */
export function refuseUnlessRunning(instance: Instance): void {
  if (!isRunning(instance)) throw new SettingsError([`The lab "${instance.name}" is not up. Boot it: npm run lab -- up`]);
}

/** The variables that point the suite at the instance, just as a person would set them for a cluster of their own. */
export function variablesOf(instance: Instance): Record<string, string> {
  const hosts = hostsOf(instance.topology).map(({ name, address }) => `${name}=${address}`);
  return {
    KUBECONFIG: instance.kubeconfig,
    SMOKE_CONTEXT: clusterName,
    SMOKE_SERVER: "server",
    SMOKE_HOSTS: hosts.join(","),
    SMOKE_SSH_USER: "root",
    SMOKE_SSH_KEY: join(instance.folder, "pki/id_ed25519"),
    SMOKE_SSH_KNOWN_HOSTS: join(instance.folder, "known_hosts"),
    SMOKE_ENCRYPTION_CONFIG: join(instance.folder, "pki/encryption-config.yaml"),
    SMOKE_SERVICE_CIDR: serviceCIDR,
  };
}

/** A shell on a host, or one command; returns its exit code. */
export async function openShell(instance: Instance, host: string, command: readonly string[]): Promise<number> {
  const address = hostsOf(instance.topology).find(({ name }) => name === host)?.address;
  if (address === undefined)
    throw new SettingsError([
      `"${host}" is not a host of the lab: ${hostsOf(instance.topology)
        .map(({ name }) => name)
        .join(", ")}.`,
    ]);
  refuseUnlessRunning(instance);
  const { SMOKE_SSH_KEY: key, SMOKE_SSH_KNOWN_HOSTS: knownHosts } = variablesOf(instance);
  const options = ["-F", "none", "-i", key as string, "-o", `UserKnownHostsFile=${knownHosts}`, "-o", "StrictHostKeyChecking=yes"];
  const child = spawn("ssh", [...options, `root@${address}`, ...command], { stdio: "inherit" });
  return new Promise((resolve, reject) => child.on("error", reject).on("exit", (code) => resolve(code ?? 1)));
}
