/**
 * npm run bench: the chapter as a script and the suite, in turn, on a lab of its own. Writes docs/bench.md, and exits 1 when a limit is
 * missed.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { SettingsError } from "../helpers/errors.ts";
import { managedBy, managedByLabel } from "../helpers/run.ts";
import { kubectl } from "../lab/healthy.ts";
import type { Instance } from "../lab/instance.ts";
import { bootedLab } from "../lab/proof/lab.ts";
import { machineFacts } from "../lab/proof/machine.ts";
import { withOwnLabs } from "../lab/proof/own-labs.ts";
import { run, succeeds } from "../lab/run.ts";
import { compare, missedLimits, type Measurement, type Pair } from "./comparison.ts";
import { documentOf } from "./document.ts";
import { environmentOf } from "./environment.ts";
import { timedRun, type Command } from "./timed-run.ts";

const fewestPairs = 5;
const root = join(import.meta.dirname, "..");
const page = join(root, "docs/bench.md");
const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

type Side = {
  command: Command;
  /** How `kubectl wait` finds the run's namespace. */
  namespace: readonly string[];
};

function sidesOf(instance: Instance, environment: Readonly<Record<string, string>>): Record<keyof Pair, Side> {
  const scriptNamespace = `chapter-${process.pid}`;
  const script = {
    program: join(import.meta.dirname, "chapter.sh"),
    parameters: [],
    folder: root,
    environment: {
      ...environment,
      PATH: [dirname(kubectl(instance)[0]), environment["PATH"]].join(delimiter),
      CHAPTER_NAMESPACE: scriptNamespace,
    },
    isVerdict: (line: string) => line === "passed",
  };
  const suite = {
    program: "npx",
    parameters: ["vitest", "run"],
    folder: root,
    environment,
    // A line a check: its mark, its id and what must hold.
    isVerdict: (line: string) => /^[✓✗?-] [a-z0-9-]+: /.test(line),
  };
  return {
    script: { command: script, namespace: [`namespace/${scriptNamespace}`] },
    suite: { command: suite, namespace: ["namespaces", `--selector=${managedByLabel}=${managedBy}`] },
  };
}

async function measure(instance: Instance, { command, namespace }: Side, watchesMemory: boolean): Promise<Measurement> {
  const began = performance.now();
  const measured = await timedRun(command, { watchesMemory });
  await run(kubectl(instance, "wait", "--for=delete", ...namespace, "--timeout=60s", "--request-timeout=0"));
  return { ...measured, goneMs: performance.now() - began };
}

async function measurePair(instance: Instance, { script, suite }: Record<keyof Pair, Side>, watchesMemory = false): Promise<Pair> {
  const pair = { script: await measure(instance, script, watchesMemory), suite: await measure(instance, suite, watchesMemory) };
  const times = ({ verdictMs, exitMs, goneMs }: Measurement) => [verdictMs, exitMs, goneMs].map((ms) => (ms / 1000).toFixed(1)).join(" / ");
  say(`script ${times(pair.script)} s, suite ${times(pair.suite)} s to the last verdict / to exit / to the namespace's end`);
  return pair;
}

function wantedPairs(): number {
  const { values } = parseArgs({ options: { pairs: { type: "string", default: String(fewestPairs) } } });
  const pairs = Number(values.pairs);
  if (!Number.isInteger(pairs) || pairs < fewestPairs) {
    throw new SettingsError([`--pairs ${values.pairs}: expected a whole number, at least ${fewestPairs}.`]);
  }
  return pairs;
}

async function refuseMissingTools(): Promise<void> {
  for (const tool of ["ssh", "curl", "npx"]) {
    if (!(await succeeds(["sh", "-c", `command -v ${tool}`]))) throw new SettingsError([`The bench needs ${tool}, which is not in PATH.`]);
  }
}

async function main(): Promise<void> {
  const wanted = wantedPairs();
  await refuseMissingTools();
  await withOwnLabs({ command: "bench", labs: 1, say, action: ([name = ""]) => bench(name, wanted) });
}

async function bench(lab: string, wanted: number): Promise<void> {
  say(`booting the lab "${lab}"`);
  const { instance } = await bootedLab(lab);
  const temporary = await mkdtemp(join(tmpdir(), "bench-"));
  try {
    const sides = sidesOf(instance, environmentOf(instance, process.env, temporary));
    say("two pairs beforehand, whose memory is watched and whose times are not counted");
    const watched = [await measurePair(instance, sides, true), await measurePair(instance, sides, true)];
    const timed: Pair[] = [];
    while (timed.length < wanted) timed.push(await measurePair(instance, sides));
    const comparison = compare(timed, watched);
    const document = documentOf(comparison, await machineFacts(instance, `npm run bench -- --pairs ${wanted}`));
    await writeFile(page, document);
    process.stdout.write(document);
    const missed = missedLimits(comparison);
    for (const sentence of missed) say(`missed: ${sentence}`);
    process.exitCode = missed.length > 0 ? 1 : 0;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
