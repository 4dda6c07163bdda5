import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newKeyPair } from "./ssh-test-server.ts";
import { expect, test } from "vitest";
import { fingerprint, knownKeys, nameInKnownHosts, typeOfKey } from "./known-hosts.ts";

const newKey = () => newKeyPair().public.split(" ").slice(0, 2).join(" ");
const [key, otherKey] = [newKey(), newKey()];
const blob = Buffer.from(key.split(" ")[1] as string, "base64");

const hashed = (name: string) => {
  const salt = Buffer.from("a salt of 20 bytes!!");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
};

const trusts = (line: string, host: string, port = 22) => knownKeys(line, host, port).trusted.length === 1;

test.for([
  [`node-0,192.0.2.20 ${key}`, "node-0", 22, true],
  [`node-0,192.0.2.20 ${key}`, "192.0.2.20", 22, true],
  [`node-0 ${key}`, "node-1", 22, false],
  [`Node-0 ${key}`, "NODE-0", 22, true],
  [`node-0 ${key} root@node-0 # comment`, "node-0", 22, true],
  [`node-0 ${key}`, "node-0", 2222, false],
  [`[node-0]:2222 ${key}`, "node-0", 2222, true],
  [`[node-0]:2222 ${key}`, "node-0", 22, false],
  [`[2001:db8::1]:2222 ${key}`, "2001:db8::1", 2222, true],
  [`${hashed("node-0")} ${key}`, "node-0", 22, true],
  [`${hashed("[node-0]:2222")} ${key}`, "node-0", 2222, true],
  [`${hashed("node-0")} ${key}`, "node-1", 22, false],
  [`*.example.com,!bad.example.com ${key}`, "node-0.example.com", 22, true],
  [`*.example.com,!bad.example.com ${key}`, "bad.example.com", 22, false],
  [`!bad.example.com ${key}`, "good.example.com", 22, false],
  [`node-? ${key}`, "node-0", 22, true],
  [`node-? ${key}`, "node-10", 22, false],
  [`192.0.2.2 ${key}`, "192.0.212", 22, false],
  [`# node-0 ${key}`, "node-0", 22, false],
  [`node-0 ssh-rsa ${key.split(" ")[1]}`, "node-0", 22, false],
  [`node-0 ssh-ed25519 not!base64`, "node-0", 22, false],
  ["", "node-0", 22, false],
] as const)("%s: trusts %s, port %i: %s", ([line, host, port, expected]) => {
  expect(trusts(line, host, port)).toBe(expected);
});

test("every key of a host is found, with its line and type", () => {
  expect(knownKeys(`# ours\r\nnode-0 ${key}\r\n\r\nnode-0 ${otherKey}\r\n`, "node-0", 22).trusted).toMatchObject([
    { type: "ssh-ed25519", line: 2, blob },
    { type: "ssh-ed25519", line: 4 },
  ]);
});

test("revoked keys and certificate authorities are kept apart from trusted keys", () => {
  const found = knownKeys(`@revoked * ${key}\n@cert-authority *.example.com ${otherKey}`, "node-0.example.com", 22);
  expect(found).toMatchObject({ trusted: [], revoked: [{ blob, line: 1 }], certAuthorityLines: [2] });
});

test("ssh-keygen hashes a file, and we find the same keys in it", () => {
  const folder = mkdtempSync(join(tmpdir(), "known-hosts-"));
  try {
    const path = join(folder, "known_hosts");
    writeFileSync(path, `node-0,192.0.2.20 ${key}\n[node-0]:2222 ${otherKey}\n`);
    execFileSync("ssh-keygen", ["-H", "-f", path], { stdio: "ignore" });
    const text = readFileSync(path, "utf8");
    expect(text).not.toContain("node-0");
    expect(trusts(text, "192.0.2.20")).toBe(true);
    expect(trusts(text, "node-0", 2222)).toBe(true);
    expect(execFileSync("ssh-keygen", ["-l", "-f", path], { encoding: "utf8" })).toContain(fingerprint(blob));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a host is named as ssh-keygen -R takes it", () => {
  expect(nameInKnownHosts("Node-0", 22)).toBe("node-0");
  expect(nameInKnownHosts("192.0.2.20", 2222)).toBe("[192.0.2.20]:2222");
});

test("a key names its type", () => {
  expect(typeOfKey(blob)).toBe("ssh-ed25519");
  expect(typeOfKey(Buffer.alloc(0))).toBe("");
});
