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

test("the lines to try by hand of all that failed stand below what they say", async () => {
  const attempt = forEach(["node-0", "node-1"], async (node) => {
    throw new InconclusiveError(`${node}: no SSH`, { byHand: [`ssh ${node} true`, "kubectl get nodes"] });
  });
  await expect(attempt).rejects.toThrow(
    /^node-0: no SSH\nnode-1: no SSH\nBy hand:\n {2}ssh node-0 true\n {2}kubectl get nodes\n {2}ssh node-1 true$/,
  );
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
