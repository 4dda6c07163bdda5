/**
 * The lab's own commands, as a person types them.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { runOnHost } from "./host.ts";
import { readDefinition, type Instance } from "./instance.ts";

type Outcome = { exitCode: number | null; output: string };
type Command = { parameters: readonly string[]; environment?: Readonly<Record<string, string>> };

export type StartedCommand = {
  /** Resolves when the output matches, rejects when the command ends without. */
  says(pattern: RegExp): Promise<void>;
  /** Kills all of its processes at once, as no shutdown hook could see. */
  kill(): void;
  finished: Promise<Outcome>;
};

/** Those that have not ended. */
const atWork = new Map<ChildProcess, Promise<unknown>>();

/** Ends them at once, for a caller who ends as well: each has a process group of its own, and Ctrl-C does not reach it. */
export async function endLabCommands(): Promise<void> {
  for (const { pid } of atWork.keys()) process.kill(-(pid as number), "SIGKILL");
  await Promise.allSettled(atWork.values());
}

/**
 * Starts `npm run lab -- ...` for the instance of this name, in a process group of its own. Of the caller's environment all holds for it
 * but what chooses an instance: that is of the caller's lab.
 */
export function startLab(name: string, { parameters, environment }: Command): StartedCommand {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...parameters], {
    env: { ...process.env, LAB_SUBNET: undefined, ...environment, LAB_NAME: name },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  const finished = new Promise<Outcome>((resolve, reject) =>
    child.on("error", reject).on("close", (exitCode) => resolve({ exitCode, output })),
  ).finally(() => atWork.delete(child));
  if (child.pid !== undefined) atWork.set(child, finished);
  return {
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => (pattern.test(output) ? resolve() : undefined);
        child.stderr.on("data", look);
        look();
        void finished.then(() => reject(new Error(`The command ended without saying ${pattern}:\n${output}`)));
      }),
    kill: () => process.kill(-(child.pid as number), "SIGKILL"),
    finished,
  };
}

/** Runs `npm run lab -- ...` to its end, and returns what it says. */
export const runLab = (name: string, ...parameters: readonly string[]): Promise<Outcome> => startLab(name, { parameters }).finished;

/** Runs a command line on a host, from the outside, so that it works whatever is broken there. */
export async function onHost(instance: Instance, host: string, command: string): Promise<string> {
  const leader = readDefinition(instance.name)?.leaders[host];
  if (leader === undefined) throw new Error(`the lab "${instance.name}" has no ${host} that runs`);
  return runOnHost(leader, ["sh", "-c", `PATH=$PATH:/usr/local/bin; ${command}`]);
}
