import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { foldersIn, readIfThere, writeWhole } from "./files.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "lab-files-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("a file is written whole, in place of what was there, also where an earlier attempt broke off", async () => {
  const path = join(folder, "definition.json");
  writeFileSync(path, "before");
  writeFileSync(`${path}.part`, "torn");
  await writeWhole(path, "after");
  expect(readFileSync(path, "utf8")).toBe("after");
  expect(readdirSync(folder)).toEqual(["definition.json"]);
});

test("what is there is read, what is not is empty, and what is refused is an error", () => {
  writeFileSync(join(folder, "file"), "text");
  mkdirSync(join(folder, "inner"));
  expect(readIfThere(join(folder, "file"))).toBe("text");
  expect(readIfThere(join(folder, "nothing"))).toBe("");
  expect(foldersIn(folder)).toEqual(["inner"]);
  expect(foldersIn(join(folder, "nothing"))).toEqual([]);
  expect(() => readIfThere(folder)).toThrow("EISDIR");
  expect(() => foldersIn(join(folder, "file"))).toThrow("ENOTDIR");
});

test("a process that has gone has said nothing", async () => {
  const child = spawn("true");
  await once(child, "exit");
  expect(readIfThere(`/proc/${child.pid}/cmdline`)).toBe("");
});
