/**
 * The project's own tests: `npm run check` (node self/run.ts check) and `npm test` (node self/run.ts). The steps run in order, each to its
 * end, whatever the ones before have found; the last line is the sum of what the runners have counted.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { exitCodeOf, sentenceOf, sumOf, tallyOfReport, tallyOfTool, type Tally } from "./tally.ts";

type Step = { name: string; command: readonly string[]; minutes: number; reports?: true };

const vitest = ["vitest", "run", "--config=vitest.self.config.ts"];
const check: readonly Step[] = [
  { name: "types", command: ["tsc"], minutes: 5 },
  { name: "lint", command: ["oxlint", "--deny-warnings"], minutes: 5 },
  { name: "unused", command: ["knip", "--no-config-hints"], minutes: 5 },
  { name: "format", command: ["prettier", "--check", "--log-level=warn", "."], minutes: 5 },
  { name: "unit", command: [...vitest, "--project=unit"], minutes: 5, reports: true },
];
// From an empty cache, the lab's binaries are built first.
const lab: Step = { name: "lab", command: [...vitest, "--project=lab"], minutes: 85, reports: true };

const root = join(import.meta.dirname, "..");
const tools = join(root, "node_modules/.bin");
const reports = mkdtempSync(join(tmpdir(), "self-"));
// The tools are started by `env node`, which must find the pinned runtime and not the machine's.
const environment = { ...process.env, PATH: [tools, process.env["PATH"]].join(delimiter) };

let running: ChildProcess | undefined;
let stoppedBy: number | undefined;
// Ctrl-C reaches the running step by itself, from the terminal; what is sent to this process alone has to be passed on.
process.on("SIGINT", () => (stoppedBy = 130));
process.on("SIGTERM", () => {
  stoppedBy = 143;
  running?.kill("SIGTERM");
});

/** Where the last line is also written, for who cannot read it off the terminal. */
const summary = join(root, ".vitest/summary.txt");

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function runStep({ name, command, minutes, reports: writesReport }: Step): Promise<Tally> {
  const report = join(reports, `${name}.json`);
  const [program = "", ...given] = command;
  const parameters = writesReport ? [...given, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`] : given;
  print(`\n${name}: ${command.join(" ")}`);
  const exitCode = await exitCodeOfProcess(program, parameters, minutes);
  if (!writesReport) return tallyOfTool(exitCode);
  return tallyOfReport(existsSync(report) ? readFileSync(report, "utf8") : undefined, exitCode);
}

async function exitCodeOfProcess(program: string, parameters: readonly string[], minutes: number): Promise<number> {
  const child = spawn(join(tools, program), parameters, {
    cwd: root,
    env: environment,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: minutes * 60_000,
  });
  running = child;
  return new Promise((resolve) => {
    child.on("error", ({ message }) => {
      print(`${program} cannot be started: ${message}. Is it installed? Run: npm ci`);
      resolve(127);
    });
    child.on("exit", (code, signal) => {
      if (signal !== null) print(`${program} was ended by ${signal}, or took more than ${minutes} minutes`);
      resolve(code ?? 1);
    });
  });
}

rmSync(summary, { force: true });
const steps = process.argv[2] === "check" ? check : [...check, lab];
const tallies: [string, Tally][] = [];
for (const step of steps) {
  if (stoppedBy === undefined) tallies.push([step.name, await runStep(step)]);
}
rmSync(reports, { recursive: true });

const total = sumOf(tallies.map(([, tally]) => tally));
print("");
for (const [name, tally] of tallies) print(`${name.padEnd(8)}${sentenceOf(tally)}`);
print(sentenceOf(total));
mkdirSync(dirname(summary), { recursive: true });
writeFileSync(summary, `${sentenceOf(total)}\n`);
process.exitCode = stoppedBy ?? exitCodeOf(total);
