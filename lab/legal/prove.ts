/**
 * Whether the suite passes on a cluster that is not as the guide has it, and right all the same.
 */
import { untilSo, type Lab } from "../faults/fault.ts";
import { healthy } from "../healthy.ts";
import { runSuite, type Outcome } from "../operator.ts";
import { bootedLab } from "../proof/lab.ts";
import type { LegalCluster } from "./cluster.ts";

/** Sentences for what was not as it should be; none when the suite has passed. The lab is again as it was afterwards. */
export async function proveLegal(lab: Lab, cluster: LegalCluster): Promise<string[]> {
  const { workers } = cluster;
  if (workers === undefined) return passes(lab, cluster);
  const { name, topology } = lab.instance;
  try {
    return await passes(await bootedLab(name, "--workers", String(workers)), cluster);
  } finally {
    await bootedLab(name, "--workers", String(topology.workers.length));
  }
}

async function passes(lab: Lab, cluster: LegalCluster): Promise<string[]> {
  await cluster.arrange(lab);
  try {
    await healthy(lab.instance, 120_000);
    await untilSo(`${cluster.name} to hold`, () => cluster.holds(lab));
    const { suites = [], environment = {} } = cluster;
    const outcome = await runSuite(lab.instance, { parameters: suites, environment });
    if (!(await cluster.holds(lab))) throw new Error(`${cluster.name} no longer held when the suite had run`);
    return notGreen(outcome);
  } finally {
    await cluster.undo(lab);
    await healthy(lab.instance, 120_000);
  }
}

/** Sentences for each check that has not passed. */
export function notGreen({ verdicts, exitCode, output }: Outcome): string[] {
  if (Object.keys(verdicts).length === 0) return [`the run has written no report:\n${output}`];
  const wrong = Object.entries(verdicts).filter(([, { verdict }]) => verdict !== "pass");
  const sentences = wrong.map(([id, { verdict, message }]) => `${id}: ${verdict}, expected pass: ${message}`);
  return sentences.length > 0 || exitCode === 0 ? sentences : [`every check is green, and the suite exits ${exitCode}:\n${output}`];
}
