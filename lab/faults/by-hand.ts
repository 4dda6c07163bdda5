/**
 * Faults by hand: npm run lab -- faults | fault NAME | heal NAME, so that a person can watch what the suite makes of one.
 */
import { SettingsError } from "../../helpers/errors.ts";
import { shellQuote } from "../../helpers/remote-command.ts";
import type { Instance } from "../instance.ts";
import { labOf } from "../proof/lab.ts";
import { healed } from "../proof/prove.ts";
import { environmentOf, type Fault } from "./fault.ts";
import { healNoted, injectNoted } from "./in-force.ts";
import { faults } from "./index.ts";

/** One line a fault: its name and its state. */
export const listOfFaults = (): string[] => {
  const width = Math.max(...faults.map(({ name }) => name.length));
  return faults.map(({ name, state }) => `${name.padEnd(width)}  ${state}`);
};

/** Brings a fault about, where none is in force. @returns what to do now, line by line */
export async function injectByHand(instance: Instance, name: string | undefined): Promise<string[]> {
  const fault = faultNamed(name);
  const lab = labOf(instance);
  await injectNoted(instance, fault.name, async () => {
    await fault.inject(lab);
    if (!(await fault.holds(lab))) throw new Error("it was injected and does not hold");
  });
  return [
    `${fault.state}.`,
    `See it:  ${runWith(environmentOf(fault, lab))}`,
    ...(fault.fails.length > 0 ? [`Fails:   ${fault.fails.join(", ")}`] : []),
    ...(fault.inconclusive.length > 0 ? [`Cannot look: ${fault.inconclusive.join(", ")}`] : []),
    `End it:  npm run lab -- heal ${fault.name}`,
  ];
}

/** What the lab says of itself would win over a setting that stands alone. */
function runWith(environment: Readonly<Record<string, string>>): string {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${shellQuote(value)} `);
  return settings.length === 0 ? "npx vitest run" : `(eval "$(npm run --silent lab -- env)"; ${settings.join("")}npx vitest run)`;
}

/** Ends the fault that is in force, and waits until the lab is healthy again. */
export async function healByHand(instance: Instance, name: string | undefined): Promise<void> {
  const fault = faultNamed(name);
  await healNoted(instance, fault.name, () => healed(labOf(instance), fault));
}

function faultNamed(name: string | undefined): Fault {
  if (name === undefined) throw new SettingsError(["Name a fault. npm run lab -- faults lists them."]);
  const fault = faults.find((each) => each.name === name);
  if (fault === undefined) throw new SettingsError([`"${name}" is not in the catalogue. npm run lab -- faults lists what is.`]);
  return fault;
}
