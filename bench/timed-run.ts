/**
 * One run of a command as an operator starts it: when its last verdict came, when it exited, how much memory it took.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { processTree, watchPeak } from "./memory.ts";

export type Command = {
  program: string;
  parameters: readonly string[];
  folder: string;
  /** All of it; nothing is inherited. */
  environment: Readonly<Record<string, string>>;
  /** Whether a line of its output is a verdict, as it prints one when it has it. */
  isVerdict: (line: string) => boolean;
};

/** `peakBytes` is 0 where nobody watched. */
export type TimedRun = { verdicts: number; verdictMs: number; exitMs: number; peakBytes: number };

type Options = {
  timeoutMs?: number;
  /** To read the memory of a process holds it up, so that what is timed is not watched: of seven seconds it took one. */
  watchesMemory?: boolean;
};

const sampleMs = 100;

/**
 * Runs a command to its end.
 * @throws Error when it exits with anything but 0, takes longer than allowed, or prints no verdict: such a run has no time worth knowing
 */
export async function timedRun(
  { program, parameters, folder, environment, isVerdict }: Command,
  { timeoutMs = 120_000, watchesMemory = false }: Options = {},
): Promise<TimedRun> {
  const what = `"${[program, ...parameters].join(" ")}"`;
  const began = performance.now();
  const child = spawn(program, parameters, { cwd: folder, env: { ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  const { pid } = child;
  // All of its processes are told, because not every one passes a signal on; the suite then removes what it has created.
  const timer = setTimeout(() => pid !== undefined && terminate(processTree(pid)), timeoutMs);
  const peak = pid === undefined || !watchesMemory ? () => 0 : watchPeak(pid, sampleMs);
  const said: string[] = [];
  const verdictsAt: number[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(line);
    if (isVerdict(line)) verdictsAt.push(performance.now() - began);
  });
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  let exitMs = 0;
  child.on("exit", () => (exitMs = performance.now() - began));
  const outcome = await new Promise<string>((resolve) => {
    child.on("error", ({ message }) => resolve(`could not be started: ${message}`));
    child.on("close", (code, signal) => resolve(code === 0 ? "" : `exited ${code ?? signal} after ${Math.round(exitMs)} ms, expected 0`));
  });
  clearTimeout(timer);
  const peakBytes = peak();
  const problem = outcome || (verdictsAt.length === 0 ? "exited 0, but printed no verdict" : "");
  if (problem !== "") throw new Error(`${what} ${problem}. Its last lines:\n${said.slice(-15).join("\n") || "(none)"}`);
  return { verdicts: verdictsAt.length, verdictMs: verdictsAt.at(-1) as number, exitMs, peakBytes };
}

function terminate(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // It has gone meanwhile.
    }
  }
}
