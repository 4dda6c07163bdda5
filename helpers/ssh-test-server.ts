/**
 * An SSH server for tests, in this process. What it is asked to run, it runs for real, in bash, as sshd does in
 * the shell of the user.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2, { type Connection, type ServerChannel } from "ssh2";
import type { SSHTarget } from "./ssh-connection.ts";

type Behaviour = {
  hostname?: string;
  /** A private key that the server can present beside its ed25519 key. */
  otherHostKey?: string;
  /** Executables by their names; commands find them before those of this machine. */
  executables?: Readonly<Record<string, string>>;
  /** Sessions that a connection may have at once, as MaxSessions of sshd. */
  maxSessions?: number;
  /** Answers a command in place of bash. Returns false for those that it leaves to bash. */
  answer?: (command: string, channel: ServerChannel, connection: Connection) => boolean;
};

export type TestServer = {
  /** Everything that opens a connection to it: a key that it accepts, a known_hosts file that has its key. */
  target: SSHTarget;
  /** A line of known_hosts. */
  hostKey: string;
  folder: string;
  commands: string[];
  /** The most sessions that were open at the same time. */
  mostSessions(): number;
  [Symbol.asyncDispose](): Promise<void>;
};

/** One in 300 of the keys that ssh2 1.17 makes is malformed, which neither it nor ssh-keygen can read. */
export function newKeyPair(): ReturnType<typeof ssh2.utils.generateKeyPairSync> {
  const pair = ssh2.utils.generateKeyPairSync("ed25519");
  return ssh2.utils.parseKey(pair.private) instanceof Error ? newKeyPair() : pair;
}

/** Starts one on a port of its own; commands run in bash, in a folder of their own. */
export async function startTestServer({
  hostname = "node-0",
  otherHostKey,
  executables = {},
  maxSessions = 10,
  answer = () => false,
}: Behaviour = {}): Promise<TestServer> {
  const [hostKeys, userKeys] = [newKeyPair(), newKeyPair()];
  const folder = mkdtempSync(join(tmpdir(), "ssh-test-"));
  for (const [name, script] of Object.entries(executables)) writeFileSync(join(folder, name), script, { mode: 0o755 });
  const commands: string[] = [];
  const connections = new Set<Connection>();
  let mostSessions = 0;

  const server = new ssh2.Server({ hostKeys: [hostKeys.private, ...(otherHostKey === undefined ? [] : [otherHostKey])] }, (connection) => {
    connections.add(connection);
    connection.on("close", () => void connections.delete(connection));
    // The declared types forget that a server's connection has this, too.
    (connection as unknown as { setNoDelay(noDelay: boolean): void }).setNoDelay(true);
    authenticate(connection, userKeys.public);
    const onSessions = (count: number) => (mostSessions = Math.max(mostSessions, count));
    serveSessions(connection, { maxSessions, onSessions }, (command, channel) => {
      commands.push(command);
      if (command.includes("uname -n")) {
        channel.write(`${hostname}\n`);
        channel.exit(0);
        channel.end();
      } else if (!answer(command, channel, connection)) execute(command, channel, folder);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const hostKey = `[127.0.0.1]:${port} ${hostKeys.public}`;
  const [privateKeyPath, knownHostsPath] = [join(folder, "id_ed25519"), join(folder, "known_hosts")];
  writeFileSync(privateKeyPath, userKeys.private, { mode: 0o600 });
  writeFileSync(knownHostsPath, `${hostKey}\n`);

  return {
    target: { name: "node-0", address: "127.0.0.1", port, user: "root", privateKeyPath, knownHostsPath, connectTimeoutMs: 2000 },
    hostKey,
    folder,
    commands,
    mostSessions: () => mostSessions,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.end();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      rmSync(folder, { recursive: true });
    },
  };
}

/** Lets in whoever has the one key that is known. */
function authenticate(connection: Connection, publicKey: string): void {
  connection.on("error", () => undefined);
  connection.on("authentication", (context) => {
    const known = context.method === "publickey" && publicKey.includes(context.key.data.toString("base64"));
    if (known) context.accept();
    else context.reject(["publickey"]);
  });
}

type SessionLimits = { maxSessions: number; onSessions: (count: number) => void };

/** As many sessions at once as sshd's MaxSessions would allow; each runs one command. */
function serveSessions(
  connection: Connection,
  { maxSessions, onSessions }: SessionLimits,
  run: (command: string, channel: ServerChannel) => void,
): void {
  let sessions = 0;
  connection.on("session", (accept, reject) => {
    if (sessions >= maxSessions) {
      reject();
      return;
    }
    onSessions((sessions += 1));
    const session = accept();
    session.on("close", () => (sessions -= 1));
    session.on("exec", (acceptExec, _reject, { command }) => run(command, acceptExec()));
  });
}

function execute(command: string, channel: ServerChannel, folder: string): void {
  // Without --norc, a bash that reads from a socket takes itself for a remote one, and runs the .bashrc of whoever runs the tests.
  const child = spawn("bash", ["--norc", "-c", command], { env: { PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin` } });
  child.stdin.on("error", () => undefined);
  channel.on("error", () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on("close", (code, signal) => {
    if (signal === null) channel.exit(code ?? 0);
    else channel.exit(signal.replace("SIG", ""), false, "");
    channel.end();
  });
}
