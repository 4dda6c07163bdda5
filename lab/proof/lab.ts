/**
 * A lab as faults see it, and the boot of one.
 */
import { onHost, runLab } from "../commands.ts";
import type { Lab } from "../faults/fault.ts";
import { kubectl } from "../healthy.ts";
import { recordedInstance, type Instance } from "../instance.ts";
import { run } from "../run.ts";

export const labOf = (instance: Instance): Lab => ({
  instance,
  on: (host, command) => onHost(instance, host, command),
  kubectl: (...parameters) => run(kubectl(instance, ...parameters)),
});

/** Boots the lab of this name, or finds it up; in another shape it is built anew. @param parameters those of `lab up` */
export async function bootedLab(name: string, ...parameters: readonly string[]): Promise<Lab> {
  const { exitCode, output } = await runLab(name, "up", ...parameters);
  const instance = recordedInstance({ LAB_NAME: name });
  if (exitCode !== 0 || instance === undefined) throw new Error(output);
  return labOf(instance);
}
