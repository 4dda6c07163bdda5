/**
 * Taking the lab down, whatever state it is in: no process, mount, namespace, link, cgroup, sysctl or file outside of the cache stays.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { foldersIn } from "./files.ts";
import { powerOff, processesOf, releaseHosts } from "./host.ts";
import { stateFolder, type Instance } from "./instance.ts";
import { removeNetwork } from "./network.ts";
import { restoreSysctls } from "./sysctls.ts";

/** Whether there is anything of the instance, whole or not. */
export const isThere = (instance: Instance): boolean => existsSync(instance.folder) || processesOf(instance).length > 0;

/** Removes the instance; what the instances share goes with the last of them. */
export async function takeDown(instance: Instance, say: (line: string) => void): Promise<void> {
  // The shared folder is the last thing that goes, so that an interrupted `down` is taken up again.
  if (!existsSync(stateFolder) && processesOf(instance).length === 0) return;
  await powerOff(instance);
  await releaseHosts(instance);
  await removeNetwork(instance);
  await rm(instance.folder, { recursive: true, force: true });
  if (foldersIn(stateFolder).length > 0) return;
  for (const line of await restoreSysctls()) say(line);
  await rm(stateFolder, { recursive: true, force: true });
}
