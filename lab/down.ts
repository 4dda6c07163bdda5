/**
 * Taking the lab down, whatever state it is in: no process, mount, namespace, link, cgroup, sysctl or file outside of the cache stays.
 */
import { existsSync, readdirSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { powerOff, processesOf, releaseHosts } from "./host.ts";
import { readDefinition, stateFolder, type Instance } from "./instance.ts";
import { removeNetwork } from "./network.ts";
import { restoreSysctls } from "./sysctls.ts";

/** Removes the instance; what the instances share goes with the last of them. */
export async function takeDown(instance: Instance, say: (line: string) => void): Promise<void> {
  if (!existsSync(instance.folder) && processesOf(instance).length === 0) return;
  await powerOff(instance, readDefinition(instance.name)?.leaders ?? {});
  await releaseHosts(instance);
  await removeNetwork(instance);
  await rm(instance.folder, { recursive: true, force: true });
  const others = readdirSync(stateFolder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  if (others.length > 0) return;
  for (const line of await restoreSysctls()) say(line);
  await rmdir(stateFolder);
}
