/**
 * npm run proof [-- NAME ... | --changed] [--labs N]: brings about each fault of the catalogue on a lab, and runs the suite there as an
 * operator does. A fault is proved when the checks that must fail have failed, for its reason, those that cannot look have said so,
 * all others have passed, and the suite is green again once it is healed. A legal cluster is proved when the suite is green on it.
 */
import { SettingsError } from "../../helpers/errors.ts";
import { runLab } from "../commands.ts";
import { chosenInstance } from "../instance.ts";
import { endRuns } from "../operator.ts";
import { records, provables } from "./catalogue.ts";
import { workOff, type Proved } from "./lanes.ts";
import { optionsIn, type Options } from "./options.ts";
import { greenLab, type Provable } from "./prove.ts";
import { isCurrent, readResults, recordProved } from "./results.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function chosen({ names, changed }: Options): readonly Provable[] {
  if (names.length > 0) return provables.filter(({ name }) => names.includes(name));
  if (!changed) return provables;
  const results = readResults();
  const current = new Set(records.filter((record) => isCurrent(record, results)).map(({ name }) => name));
  return provables.filter(({ name }) => !current.has(name));
}

/** What was proved is written down at once, so that an end before the last costs nothing of it. */
async function tell(proved: Proved): Promise<void> {
  const { name, state, problems, seconds } = proved;
  say(`${problems.length === 0 ? "proved" : "NOT PROVED"} ${name}: ${state}, ${seconds} s`);
  for (const problem of problems) say(`    ${problem.replaceAll("\n", "\n    ")}`);
  await recordProved(proved);
}

/** Whatever is wrong with them, the labs are the proof's own, and go. */
function takeDownOnSignals(takeDown: () => Promise<unknown>): void {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      say("Interrupted: the labs of the proof are taken down.");
      void takeDown().then(() => {
        endRuns();
        process.exit(code);
      });
    });
  }
}

async function main(): Promise<number> {
  const options = optionsIn(
    process.argv.slice(2),
    records.map(({ name }) => name),
  );
  const wanted = chosen(options);
  const base = process.env["LAB_NAME"] || "proof";
  const labNames = [base, ...Array.from({ length: options.labs - 1 }, (_, index) => `${base}${index + 2}`)].slice(0, wanted.length);
  for (const name of labNames) chosenInstance({ LAB_NAME: name });
  const takeDown = () => Promise.all(labNames.map((name) => runLab(name, "down")));
  takeDownOnSignals(takeDown);
  const began = Date.now();
  try {
    const done = await workOff({ wanted, labs: labNames.map((name) => () => greenLab(name)), onProved: tell });
    const proved = done.filter(({ problems }) => problems.length === 0).length;
    say(`${proved} of ${wanted.length} proved in ${Math.round((Date.now() - began) / 1000)} s`);
    return proved === wanted.length ? 0 : 1;
  } finally {
    await takeDown();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
