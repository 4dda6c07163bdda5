/**
 * Running the machine's own commands, with errors that say what was asked and what came back.
 */
import { spawn } from "node:child_process";

type Options = {
  input?: string | Buffer;
  environment?: Readonly<Record<string, string>>;
  folder?: string;
  /** Ends the command, and all that it has started, with this process, however that ends. Takes root; for others it runs as it is. */
  endsWithUs?: boolean;
};

/**
 * The kernel kills `unshare` with us, the command with `unshare`, and with the command all that it has started: as the first process of a
 * namespace it takes the others along. Nobody else could: whoever dies by kill -9 ends nothing any more.
 */
const endingWithUs = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child"] as const;

/** A command of the machine that did not do what was asked. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly stderr: string;

  constructor(command: readonly string[], outcome: string, stderr: string) {
    super(`"${command.join(" ")}" ${outcome}: ${stderr.trim().split("\n").slice(-5).join("\n") || "it said nothing"}`);
    this.stderr = stderr;
  }
}

/**
 * Runs a command and returns what it wrote to stdout.
 * @throws CommandError when it cannot be started or exits with anything but 0
 */
export async function run(command: readonly [string, ...string[]], options: Options = {}): Promise<string> {
  const { input, environment, folder, endsWithUs = false } = options;
  const [program, ...parameters] = endsWithUs && process.getuid?.() === 0 ? ([...endingWithUs, ...command] as const) : command;
  const child = spawn(program, parameters, { cwd: folder, env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A command that does not read its input closes it; its exit code says the rest.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  const outcome = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(`could not be started (${error.message})`));
    child.on("close", (code, signal) => resolve(code === 0 ? "" : `exited ${code ?? signal}, expected 0`));
  });
  if (outcome !== "") throw new CommandError(command, outcome, Buffer.concat(stderr).toString("utf8"));
  return Buffer.concat(stdout).toString("utf8");
}

/** Whether a command exits 0; what it says does not matter. */
export async function succeeds(command: readonly [string, ...string[]]): Promise<boolean> {
  return run(command).then(
    () => true,
    () => false,
  );
}

/** Several lines of `ip -batch`, or the like, as one command. */
export const lines = (...all: readonly string[]): string => `${all.join("\n")}\n`;
