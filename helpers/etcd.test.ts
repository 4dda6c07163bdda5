import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { InconclusiveError } from "./errors.ts";
import { etcdctlCommand, hexdumpCommand, parseEtcdctlJson, registryKey, valueOfDump } from "./etcd.ts";
import { encrypted, encryptedDump, etcdKey } from "./golden-secret.ts";
import { parseHexdump } from "./hexdump.ts";

/** A folder with an etcdctl that shows its arguments, or fails when it is asked for `/missing`. */
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etcdctl-"));
  const script = '#!/bin/sh\nprintf "%s\\n" "API=$ETCDCTL_API" "$@"\nfor word; do [ "$word" != /refused ] || exit 5; done\n';
  writeFileSync(join(folder, "etcdctl"), script);
  chmodSync(join(folder, "etcdctl"), 0o755);
  return () => rmSync(folder, { recursive: true });
});
const shell = (command: string) => {
  const { status, stdout } = spawnSync("sh", ["-c", command], { env: { PATH: `${folder}:/usr/bin:/bin` } });
  return { status, stdout };
};

const awkward = ['/registry/secrets/default/it\'s $(id) `id`; "x"\\', "--endpoints=https://127.0.0.1:2379", "--user=a b:$HOME"] as const;
const isInstalled = !spawnSync("hexdump", ["-C"], { input: "" }).error;

test("a key of etcd", () => {
  expect(registryKey({ resource: "secrets", namespace: "default", name: "kubernetes-the-hard-way" })).toBe(etcdKey);
});

test("the command lines are those of the chapter", () => {
  expect(etcdctlCommand(etcdKey, [], "simple")).toBe(`env ETCDCTL_API=3 etcdctl get ${etcdKey}`);
  expect(etcdctlCommand(etcdKey, ["--cacert=/etc/etcd/ca.pem"])).toBe(
    `env ETCDCTL_API=3 etcdctl --cacert=/etc/etcd/ca.pem get ${etcdKey} -w json`,
  );
});

test("key and flags reach etcdctl as they are, as words of their own", () => {
  const [key, ...flags] = awkward;
  const words = ["API=3", ...flags, "get", key];
  expect(shell(etcdctlCommand(key, flags)).stdout.toString()).toBe(`${[...words, "-w", "json"].join("\n")}\n`);
  expect(shell(etcdctlCommand(key, flags, "simple")).stdout.toString()).toBe(`${words.join("\n")}\n`);
});

test("through hexdump, too; and a failure of etcdctl is not hidden by the pipe", ({ skip }) => {
  skip(!isInstalled, "hexdump is not installed here (Debian: apt install bsdextrautils)");
  const [key, ...flags] = awkward;
  const { status, stdout } = shell(hexdumpCommand(key, flags));
  expect(parseHexdump(stdout.toString()).toString()).toBe(`${["API=3", ...flags, "get", key].join("\n")}\n`);
  expect(status).toBe(0);
  expect(shell(hexdumpCommand("/refused", flags)).status).toBe(5);
});

test("the script is the same for every key", () => {
  const script = (key: string, flags: string[]) =>
    execFileSync("sh", ["-c", `set -- ${hexdumpCommand(key, flags)}; printf %s "$3"`]).toString();
  expect(script(awkward[0], ["--debug"])).toBe(script("/a", []));
});

const base64 = (text: string | Buffer): string => Buffer.from(text).toString("base64");
const header = '"header":{"cluster_id":14841639068965178418,"member_id":10276657743932975437,"revision":1234,"raft_term":2}';
const entry = `{"key":"${base64(etcdKey)}","create_revision":1200,"mod_revision":1201,"version":2,"value":"${base64(encrypted)}"}`;

test("an answer in JSON is read, bytes for bytes", () => {
  expect(parseEtcdctlJson(`{${header},"kvs":[${entry}],"count":1}\n`)).toEqual({
    revision: 1234,
    count: 1,
    entries: [{ key: etcdKey, value: encrypted, modRevision: 1201 }],
  });
});

test("a missing key has no entries, an empty value no bytes", () => {
  expect(parseEtcdctlJson(`{${header}}`)).toEqual({ revision: 1234, count: 0, entries: [] });
  const [{ value } = {}] = parseEtcdctlJson(`{${header},"kvs":[{"key":"${base64("a")}","mod_revision":7}],"count":1}`).entries;
  expect(value).toEqual(Buffer.alloc(0));
});

test.for([
  ["nothing", "", "it is empty"],
  ["a login script's greeting before it", `Welcome to server!\n{${header}}`, 'it begins with "Welcome to server!": does a login script'],
  ["a part of it", `{${header},"kvs":[${entry.slice(0, 90)}`, "begin like JSON, but are cut short or changed"],
  ["no header", "{}", "header: "],
  ["another format", '"Key" : "a"\n', 'it begins with "\\"Key\\" : \\"a\\""'],
  ["a count that differs", `{${header},"kvs":[${entry}],"count":2}`, "it counts 2 entries but holds 1"],
  ["a value that is not base64", `{${header},"kvs":[${entry.replace('"value":"', '"value":"*')}],"count":1}`, "kvs.0.value: "],
  ["a revision too great for a number", `{${header.replace("1234", "9007199254740993")}}`, "header.revision: "],
] as const)("%s is refused", ([, text, expected]) => {
  expect(() => parseEtcdctlJson(text)).toThrow(InconclusiveError);
  expect(() => parseEtcdctlJson(text)).toThrow(expected);
});

test("a refusal does not show the value", () => {
  const cut = `{${header},"kvs":[{"key":"${base64(etcdKey)}","value":"${base64("mydata")}`;
  expect(() => parseEtcdctlJson(cut)).toThrow(expect.objectContaining({ message: expect.not.stringContaining(base64("mydata")) }));
});

test("the value in a dump stands between the key's newline and the last one", () => {
  expect(valueOfDump(parseHexdump(encryptedDump), etcdKey)).toEqual(encrypted);
  expect(valueOfDump(Buffer.from("/a\nb\n\n"), "/a")).toEqual(Buffer.from("b\n"));
  expect(valueOfDump(Buffer.from("/a\n\n"), "/a")).toEqual(Buffer.alloc(0));
});

test.for([
  ["", "etcdctl printed nothing for /a: etcd has no such key"],
  ["/b\nvalue\n", "does not begin with the key and a newline"],
  ["/ab\nvalue\n", "does not begin with the key and a newline"],
  ["/a", "does not begin with the key and a newline"],
  ["/a\n", "does not end in a newline"],
  ["/a\nval", "does not end in a newline"],
] as const)("%j is refused as what etcdctl printed", ([text, expected]) => {
  expect(() => valueOfDump(Buffer.from(text), "/a")).toThrow(expected);
});
