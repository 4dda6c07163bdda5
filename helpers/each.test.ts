import { expect, test } from "vitest";
import { forEach } from "./each.ts";
import { ConformanceError, InconclusiveError } from "./errors.ts";

test("returns what the action returned, in order", async () => {
  expect(await forEach(["node-0", "node-1"], async (node) => node.toUpperCase())).toEqual(["NODE-0", "NODE-1"]);
});

test("names every item that failed", async () => {
  const attempt = forEach(["node-0", "node-1"], async (node) => {
    throw new ConformanceError(`${node}: broken`);
  });
  await expect(attempt).rejects.toThrow("node-0: broken\nnode-1: broken");
});

test("one wrong answer outweighs another item that could not be looked at", async () => {
  const attempt = forEach(["node-0", "node-1"], async (node) => {
    throw node === "node-0" ? new InconclusiveError("node-0: no SSH") : new ConformanceError("node-1: broken");
  });
  await expect(attempt).rejects.toBeInstanceOf(ConformanceError);
});

test("is inconclusive when nothing was seen to be wrong", async () => {
  const attempt = forEach(["node-0", "node-1"], async (node) => {
    throw new InconclusiveError(`${node}: no SSH`);
  });
  await expect(attempt).rejects.toBeInstanceOf(InconclusiveError);
});
