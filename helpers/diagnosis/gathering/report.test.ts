import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { healthy, line } from "../recorded.ts";
import { evidenceFile, writeEvidence } from "./report.ts";

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "evidence-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "of/a/run");
}

test("each host has a file, and the API one, over which the next run writes", async () => {
  const folder = await newFolder();

  await writeEvidence(folder, "11111111", healthy());
  await writeEvidence(folder, "22222222", { ...healthy(), hosts: { "node-1": { unreachable: "it was refused" } } });

  expect((await readdir(folder)).toSorted()).toEqual(["api.txt", "node-0.txt", "node-1.txt", "server.txt"]);
  expect(await readFile(join(folder, "server.txt"), "utf8")).toMatch(/^Run 11111111, namespace smoke-1, .*\n\n## units\n/);
  expect(await readFile(join(folder, "node-1.txt"), "utf8")).toMatch(/^Run 22222222, [^]*\nIt could not be asked: it was refused\n$/);
});

test("what must not leave does not get into a file by any way", async () => {
  const folder = await newFolder();

  await writeEvidence(folder, "11111111", line("server", "journal", "etcd: token: planted-planted")(healthy()));

  expect(await readFile(join(folder, "server.txt"), "utf8")).not.toContain("planted");
});

test.for([
  ["node-0.example.com", "node-0.example.com.txt"],
  ["../../etc/passwd", "__.._etc_passwd.txt"],
  ["10.0.0.1", "10.0.0.1.txt"],
] as const)("the host %s has the file %s", ([host, file]) => {
  expect(evidenceFile(host)).toBe(file);
});
