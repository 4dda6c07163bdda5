import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Fault } from "../faults/fault.ts";
import { faults } from "../faults/index.ts";
import { legalClusters } from "../legal/index.ts";
import { records } from "./catalogue.ts";
import { allChecks, root } from "./checks.ts";
import { documentOf } from "./document.ts";
import { fingerprintOf, isCurrent, readResults, withProved, type Results } from "./results.ts";

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
const results: Results = {
  facts: { Lab: "Kubernetes v1.37.2" },
  results: { [fault.name]: { fingerprint: "0", seconds: 31, date: "2026-11-26" } },
};

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

test("the page says what the last whole run took, on how many labs and cores, once there was one", () => {
  const pageOf = (some: Results): string => documentOf({ checks, faults: [fault], legalClusters: [] }, some);
  const wholeRun = { seconds: 2070, labs: 2, cores: 1, date: "2026-11-28" };

  expect(pageOf({ ...results, wholeRun })).toContain("min of one lab. The last whole run took 35 min on 2 labs and 1 core, 2026-11-28.\n");
  expect(pageOf(results)).toContain("min of one lab.\n");
});

test("one more that is proved changes nothing else, one that is not is taken away, and what the catalogue lacks is dropped", () => {
  const [one, other] = records.map(({ name }) => name) as [string, string];
  const known = { fingerprint: "0", seconds: 31, date: "2026-11-26" };
  const before = {
    ...results,
    wholeRun: { seconds: 2070, labs: 2, cores: 2, date: "2026-11-28" },
    results: { [other]: known, gone: known },
  };
  const proved = { name: one, state: "", problems: [], seconds: 7 };

  const after = withProved(before, proved, "2026-12-01");

  const fingerprint = expect.stringMatching(/^[0-9a-f]{16}$/);
  expect(after).toEqual({ ...before, results: { [one]: { fingerprint, seconds: 7, date: "2026-12-01" }, [other]: known } });
  expect(withProved(after, { ...proved, problems: ["no"] }, "2026-12-02")).toEqual({ ...before, results: { [other]: known } });
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
