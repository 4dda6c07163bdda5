import { expect, test } from "vitest";
import { readSettings } from "./config.ts";
import { labelsOf, leaseName, newRun, selectorOf } from "./run.ts";

test("a run has an id of its own, and a namespace named by it", () => {
  const [one, other] = [newRun(readSettings({})), newRun(readSettings({}))];
  expect(one.id).toMatch(/^[0-9a-f]{8}$/);
  expect(one.id).not.toBe(other.id);
  expect(one).toMatchObject({ namespace: `smoke-${one.id}`, ownsNamespace: true });
});

test("a run in an existing namespace does not own it", () => {
  expect(newRun(readSettings({ SMOKE_NAMESPACE: "default" }))).toMatchObject({ namespace: "default", ownsNamespace: false });
});

test("labels, selector and Lease name the run", () => {
  const run = { id: "0123abcd" };
  expect(labelsOf(run)).toEqual({ "app.kubernetes.io/managed-by": "hard-way-smoke-test", "hard-way-smoke-test/run": "0123abcd" });
  expect(selectorOf(run)).toBe("hard-way-smoke-test/run=0123abcd");
  expect(leaseName(run)).toBe("smoke-0123abcd");
});
