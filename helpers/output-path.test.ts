import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fileProblem, folderProblem } from "./output-path.ts";

const folder = mkdtempSync(join(tmpdir(), "output-"));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "there"));
writeFileSync(join(folder, "file"), "");
const below = readdirSync(folder).toSorted();

test("what is there, and what can be made, has no problem, and nothing is left of the trial", () => {
  expect(["there", "missing", "missing/deep/down"].map((path) => folderProblem(join(folder, path)))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(["file", "missing.xml", "missing/deep/junit.xml"].map((path) => fileProblem(join(folder, path)))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(readdirSync(folder).toSorted()).toEqual(below);
});

test("a file where a folder would have to be, and a folder where the file would be, are told", () => {
  expect(folderProblem(join(folder, "file"))).toBe(`nothing can be written in ${join(folder, "file")} (not a directory)`);
  expect(fileProblem(join(folder, "file/junit.xml"))).toBe(`nothing can be written in ${join(folder, "file")} (not a directory)`);
  expect(fileProblem(join(folder, "there"))).toBe("it is a folder, expected the path of a file");
});

test("the kernel's own file system, in which making missing folders would never end, takes nothing", () => {
  expect(folderProblem("/proc/evidence/deep")).toBe("nothing can be written in /proc (no such file or directory)");
  expect(fileProblem("/proc/self/junit.xml")).toBe("nothing can be written in /proc/self (no such file or directory)");
});
