/**
 * Commands on hosts, over SSH.
 */
import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "ssh2";
import { InconclusiveError, reasonOf } from "./errors.ts";
import { limiter } from "./limiter.ts";
import { boundedCommand, rootLine, sshLine } from "./remote-command.ts";
import { collect, openChannel, sessionRefusal } from "./ssh-channel.ts";
import { connect, type SSHTarget } from "./ssh-connection.ts";

export type CommandResult = {
  exitCode: number;
  /** Byte for byte: nothing is decoded, trimmed or merged. */
  stdout: Buffer;
  stderr: string;
};

export type RunOptions = {
  /** How long the command may take; the host ends it then. 30 s when not given. */
  timeoutMs?: number;
  /** Through `sudo -n`, when the SSH user is not root. */
  asRoot?: boolean;
  /** Hears what the command prints as it comes: of one that is given up, that is all there is. */
  onStdout?: (chunk: Buffer) => void;
};

export type Host = {
  name: string;
  address: string;
  user: string;
  /**
   * Runs a command line in `sh`, with neither terminal nor input. Any exit code is a result; so is 127, for no such command.
   * @throws InconclusiveError when there is no exit code: deadline, lost connection, no session, no right to sudo
   */
  run(command: string, options?: RunOptions): Promise<CommandResult>;
  /** The line that runs a command there by hand, as root. */
  byHand(command: string): string;
  /** Ends the connection; commands that still run are given up. */
  close(): Promise<void>;
};

/** POSIX, 2.8.2: what a shell exits with when it does not find a command. */
export const commandNotFound = 127;

/** sshd allows 10 sessions a connection (MaxSessions), and one that has just ended may still count. */
const channelsAtOnce = 6;

/**
 * Opens the connection that serves a host for a whole run. A host must say that it is the one we mean, before anything else that it says
 * is believed: its `hostname` must be the name, with or without a domain. Where the name is an IP address, any answer will do.
 * @throws InconclusiveError in one sentence, with host, address and remedy
 */
export async function openHost(target: SSHTarget): Promise<Host> {
  const host = hostOver(await connect(target), target);
  try {
    await demandName(host, target);
    return host;
  } catch (error) {
    await host.close();
    throw error;
  }
}

/** Runs a command as root: as it is for root, through `sudo -n` for any other user. */
export function asRoot(host: Host, command: string, options: RunOptions = {}): Promise<CommandResult> {
  return host.run(command, { ...options, asRoot: true });
}

/**
 * The result of a command that has to exit 0, because without it we cannot look.
 * @throws InconclusiveError that quotes what it said, with a hint where the command was not found
 */
export function requireSuccess(host: Host, command: string, result: CommandResult): CommandResult {
  if (result.exitCode === 0) return result;
  const said = result.stderr.trim() || result.stdout.toString("utf8").trim() || "it said nothing";
  const hint =
    result.exitCode === commandNotFound
      ? ` A command was not found: is it installed, and in the PATH of commands over SSH (ssh ${host.name} 'echo $PATH'), which is shorter than that of a login?`
      : "";
  throw new InconclusiveError(`${host.name}: "${oneLine(command)}" exited ${result.exitCode}, expected 0: ${said}.${hint}`, {
    byHand: [host.byHand(command.trim())],
  });
}

async function demandName(host: Host, target: SSHTarget): Promise<void> {
  const { name, port, connectTimeoutMs } = target;
  const command = "hostname || uname -n";
  const { stdout } = requireSuccess(host, command, await host.run(command, { timeoutMs: connectTimeoutMs }));
  const answer = stdout.toString("utf8").trim();
  if (isIP(name) !== 0 ? answer !== "" : sameHost(name, answer)) return;
  throw new InconclusiveError(
    `${name}: ${host.user}@${host.address}:${port} answers that its hostname is "${answer}", expected "${name}". ` +
      `The address belongs to another machine, or the host's name was never set. Is its address in SMOKE_HOSTS right?`,
    { byHand: [sshLine(target, "hostname")] },
  );
}

/** Names are the same when one is the other's short form. */
function sameHost(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a === b || (!a.includes(".") && b.startsWith(`${a}.`)) || (!b.includes(".") && b !== "" && a.startsWith(`${b}.`));
}

function hostOver(client: Client, target: SSHTarget): Host {
  const { name, address, user } = target;
  const limit = limiter(channelsAtOnce);
  const connection: Connection = { client, target };
  client.on("error", (error) => (connection.lost ??= reasonOf(error)));
  client.on("close", () => (connection.lost ??= "the other side closed it"));

  const close = async () => {
    if (connection.lost !== undefined) return;
    connection.lost = "we closed it";
    const closed = new Promise<void>((resolve) => void client.once("close", resolve));
    client.end();
    await Promise.race([closed, sleep(1000, undefined, { ref: false })]);
    client.destroy();
  };
  const run: Host["run"] = (command, options = {}) => limit(() => runOver(connection, command, options));
  return { name, address, user, run, byHand: (command) => rootLine(target, command), close };
}

type Connection = { client: Client; target: SSHTarget; /** Why the connection is no more. */ lost?: string };

async function runOver(connection: Connection, command: string, options: RunOptions): Promise<CommandResult> {
  const { name, address, port, user, connectTimeoutMs } = connection.target;
  const { timeoutMs = 30_000, onStdout, asRoot: wantsRoot = false } = options;
  const sudo = wantsRoot && user !== "root";
  const line = oneLine(command);
  const inconclusive = (what: string, cause?: unknown) => {
    const why =
      connection.lost === undefined
        ? what
        : `has no result, because the SSH connection to ${address}:${port} was lost (${connection.lost}). Is the host still up?`;
    return new InconclusiveError(`${name}: "${line}" ${why}`, {
      cause,
      byHand: [(wantsRoot ? rootLine : sshLine)(connection.target, command.trim())],
    });
  };

  if (connection.lost !== undefined) throw inconclusive("");
  const started = performance.now();
  const bounded = boundedCommand(command, { timeoutMs, killAfterMs: connectTimeoutMs / 2, sudo });
  const channel = await openChannel(connection.client, bounded).catch((error: unknown) => {
    throw inconclusive(`could not be run: ${sessionRefusal(error)}`, error);
  });
  // The host ends the command at its deadline; that it does not even say so is known when some more time has passed.
  const ending = await collect(channel, { onStdout, timeoutMs: timeoutMs + connectTimeoutMs });
  const { isSilent, exitCode, signalName, stdout, stderr } = ending;
  const said = stderr.trim() === "" ? "." : `; on stderr it said: ${stderr.trim()}`;
  const overdue = performance.now() - started >= timeoutMs && (exitCode === 124 || exitCode === 137 || signalName === "KILL");
  if (isSilent)
    throw inconclusive(
      `was to end within ${timeoutMs / 1000} s, and after ${connectTimeoutMs / 1000} s more the host had not answered${said}`,
    );
  if (overdue) throw inconclusive(`did not end within ${timeoutMs / 1000} s and was killed${said}`);
  if (signalName !== undefined) throw inconclusive(`was killed on the host by SIG${signalName}; is it out of memory?`);
  if (exitCode === undefined) throw inconclusive("ended without an exit status; the journal of sshd there may say why.");
  if (sudo && exitCode === 1 && /^sudo: /m.test(stderr)) {
    throw inconclusive(
      `needs root, and sudo does not let ${user} in without a password (${stderr.trim()}). Set SMOKE_SSH_USER=root, or NOPASSWD in sudoers.`,
    );
  }
  return { exitCode, stdout, stderr };
}

/** A script in a message is told by its first line. */
function oneLine(command: string): string {
  const [first = "", ...rest] = command.trim().split("\n");
  return rest.length === 0 ? first : `${first} …`;
}
