import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { boundedCommand, shellQuote, sshLine } from "./remote-command.ts";

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
  const usual = { address: "192.0.2.20", port: 22, user: "root", knownHostsPath: join(homedir(), ".ssh/known_hosts") };
  expect(sshLine(usual, "hostname")).toBe("ssh root@192.0.2.20 hostname");
  expect(sshLine({ ...usual, port: 2222, privateKeyPath: "/k", knownHostsPath: "/h" }, "ctr -n k8s.io tasks ls")).toBe(
    "ssh -p 2222 -i /k -o UserKnownHostsFile=/h root@192.0.2.20 'ctr -n k8s.io tasks ls'",
  );
});
