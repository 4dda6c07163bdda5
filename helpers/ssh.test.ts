import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { InconclusiveError } from "./errors.ts";
import { asRoot, openHost, requireSuccess } from "./ssh.ts";
import { newKeyPair, startTestServer } from "./ssh-test-server.ts";

/** What openHost says when it cannot. */
async function refusal(target: Parameters<typeof openHost>[0]): Promise<string> {
  const error = await openHost(target).then(
    async (host) => host.close().then(() => "it was opened"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof InconclusiveError)) throw new Error(`expected an InconclusiveError, got ${String(error)}`);
  return error.message;
}

const inconclusive = (pattern: RegExp) =>
  expect.objectContaining({ name: "InconclusiveError", message: expect.stringMatching(pattern) as string });

test("stdout, stderr and exit code come back as they are", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  expect(await host.run("printf out; printf err >&2; exit 3")).toEqual({ exitCode: 3, stdout: Buffer.from("out"), stderr: "err" });
  expect(await host.run('echo "it\'s" \'$HOME\' "a  b"')).toMatchObject({ exitCode: 0, stdout: Buffer.from("it's $HOME a  b\n") });
  expect(await host.run("printf '\\000\\001\\377'")).toMatchObject({ stdout: Buffer.from([0, 1, 255]) });
  expect(await host.run("cat")).toMatchObject({ exitCode: 0, stdout: Buffer.alloc(0) });
  expect(await host.run("no-such-command")).toMatchObject({ exitCode: 127 });
  expect((await host.run("echo $PATH")).stdout.toString()).toContain("/usr/local/bin");
  await host.close();
});

test("binary output is not decoded, and 200 kB of it arrive whole", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  expect((await host.run("printf 'a\\000\\377\\r\\n'")).stdout).toEqual(Buffer.from([0x61, 0, 0xff, 0x0d, 0x0a]));
  const { stdout } = await host.run("head -c 200000 /dev/zero");
  expect(stdout.equals(Buffer.alloc(200_000))).toBe(true);
  await host.close();
});

test("a command that does not end is killed on the host at its deadline, and what it said is told", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  const marker = `90.${process.pid}`;
  await expect(host.run(`echo waiting >&2; sleep ${marker}`, { timeoutMs: 300 })).rejects.toEqual(
    inconclusive(/^node-0: "echo waiting >&2; sleep 90.*" did not end within 0.3 s and was killed; on stderr it said: waiting/),
  );
  await expect.poll(() => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(`sleep ${marker}\n`);
  expect((await host.run("exit 124")).exitCode).toBe(124);
  await host.close();
});

test("a host that is silent even after the deadline is given up", async () => {
  await using server = await startTestServer({ answer: (command) => command.includes("etcdctl") });
  const host = await openHost({ ...server.target, connectTimeoutMs: 300 });
  await expect(host.run("etcdctl get", { timeoutMs: 100 })).rejects.toEqual(
    inconclusive(/"etcdctl get" was to end within 0.1 s, and after 0.3 s more the host had not answered/),
  );
  await host.close();
});

test("a command killed by a signal has no result", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  await expect(host.run("kill -SEGV $$")).rejects.toEqual(inconclusive(/was killed on the host by SIGSEGV/));
  await host.close();
});

test("a channel that closes without an exit status is an error, not a success", async () => {
  await using server = await startTestServer({
    answer: (command, channel) => command.includes("vanish") && (channel.close(), true),
  });
  const host = await openHost(server.target);
  await expect(host.run("vanish")).rejects.toEqual(inconclusive(/"vanish" ended without an exit status/));
  await host.close();
});

test("a connection that drops ends every command in flight, and the next one says so at once", async () => {
  await using server = await startTestServer({
    answer: (command, _channel, connection) => command.includes("drop") && Boolean(connection.end() ?? true),
  });
  const host = await openHost(server.target);
  const lost = inconclusive(/has no result, because the SSH connection to 127\.0\.0\.1:\d+ was lost \(.+\)\. Is the host still up\?/);
  await Promise.all([expect(host.run("drop")).rejects.toEqual(lost), expect(host.run("sleep 2")).rejects.toEqual(lost)]);
  await expect(host.run("true")).rejects.toEqual(lost);
  await host.close();
});

test("after close, a command says that the connection is closed", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  await host.close();
  await host.close();
  await expect(host.run("true")).rejects.toEqual(inconclusive(/was lost \(we closed it\)/));
});

test("at most six commands of a host run at once, and all of many come back", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  const results = await Promise.all(Array.from({ length: 14 }, async (_, index) => host.run(`sleep 0.05; echo ${index}`)));
  expect(results.map(({ stdout }) => stdout.toString().trim())).toEqual(Array.from({ length: 14 }, (_, index) => String(index)));
  expect(server.mostSessions()).toBe(6);
  await host.close();
});

test("a session that sshd refuses is asked for again, and then named with MaxSessions", async () => {
  await using server = await startTestServer({ maxSessions: 1 });
  const host = await openHost(server.target);
  const [long, refused, brief] = [host.run("sleep 0.6"), host.run("true"), sleep(500).then(async () => host.run("true"))];
  await expect(refused).rejects.toEqual(
    inconclusive(/"true" could not be run: sshd refused another session .* Is MaxSessions in sshd_config below 10/),
  );
  expect((await long).exitCode).toBe(0);
  expect((await brief).exitCode).toBe(0);
  await host.close();
});

test("commands for root go through sudo for any user but root, with the deadline inside", async () => {
  await using server = await startTestServer({
    answer: (command, channel) => {
      if (!command.startsWith("sudo")) return false;
      channel.stderr.write("sudo: a password is required\n");
      channel.exit(1);
      channel.end();
      return true;
    },
  });
  const host = await openHost({ ...server.target, user: "debian" });
  await expect(asRoot(host, "id -u")).rejects.toEqual(
    inconclusive(/"id -u" needs root, and sudo does not let debian in without a password \(sudo: a password is required\)/),
  );
  expect(server.commands.at(-1)).toMatch(/^sudo -n -- timeout -k 1 30 sh -c '/);
  await host.close();
  const root = await openHost(server.target);
  expect((await asRoot(root, "echo $((1 + 1))")).stdout.toString()).toBe("2\n");
  await root.close();
});

test("what has to exit 0 and does not is quoted, with a hint about the PATH for what is not found", async () => {
  await using server = await startTestServer();
  const host = await openHost(server.target);
  const demand = async (command: string) => requireSuccess(host, command, await host.run(command));
  expect((await demand("echo yes")).stdout.toString()).toBe("yes\n");
  await expect(demand("etcdctl-is-not-here get")).rejects.toEqual(
    inconclusive(/^node-0: "etcdctl-is-not-here get" exited 127, expected 0: .*not found.* in the PATH of commands over SSH/),
  );
  await expect(demand("echo broken; exit 2")).rejects.toEqual(inconclusive(/exited 2, expected 0: broken/));
  await host.close();
});

test.for([
  ["node-0", "node-0", true],
  ["node-0", "node-0.kubernetes.local", true],
  ["node-0.kubernetes.local", "NODE-0", true],
  ["192.0.2.20", "anything", true],
  ["node-0", "node-01", false],
  ["node-0.one", "node-0.other", false],
  ["node-0", "", false],
  ["192.0.2.20", "", false],
] as const)("host %s that calls itself %s is taken: %s", async ([name, hostname, taken]) => {
  await using server = await startTestServer({ hostname });
  const target = { ...server.target, name };
  if (taken) await expect(openHost(target).then((host) => host.close())).resolves.toBeUndefined();
  else expect(await refusal(target)).toContain(`answers that its hostname is "${hostname}", expected "${name}"`);
});

test("a host key that is not known is refused, with its fingerprint and the line that adds it", async () => {
  await using server = await startTestServer();
  const knownHostsPath = join(server.folder, "missing");
  const message = await refusal({ ...server.target, knownHostsPath });
  expect(message).toMatch(
    /cannot open SSH to root@127\.0\.0\.1:\d+: its host key ssh-ed25519 SHA256:\S+ is unknown: \S+\/missing has no key for \[127\.0\.0\.1\]:\d+/,
  );
  expect(message).toContain(`ssh-keyscan -p ${server.target.port} 127.0.0.1 >> ${knownHostsPath}`);
  writeFileSync(knownHostsPath, `@cert-authority ${server.hostKey}`);
  expect(await refusal({ ...server.target, knownHostsPath })).toContain(
    "line 1 trusts a certificate authority for it, but host certificates are not supported",
  );
});

test("a host key other than the known one is refused, with both fingerprints and the line that forgets the old one", async () => {
  await using server = await startTestServer();
  writeFileSync(server.target.knownHostsPath, `[127.0.0.1]:${server.target.port} ${newKeyPair().public}`);
  const message = await refusal(server.target);
  expect(message).toMatch(
    /its host key is ssh-ed25519 SHA256:\S+, but \S+ has ssh-ed25519 SHA256:\S+ on line 1\. It may be another machine, or someone in between/,
  );
  expect(message).toContain(`\n  ssh-keygen -R '[127.0.0.1]:${server.target.port}'`);
});

test("a revoked host key is refused although it is also trusted", async () => {
  await using server = await startTestServer();
  writeFileSync(server.target.knownHostsPath, `${server.hostKey}\n@revoked * ${server.hostKey.slice(server.hostKey.indexOf(" ") + 1)}`);
  expect(await refusal(server.target)).toContain("is marked @revoked");
});

test("a key noted for the host's name serves, when the address has none", async () => {
  await using server = await startTestServer();
  writeFileSync(server.target.knownHostsPath, server.hostKey.replace("127.0.0.1", "node-0"));
  await expect(openHost(server.target).then((host) => host.close())).resolves.toBeUndefined();
});

test("a host without a key of the known type is told apart from one with another key", async () => {
  await using server = await startTestServer();
  const path = join(server.folder, "rsa");
  execFileSync("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", path]);
  const key = execFileSync("ssh-keygen", ["-y", "-f", path], { encoding: "utf8" });
  writeFileSync(server.target.knownHostsPath, `[127.0.0.1]:${server.target.port} ${key}`);
  expect(await refusal(server.target)).toMatch(/it has no host key of a type that \S+ holds for it \(ecdsa-sha2-nistp256\)/);
});

test("of a host's several keys, the one that is known is asked for", async () => {
  const folder = mkdtempSync(join(tmpdir(), "host-key-"));
  try {
    const path = join(folder, "ecdsa");
    execFileSync("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", path]);
    await using server = await startTestServer({ otherHostKey: readFileSync(path, "utf8") });
    writeFileSync(server.target.knownHostsPath, `[127.0.0.1]:${server.target.port} ${readFileSync(`${path}.pub`, "utf8")}`);
    await expect(openHost(server.target).then((host) => host.close())).resolves.toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a key that sshd does not accept is named, with the user", async () => {
  await using server = await startTestServer();
  const privateKeyPath = join(server.folder, "stranger");
  writeFileSync(privateKeyPath, newKeyPair().private);
  expect(await refusal({ ...server.target, privateKeyPath })).toContain(`sshd refused to log in root with key ${privateKeyPath}`);
});

test("an agent that does not answer is told with the refusal", async () => {
  await using server = await startTestServer();
  const privateKeyPath = join(server.folder, "encrypted");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", privateKeyPath]);
  const agentSocket = join(server.folder, "no-agent");
  expect(await refusal({ ...server.target, privateKeyPath, agentSocket })).toMatch(/with agent \S+no-agent; the agent said: /);
});

test.for([
  ["missing", () => undefined, "does not exist"],
  ["text", (path: string) => writeFileSync(path, "not a key"), "is no private key that can be used"],
  ["folder", (path: string) => execFileSync("mkdir", [path]), "cannot be read"],
  [
    "encrypted",
    (path: string) => execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", path]),
    "is encrypted. Load it into an agent (ssh-add",
  ],
  ["id.pub", (path: string) => writeFileSync(path, newKeyPair().public), "is a public key; the private one"],
] as const)("a key file that cannot be used is named: %s", async ([name, make, expected]) => {
  await using server = await startTestServer();
  const privateKeyPath = join(server.folder, name);
  make(privateKeyPath);
  expect(await refusal({ ...server.target, privateKeyPath })).toContain(`The SSH key ${privateKeyPath} ${expected}`);
});

test("a port where nobody listens, and a name that does not resolve, are told apart", async () => {
  await using server = await startTestServer();
  const free = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => free.once("listening", resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  expect(await refusal({ ...server.target, port })).toContain(
    `node-0: cannot open SSH to root@127.0.0.1:${port}: the connection was refused.`,
  );
  expect(await refusal({ ...server.target, address: "node-0.invalid" })).toMatch(/name (does not resolve|could not be resolved)/);
});

test("a port that is open but silent, and one that hangs up, are no SSH", async () => {
  await using server = await startTestServer();
  const listener = createServer((socket) => void (hangUp ? socket.destroy() : socket.on("error", () => undefined))).listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const target = { ...server.target, port: (listener.address() as AddressInfo).port, connectTimeoutMs: 200 };
  let hangUp = false;
  expect(await refusal(target)).toContain("the port is open, but the SSH login was not over within 0.2 s");
  hangUp = true;
  expect(await refusal(target)).toContain("the connection was closed before the login was over");
  listener.close();
});

test("a known_hosts file that cannot be read is named", async () => {
  await using server = await startTestServer();
  expect(await refusal({ ...server.target, knownHostsPath: server.folder })).toContain(
    `${server.folder}, which holds the keys of the hosts, cannot be read`,
  );
});
