import { expect, test } from "vitest";
import { legalClusters } from "../legal/index.ts";
import { allChecks } from "../proof/checks.ts";
import type { Fault } from "./fault.ts";
import { faults } from "./index.ts";

/** Checks that no fault reddens alone, and why none can. */
const neverAlone: Readonly<Record<string, string>> = {
  "secret-no-plaintext":
    "behind the beginning of an encrypted value are random bytes and what they encrypt: no API server shows data there",
};

const checks = allChecks();
const failingIn = (id: string) => faults.filter(({ fails }) => fails.includes(id));

test("names are states, and no two are alike", () => {
  const names = [...faults, ...legalClusters].map(({ name }) => name);

  expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)+$/.test(name))).toEqual([]);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test("a fault speaks of checks that there are, and of each once", () => {
  const spoken = faults.flatMap(({ name, fails, inconclusive }) => [...fails, ...inconclusive].map((id) => ({ name, id })));
  const twice = faults.filter(({ fails, inconclusive }) => new Set([...fails, ...inconclusive]).size < fails.length + inconclusive.length);

  expect(spoken.filter(({ id }) => !checks.includes(id))).toEqual([]);
  expect(twice.map(({ name }) => name)).toEqual([]);
});

test("a fault is seen: a check fails, cannot look, or the run ends before any does", () => {
  const unseen = faults.filter(({ fails, inconclusive, exitCode }) => fails.length + inconclusive.length === 0 && exitCode === undefined);

  expect(unseen.map(({ name }) => name)).toEqual([]);
});

test("every fault that a check can see has a cause, which its diagnosis must name", () => {
  const unnamed = faults.filter(({ cause, exitCode }) => cause === undefined && exitCode === undefined);

  expect(unnamed.map(({ name }) => name)).toEqual([]);
});

test("a fault gives a reason to each check that fails, and to no other", () => {
  const speaking = ({ fails, inconclusive }: Fault) => (fails.length > 0 ? fails : inconclusive);
  const reasons = faults.filter(({ because }) => !(because instanceof RegExp));

  expect(reasons.map(({ name, because }) => [name, Object.keys(because).toSorted()])).toEqual(
    reasons.map((fault) => [fault.name, [...speaking(fault)].toSorted()]),
  );
});

test("no reason is so loose that a bare name, or a test that ran out of time, would do for it", () => {
  const anything = [
    "node-0",
    "node-1",
    "server",
    "Test timed out in 30000ms.",
    "Pods: expected [] to deeply equal [ '10.200.0.2:80' ]",
    "{}",
  ];
  const patterns = faults.flatMap(({ name, because }) =>
    (because instanceof RegExp ? [because] : Object.values(because)).map((pattern) => ({ name, pattern })),
  );

  expect(patterns.filter(({ pattern }) => anything.some((text) => pattern.test(text))).map(({ name }) => name)).toEqual([]);
});

test("every check fails with some fault", () => {
  expect(checks.filter((id) => failingIn(id).length === 0)).toEqual([]);
});

test("every check fails alone with some fault, but for those of which it is said why none can do that", () => {
  const notAlone = checks.filter((id) => failingIn(id).every(({ fails }) => fails.length > 1));

  expect(notAlone).toEqual(checks.filter((id) => id in neverAlone));
});
