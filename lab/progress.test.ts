import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inSteps, say } from "./progress.ts";

let written: string[] = [];
beforeEach(() => {
  written = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
});
afterEach(() => void vi.restoreAllMocks());

test("each step says its place among all, that it begins, and how long it took; they do not overlap", async () => {
  await inSteps([
    ["certificates", async () => say("sysctl changed")],
    ["hosts", async () => undefined],
  ]);
  expect(written.map((line) => line.replace(/\d+\.\d s/, "N s"))).toEqual([
    "lab: [1/2] certificates ...\n",
    "lab: sysctl changed\n",
    "lab: [1/2] certificates: N s\n",
    "lab: [2/2] hosts ...\n",
    "lab: [2/2] hosts: N s\n",
  ]);
});

test("a step that fails does not say that it is done, and the next is not begun", async () => {
  const next = vi.fn<() => Promise<void>>();
  await expect(
    inSteps([
      ["hosts", () => Promise.reject(new Error("no cgroups"))],
      ["Nodes Ready", next],
    ]),
  ).rejects.toThrow("no cgroups");
  expect(written).toEqual(["lab: [1/2] hosts ...\n"]);
  expect(next).not.toHaveBeenCalled();
});
