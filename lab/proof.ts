/**
 * npm run proof: brings about each fault of the catalogue on a lab of its own, and runs the suite there as an operator does. A fault
 * is proved when the checks that must fail have failed, for its reason, those that cannot look have said so, all others have passed, and
 * the suite is green again once it is healed. Names as arguments choose some of them.
 */
import { SettingsError } from "../helpers/errors.ts";
import { faults } from "./faults/index.ts";
import type { Fault, Lab } from "./faults/fault.ts";
import { healthy, kubectl } from "./healthy.ts";
import { chosenInstance } from "./instance.ts";
import { runSuite } from "./operator.ts";
import { misjudged } from "./proof-verdict.ts";
import { run } from "./run.ts";
import { onHost, runLab } from "./commands.ts";

const name = process.env["LAB_NAME"] || "proof";
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What does not heal while the suite watches need not be watched for long. */
const shortDeadlines = { SMOKE_READY_TIMEOUT_SECONDS: "20", SMOKE_PULL_TIMEOUT_SECONDS: "20", SMOKE_CLEANUP_TIMEOUT_SECONDS: "20" };

function chosenFaults(names: readonly string[]): readonly Fault[] {
  const unknown = names.filter((wanted) => !faults.some((fault) => fault.name === wanted));
  if (unknown.length > 0) {
    throw new SettingsError([`The catalogue has no ${unknown.join(", ")}. It has: ${faults.map((fault) => fault.name).join(", ")}.`]);
  }
  return names.length === 0 ? faults : faults.filter((fault) => names.includes(fault.name));
}

/** Sentences for what was not as the catalogue has it; none when the fault is proved. */
async function prove(lab: Lab, fault: Fault): Promise<string[]> {
  await fault.inject(lab);
  try {
    await demand(fault.holds(lab), `${fault.name} does not hold once it is injected`);
    const outcome = await runSuite(lab.instance, { environment: { ...shortDeadlines, ...fault.environment } });
    await demand(fault.holds(lab), `${fault.name} no longer held when the suite had run`);
    return misjudged(fault, outcome);
  } finally {
    await fault.heal(lab);
    await healthy(lab.instance, 120_000);
  }
}

/** A fault that does not hold is a defect of the lab, after which nothing that is seen proves anything. */
async function demand(condition: Promise<boolean>, otherwise: string): Promise<void> {
  if (!(await condition)) throw new Error(otherwise);
}

async function main(): Promise<number> {
  const chosen = chosenFaults(process.argv.slice(2));
  const { exitCode, output } = await runLab(name, "up");
  if (exitCode !== 0) throw new Error(output);
  const instance = chosenInstance({ LAB_NAME: name });
  const lab: Lab = {
    instance,
    on: (host, command) => onHost(instance, host, command),
    kubectl: (...parameters) => run(kubectl(instance, ...parameters)),
  };
  let unproved = 0;
  for (const fault of chosen) {
    const began = Date.now();
    const problems = await prove(lab, fault);
    const healed = await runSuite(instance);
    if (healed.exitCode !== 0) problems.push(`once it is healed, the suite exits ${healed.exitCode}:\n${healed.output}`);
    if (problems.length > 0) unproved += 1;
    say(`${problems.length === 0 ? "proved" : "NOT PROVED"} ${fault.name}: ${fault.state}, ${Math.round((Date.now() - began) / 1000)} s`);
    for (const problem of problems) say(`    ${problem.replaceAll("\n", "\n    ")}`);
  }
  say(`${chosen.length - unproved} of ${chosen.length} faults proved`);
  return unproved === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
