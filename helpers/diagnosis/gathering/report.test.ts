import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { healthy, line } from "../recorded.ts";
import { evidenceFile, removeEarlierEvidence, writeEvidence, writeObjects } from "./report.ts";

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "evidence-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "of/a/run");
}

const earlier = { id: "11111111", namespace: "smoke-11111111" };
const run = { id: "22222222", namespace: "default" };

test("each host has a file, the API one, and each check one, which begin with whose they are", async () => {
  const folder = await newFolder();

  await writeEvidence(folder, earlier, { ...healthy(), hosts: { ...healthy().hosts, "node-1": { unreachable: "it was refused" } } });
  await writeObjects(folder, run, { check: "nodes-ready", text: "kind: Node\n" });

  expect((await readdir(folder)).toSorted()).toEqual(["api.txt", "node-0.txt", "node-1.txt", "nodes-ready.yaml", "server.txt"]);
  expect(await readFile(join(folder, "server.txt"), "utf8")).toMatch(/^Run 11111111, namespace smoke-11111111, .*\n\n## units\n/);
  expect(await readFile(join(folder, "node-1.txt"), "utf8")).toMatch(/^Run 11111111, [^]*\nIt could not be asked: it was refused\n$/);
  expect(await readFile(join(folder, "nodes-ready.yaml"), "utf8")).toMatch(
    /^# Run 22222222, namespace default, \S+, what nodes-ready looks at\nkind: Node\n$/,
  );
});

test("what earlier runs have written is removed, and no other file", async () => {
  const folder = await newFolder();
  await writeEvidence(folder, earlier, healthy());
  await writeObjects(folder, earlier, { check: "replicas-ready", text: "" });
  await writeObjects(folder, run, { check: "nodes-ready", text: "" });
  const others = {
    "notes.txt": "Run of a person",
    "deployment.yaml": "kind: Deployment\n",
    "empty.txt": "",
    "run.log": "Run 11111111, namespace x",
  };
  for (const [name, text] of Object.entries(others)) await writeFile(join(folder, name), text);
  await mkdir(join(folder, "folder.txt"));

  await removeEarlierEvidence(folder, run);

  expect((await readdir(folder)).toSorted()).toEqual([...Object.keys(others), "folder.txt", "nodes-ready.yaml"].toSorted());
});

test("where nothing has been written yet, nothing is removed", async () => {
  await expect(removeEarlierEvidence(await newFolder(), run)).resolves.toBeUndefined();
});

test("what must not leave does not get into a file by any way", async () => {
  const folder = await newFolder();

  await writeEvidence(folder, run, line("server", "journal", "etcd: token: planted-planted")(healthy()));
  await writeObjects(folder, run, { check: "nodes-ready", text: "token: planted-planted\n" });

  const files = await Promise.all(["server.txt", "nodes-ready.yaml"].map(async (name) => readFile(join(folder, name), "utf8")));
  expect(files.join("\n")).toContain("[redacted]");
  expect(files.join("\n")).not.toContain("planted");
});

test.for([
  ["node-0.example.com", "node-0.example.com.txt"],
  ["../../etc/passwd", "__.._etc_passwd.txt"],
  ["10.0.0.1", "10.0.0.1.txt"],
] as const)("the host %s has the file %s", ([host, file]) => {
  expect(evidenceFile(host)).toBe(file);
});
