import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { boundedCommand, rootLine, shellQuote, sshLine } from "./remote-command.ts";

const usual = { address: "192.0.2.20", port: 22, user: "root", knownHostsPath: join(homedir(), ".ssh/known_hosts") };
const debian = { ...usual, user: "debian" };

test.for(["", "plain", "it's", "a  b", '$HOME `id` \\ "x"', "line\nline", "*", "~", "-n"])("a shell reads %j as it is", (text) => {
  expect(execFileSync("sh", ["-c", `printf %s ${shellQuote(text)}`], { encoding: "utf8" })).toBe(text);
});

test("a bounded command ends by itself, and keeps exit code and quotes", () => {
  const options = { timeoutMs: 1500, killAfterMs: 500, sudo: false };
  expect(boundedCommand("true", options)).toMatch(/^timeout -k 0\.5 1\.5 sh -c '/);
  expect(boundedCommand("true", { ...options, sudo: true })).toMatch(/^sudo -n -- timeout -k 0\.5 1\.5 sh -c '/);
  expect(execFileSync("sh", ["-c", boundedCommand(`echo "it's" 'fine'`, options)], { encoding: "utf8" })).toBe("it's fine\n");
});

test("the line by hand has no more options than it takes", () => {
  expect(sshLine(usual, "hostname")).toBe("ssh root@192.0.2.20 hostname");
  expect(sshLine({ ...usual, port: 2222, privateKeyPath: "/k", knownHostsPath: "/h" }, "ctr -n k8s.io tasks ls")).toBe(
    "ssh -p 2222 -i /k -o UserKnownHostsFile=/h root@192.0.2.20 'ctr -n k8s.io tasks ls'",
  );
});

test("root's line has no sudo, and another user's has it in front of what root has to do", () => {
  expect(rootLine(usual, "crictl ps")).toBe("ssh root@192.0.2.20 'crictl ps'");
  expect(rootLine(debian, "systemctl restart kube-proxy")).toBe("ssh debian@192.0.2.20 'sudo systemctl restart kube-proxy'");
  expect(rootLine(debian, "grep -n 'a b' /etc/hosts")).toBe(String.raw`ssh debian@192.0.2.20 'sudo grep -n '\''a b'\'' /etc/hosts'`);
  expect(rootLine(debian, "echo 1 > /x")).toBe(String.raw`ssh debian@192.0.2.20 'sudo sh -c '\''echo 1 > /x'\'''`);
});

/** Stands in for ssh, which hands its last parameter to a shell, and for sudo, which shows in the environment. */
const tools = mkdtempSync(join(tmpdir(), "tools-"));
afterAll(() => rmSync(tools, { recursive: true }));
writeFileSync(join(tools, "ssh"), '#!/bin/sh\nexec sh -c "$2"\n', { mode: 0o755 });
writeFileSync(join(tools, "sudo"), '#!/bin/sh\nBY=root exec "$@"\n', { mode: 0o755 });

test.for([
  ["printenv BY", "root\n"],
  ["echo $BY", "root\n"],
  ["true; printenv BY", "root\n"],
  ["false || printenv BY | sed 's/^/it is /'", "it is root\n"],
  ["true\nprintenv BY", "root\n"],
  ["echo $(printenv BY) `printenv BY`", "root root\n"],
  ["printenv BY > /dev/stderr", ""],
  [`echo "it's" 'fine'`, "it's fine\n"],
] as const)("all of %j is done by root", ([command, printed]) => {
  const environment = { PATH: `${tools}:${process.env["PATH"]}` };
  const said = spawnSync("sh", ["-c", rootLine(debian, command)], { encoding: "utf8", env: environment });

  expect(said.stdout).toBe(printed);
});
