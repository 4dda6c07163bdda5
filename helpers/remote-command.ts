/**
 * Command lines for hosts.
 */
import { homedir } from "node:os";
import { join } from "node:path";

/** A word that any POSIX shell reads as it is. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

type Destination = { address: string; port: number; user: string; privateKeyPath?: string | undefined; knownHostsPath: string };

/** The line that runs a command on a host by hand, with no more options than it takes. */
export function sshLine({ address, port, user, privateKeyPath, knownHostsPath }: Destination, command: string): string {
  const options = [
    ...(port === 22 ? [] : ["-p", String(port)]),
    ...(privateKeyPath === undefined ? [] : ["-i", privateKeyPath]),
    ...(knownHostsPath === join(homedir(), ".ssh/known_hosts") ? [] : ["-o", `UserKnownHostsFile=${knownHostsPath}`]),
  ];
  return ["ssh", ...options, `${user}@${address}`, command].map(shellQuote).join(" ");
}

/** The same for what only root can do: as the suite does it, through sudo for any other user. */
export function rootLine(destination: Destination, command: string): string {
  if (destination.user === "root") return sshLine(destination, command);
  return sshLine(destination, isOneCommand(command) ? `sudo ${command}` : `sudo sh -c ${shellQuote(command)}`);
}

/** Of several commands, a pipe, a redirection or a variable, sudo alone would get a part, or what the user's shell has made of it. */
const isOneCommand = (command: string): boolean => !/[|&;<>()$`*?~{}[\]!#\n]/.test(command);

/**
 * Commands over SSH get a short PATH: that of a login, in which `ip`, `etcdctl` and `crictl` are found, is set by files that are not read
 * then.
 */
const usualFolders = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * A command line that ends by itself: an SSH client cannot kill what it has started, not even by hanging up, so `timeout` does it on the
 * host. It exits 124 then, or 137 where the command had to be killed. `sudo` stands outside, as only root may kill what root has started.
 */
export function boundedCommand(
  command: string,
  { timeoutMs, killAfterMs, sudo }: { timeoutMs: number; killAfterMs: number; sudo: boolean },
): string {
  const script = `PATH="$PATH:${usualFolders}"; export PATH\n${command}`;
  const bounded = `timeout -k ${killAfterMs / 1000} ${timeoutMs / 1000} sh -c ${shellQuote(script)}`;
  return sudo ? `sudo -n -- ${bounded}` : bounded;
}
