import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { progressOf } from "./progress.ts";

let written: string[] = [];
beforeEach(() => {
  written = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
});
afterEach(() => void vi.restoreAllMocks());

test("each step says its place, that it begins, and how long it took, and returns what it made", async () => {
  const { step, say } = progressOf(2);
  expect(await step("certificates", async () => 42)).toBe(42);
  say("sysctl changed");
  await step("hosts", async () => undefined);
  expect(written.map((line) => line.replace(/\d+\.\d s/, "N s"))).toEqual([
    "lab: [1/2] certificates ...\n",
    "lab: [1/2] certificates: N s\n",
    "lab: sysctl changed\n",
    "lab: [2/2] hosts ...\n",
    "lab: [2/2] hosts: N s\n",
  ]);
});

test("a step that fails does not say that it is done", async () => {
  const { step } = progressOf(1);
  await expect(step("hosts", () => Promise.reject(new Error("no cgroups")))).rejects.toThrow("no cgroups");
  expect(written).toEqual(["lab: [1/1] hosts ...\n"]);
});
