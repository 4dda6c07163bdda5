import { expect, test } from "vitest";
import type { Fault } from "../faults/fault.ts";
import { faults } from "../faults/index.ts";
import { allChecks } from "./checks.ts";
import { coveringFaults } from "./covering.ts";

const fault = (name: string, ...fails: readonly string[]): Fault => ({
  name,
  state: "",
  inject: async () => undefined,
  heal: async () => undefined,
  holds: async () => true,
  fails,
  inconclusive: [],
  because: /./,
});

test("a fault that reddens most goes before those that redden less of the same", () => {
  const [logs, exec, both, nodes, none] = [
    fault("l", "logs"),
    fault("e", "exec"),
    fault("b", "logs", "exec"),
    fault("n", "nodes"),
    fault("0"),
  ];

  expect(coveringFaults([logs, exec, nodes, both, none])).toEqual([nodes, both]);
});

test("of no faults, none is taken", () => {
  expect(coveringFaults([])).toEqual([]);
});

test("those of the catalogue redden every check", () => {
  const reddened = new Set(coveringFaults(faults).flatMap(({ fails }) => fails));

  expect(allChecks().filter((id) => !reddened.has(id))).toEqual([]);
});
