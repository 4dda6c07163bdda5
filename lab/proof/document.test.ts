import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Fault } from "../faults/fault.ts";
import { faults } from "../faults/index.ts";
import { legalClusters } from "../legal/index.ts";
import { records } from "./catalogue.ts";
import { allChecks, root } from "./checks.ts";
import { documentOf } from "./document.ts";
import { fingerprintOf, isCurrent, readResults } from "./results.ts";

const nothing = async (): Promise<undefined> => undefined;
const fault: Fault = {
  name: "kube-proxy-stopped",
  state: "kube-proxy is stopped | masked",
  inject: nothing,
  heal: nothing,
  holds: async () => true,
  fails: ["node-port-answers"],
  inconclusive: ["exec-tty"],
  because: /node-1/,
};
const checks = ["exec-tty", "node-port-answers"];
const results = { facts: { Lab: "Kubernetes v1.37.2" }, results: { [fault.name]: { fingerprint: "0", seconds: 31, date: "2026-11-26" } } };

test("the page shows by their numbers which checks each fault reddens, and by name the faults of each check", () => {
  const lines = documentOf({ checks, faults: [fault], legalClusters: [] }, results).split("\n");

  expect(lines).toContain("| `kube-proxy-stopped` | kube-proxy is stopped \\| masked. | 2 | 1 | 31 s, 2026-11-26 |");
  expect(lines).toContain("| 2 | `node-port-answers` | **kube-proxy-stopped** |");
  expect(lines).toContain("| 1 | `exec-tty` |  |");
  expect(lines).toContain("| Lab | Kubernetes v1.37.2 |");
});

test("a fault that nobody has proved is shown as that", () => {
  expect(documentOf({ checks, faults: [fault], legalClusters: [] }, { facts: {}, results: {} })).toContain("| not proved |");
});

test("a record that expects something else, or of another suite's checks, has another fingerprint", () => {
  const same = fingerprintOf({ ...fault });

  expect(same).toBe(fingerprintOf(fault));
  expect(fingerprintOf({ ...fault, because: /node-0/ })).not.toBe(same);
  expect(fingerprintOf({ ...fault, fails: ["exec-tty"] })).not.toBe(same);
});

test("docs/proof.md is of this catalogue, all of it proved, and nothing of it has changed since: else run `npm run proof -- --changed`", () => {
  const proved = readResults();
  const stale = records.filter((record) => !isCurrent(record, proved)).map(({ name }) => name);

  expect(stale, "not proved in the form that it has now").toEqual([]);
  expect(readFileSync(join(root, "docs/proof.md"), "utf8")).toBe(documentOf({ checks: allChecks(), faults, legalClusters }, proved));
});
