/**
 * npm run proof [-- NAME ... | --changed] [--labs N]: brings about each fault of the catalogue on a lab, and runs the suite there as an
 * operator does. A fault is proved when the checks that must fail have failed, for its reason, those that cannot look have said so,
 * all others have passed, and the suite is green again once it is healed. A legal cluster is proved when the suite is green on it.
 */
import { SettingsError } from "../../helpers/errors.ts";
import { records, provables } from "./catalogue.ts";
import { workOff, type Proved } from "./lanes.ts";
import { isWhole, optionsIn, type Options } from "./options.ts";
import { withOwnLabs } from "./own-labs.ts";
import { greenLab, type Provable } from "./prove.ts";
import { isCurrent, readResults, recordProved, recordWholeRun } from "./results.ts";

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

async function main(): Promise<number> {
  const options = optionsIn(
    process.argv.slice(2),
    records.map(({ name }) => name),
  );
  return withOwnLabs({ command: "proof", labs: options.labs, say, action: (names) => prove(options, names) });
}

async function prove(options: Options, names: readonly string[]): Promise<number> {
  // Not before the labs are ours: who had them may just have proved some of what is stale.
  const wanted = chosen(options);
  const labNames = names.slice(0, wanted.length);
  const began = Date.now();
  const done = await workOff({ wanted, labs: labNames.map((name) => () => greenLab(name)), onProved: tell });
  const seconds = Math.round((Date.now() - began) / 1000);
  const proved = done.filter(({ problems }) => problems.length === 0).length;
  const isComplete = proved === wanted.length;
  if (isComplete && isWhole(options)) recordWholeRun({ seconds, labs: labNames.length });
  say(`${proved} of ${wanted.length} proved in ${seconds} s`);
  return isComplete ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
