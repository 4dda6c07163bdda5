import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openHost } from "./ssh.ts";
import { identityOf } from "./ssh-identity.ts";
import { newKeyPair, startTestServer } from "./ssh-test-server.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "ssh-identity-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const writeKey = (name: string) => writeFileSync(path(name), newKeyPair().private);
const writeEncrypted = (name: string) => execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", path(name)]);

test("the key that is named is the only one offered", () => {
  writeKey("named");
  writeKey("id_ed25519");
  const identity = identityOf({ user: "root", privateKeyPath: path("named"), agentSocket: "/agent" }, folder);
  expect(identity.methods.map(({ type, username }) => [type, username])).toEqual([["publickey", "root"]]);
  expect(identity.described).toBe(`key ${path("named")}`);
});

test("without a named key, the agent and then the usual keys are offered, but for those with a passphrase", () => {
  writeKey("id_ed25519");
  writeKey("id_rsa");
  writeEncrypted("id_ecdsa");
  const identity = identityOf({ user: "root", agentSocket: "/agent" }, folder);
  expect(identity.methods.map(({ type }) => type)).toEqual(["agent", "publickey", "publickey"]);
  expect(identity.described).toBe(`agent /agent, key ${path("id_ed25519")}, key ${path("id_rsa")}`);
});

test("with nothing to offer, one sentence says what to set", () => {
  expect(() => identityOf({ user: "root" }, folder)).toThrow(
    /^No SSH key to log in with: SMOKE_SSH_KEY is not set, there is no agent, and .* Set SMOKE_SSH_KEY/,
  );
});

test("an agent stands in for a named key that is encrypted, but not for one that is missing", () => {
  writeEncrypted("named");
  const identity = identityOf({ user: "root", privateKeyPath: path("named"), agentSocket: "/agent" }, folder);
  expect(identity.methods.map(({ type }) => type)).toEqual(["agent"]);
  expect(() => identityOf({ user: "root", privateKeyPath: path("missing"), agentSocket: "/agent" }, folder)).toThrow(
    /missing does not exist/,
  );
});

test("a key in an agent opens a host", async () => {
  await using server = await startTestServer();
  const agentSocket = path("agent.sock");
  const agent = spawn("ssh-agent", ["-D", "-a", agentSocket], { stdio: "ignore" });
  try {
    await expect.poll(() => existsSync(agentSocket)).toBe(true);
    execFileSync("ssh-add", [server.target.privateKeyPath as string], {
      env: { ...process.env, SSH_AUTH_SOCK: agentSocket },
      stdio: "ignore",
    });
    const host = await openHost({ ...server.target, privateKeyPath: undefined, agentSocket });
    expect((await host.run("true")).exitCode).toBe(0);
    await host.close();
  } finally {
    agent.kill();
  }
});
