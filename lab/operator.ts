/**
 * The suite as an operator starts it: `npx vitest run` as a child process, with an environment that is built here from nothing.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { settingNames } from "../helpers/config.ts";
import { variablesOf } from "./environment.ts";
import type { Instance } from "./instance.ts";
import { verdictsOf, type Verdicts } from "./verdicts.ts";

type Variables = Readonly<Record<string, string | undefined>>;

const root = join(import.meta.dirname, "..");

/** npm puts the project's own programs first; a person who types npx has the machine's. */
const withoutProject = (path: string): string =>
  path
    .split(delimiter)
    .filter((folder) => !folder.endsWith("node_modules/.bin"))
    .join(delimiter);

/**
 * The environment of a run on the lab. Of the caller's it has the way to programs and to the home folder, and nothing else; every setting
 * that the lab does not set is there and empty, because an empty variable overrules `.env` and means unset.
 */
export function operatorEnvironment(instance: Instance, { PATH = "", HOME = "/root" }: Variables): Record<string, string> {
  return {
    PATH: withoutProject(PATH),
    HOME,
    LANG: "C.UTF-8",
    NO_COLOR: "1",
    ...Object.fromEntries(["CI", ...settingNames].map((name) => [name, ""])),
    ...variablesOf(instance),
  };
}

export type Outcome = {
  /** As a shell tells it: 128 and the number of the signal, where one ended the process. */
  exitCode: number;
  /** stdout and stderr, as they came. */
  output: string;
  /** By the id of the check; empty when the run has written no report. */
  verdicts: Verdicts;
};

export type StartedRun = {
  /** Resolves when the output matches, rejects when the run ends without. */
  says(pattern: RegExp): Promise<void>;
  /** Sends a signal to all of its processes, as Ctrl-C in a terminal does. */
  signal(name: NodeJS.Signals): void;
  /** Presses keys: what the command reads. */
  type(keys: string): void;
  finished: Promise<Outcome>;
};

type Options = { command?: readonly string[]; parameters?: readonly string[]; environment?: Readonly<Record<string, string>> };

/** Of each run that has not ended, the process and the folder of what it writes. */
const atWork = new Map<ChildProcess, string>();

/** Ends every run at once, for a caller who ends as well: a run has a process group of its own, and Ctrl-C does not reach it. */
export function endRuns(): void {
  for (const [{ pid }, folder] of atWork) {
    process.kill(-(pid as number), "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts the suite. It gets a process group of its own, as a shell gives each command. */
export async function startSuite(instance: Instance, options: Options = {}): Promise<StartedRun> {
  const { command = ["npx", "vitest", "run"], parameters = [], environment = {} } = options;
  const folder = await mkdtemp(join(tmpdir(), "hard-way-run-"));
  const report = join(folder, "junit.xml");
  const [program = "", ...given] = [...command, ...parameters];
  const child = spawn(program, given, {
    cwd: root,
    env: { ...operatorEnvironment(instance, process.env), SMOKE_JUNIT: report, SMOKE_EVIDENCE: join(folder, "evidence"), ...environment },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  atWork.set(child, folder);
  let output = "";
  const listeners = new Set<() => void>();
  const hear = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const finished = new Promise<Outcome>((resolve, reject) => {
    child.on("error", (error) => {
      atWork.delete(child);
      reject(error);
    });
    child.on("close", (code, signal) => {
      atWork.delete(child);
      const exitCode = code ?? 128 + constants.signals[signal as NodeJS.Signals];
      const verdicts = existsSync(report) ? verdictsOf(readFileSync(report, "utf8")) : {};
      void rm(folder, { recursive: true }).then(() => resolve({ exitCode, output, verdicts }));
    });
  });
  return {
    says: (pattern) =>
      new Promise<void>((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(output)) resolve();
        };
        listeners.add(look);
        look();
        void finished.then(() => reject(new Error(`The run ended without saying ${pattern}:\n${output}`)));
      }),
    signal: (name) => process.kill(-(child.pid as number), name),
    type: (keys) => void child.stdin.write(keys),
    finished,
  };
}

/** Runs the suite to its end. */
export async function runSuite(instance: Instance, options: Options = {}): Promise<Outcome> {
  return (await startSuite(instance, options)).finished;
}
