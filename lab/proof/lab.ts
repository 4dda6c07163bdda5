/**
 * A lab as faults see it, and the boot of one.
 */
import { onHost, runLab } from "../commands.ts";
import type { Lab } from "../faults/fault.ts";
import { kubectl } from "../healthy.ts";
import { chosenInstance, type Instance } from "../instance.ts";
import { run } from "../run.ts";

export const labOf = (instance: Instance): Lab => ({
  instance,
  on: (host, command) => onHost(instance, host, command),
  kubectl: (...parameters) => run(kubectl(instance, ...parameters)),
});

/** Boots the lab of this name, or finds it up. */
export async function bootedLab(name: string): Promise<Lab> {
  const { exitCode, output } = await runLab(name, "up");
  if (exitCode !== 0) throw new Error(output);
  return labOf(chosenInstance({ LAB_NAME: name }));
}
