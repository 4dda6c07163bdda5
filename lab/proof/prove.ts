/**
 * One fault, or one legal cluster, on one lab: whether the suite makes of it what the catalogue says, and is green afterwards.
 */
import { environmentOf, removeRuns, type Fault, type Lab } from "../faults/fault.ts";
import { healthy } from "../healthy.ts";
import type { LegalCluster } from "../legal/cluster.ts";
import { proveLegal } from "../legal/prove.ts";
import { runSuite } from "../operator.ts";
import { bootedLab } from "./lab.ts";
import { misjudged } from "./verdict.ts";

/** What does not heal while the suite watches need not be watched for long. */
const shortDeadlines = {
  SMOKE_READY_TIMEOUT_SECONDS: "20",
  SMOKE_PULL_TIMEOUT_SECONDS: "20",
  SMOKE_REQUEST_TIMEOUT_SECONDS: "3",
  SMOKE_CLEANUP_TIMEOUT_SECONDS: "20",
};

/** Something that can be proved, and how. */
export type Provable = {
  name: string;
  /** As a sentence. */
  state: string;
  /** @returns sentences for what was not as the catalogue has it; none when it is proved */
  prove: (lab: Lab) => Promise<string[]>;
};

export const provableFault = (fault: Fault): Provable => ({
  name: fault.name,
  state: fault.state,
  prove: async (lab) => {
    const problems = await proveFault(lab, fault);
    await demandGreen(lab, `${fault.name} is healed`);
    return problems;
  },
});

export const provableCluster = (cluster: LegalCluster): Provable => ({
  name: cluster.name,
  state: cluster.state,
  prove: async (lab) => {
    const problems = await proveLegal(lab, cluster);
    await demandGreen(lab, `${cluster.name} is undone`);
    return problems;
  },
});

async function proveFault(lab: Lab, fault: Fault): Promise<string[]> {
  const problems = await seenOf(lab, fault).catch(async (error: unknown) => {
    // This one tells more than that of a heal which fails for the same reason.
    await healed(lab, fault).catch(() => undefined);
    throw error;
  });
  await healed(lab, fault);
  return problems;
}

async function seenOf(lab: Lab, fault: Fault): Promise<string[]> {
  await demandSight(lab, fault);
  await fault.inject(lab);
  await demand(fault.holds(lab), `${fault.name} does not hold once it is injected`);
  const outcome = await runSuite(lab.instance, { environment: { ...shortDeadlines, ...environmentOf(fault, lab) } });
  await demand(fault.holds(lab), `${fault.name} no longer held when the suite had run`);
  return misjudged(fault, outcome);
}

/** Ends a fault, removes what the run could not, and waits until the lab is as it should be. */
export async function healed(lab: Lab, fault: Fault): Promise<void> {
  await fault.heal(lab);
  await healthy(lab.instance);
  if (fault.leaves !== undefined) await removeRuns(lab);
}

/** A fault that does not hold is a defect of the lab, after which nothing that is seen proves anything. */
async function demand(condition: Promise<boolean>, otherwise: string): Promise<void> {
  if (!(await condition)) throw new Error(otherwise);
}

/** A look that sees the fault where it is not proves nothing. Of what the run is given wrongly the lab shows no beginning. */
async function demandSight(lab: Lab, fault: Fault): Promise<void> {
  if (fault.environment !== undefined) return;
  const holdsAlready = await fault.holds(lab).catch(() => false);
  if (holdsAlready) throw new Error(`${fault.name} holds before it is injected`);
}

/**
 * Boots a lab, or finds it up, and has the suite pass there once. That is also when the image of its Pods is pulled, which may take longer
 * than a proof waits.
 */
export async function greenLab(name: string): Promise<Lab> {
  const lab = await bootedLab(name);
  await demandGreen(lab, "the lab is booted");
  return lab;
}

/** A lab on which the suite does not pass is none to go on with. */
async function demandGreen(lab: Lab, since: string): Promise<void> {
  const { exitCode, output } = await runSuite(lab.instance);
  if (exitCode !== 0) throw new Error(`${since}, and the suite exits ${exitCode}:\n${output}`);
}
