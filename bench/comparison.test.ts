import { expect, test } from "vitest";
import { compare, mebibyte, missedLimits, type Measurement } from "./comparison.ts";

const script: Measurement = { verdicts: 1, verdictMs: 10_000, exitMs: 20_000, goneMs: 20_000, peakBytes: 50 * mebibyte };
const suite: Measurement = { verdicts: 22, verdictMs: 4_000, exitMs: 8_000, goneMs: 15_000, peakBytes: 350 * mebibyte };
const compared = (...suites: readonly Partial<Measurement>[]) => compare(pairsOf(...suites), pairsOf(...suites));
const pairsOf = (...suites: readonly Partial<Measurement>[]) => suites.map((part) => ({ script, suite: { ...suite, ...part } }));

test("a ratio is that of the medians", () => {
  const { rows, pairs, checks } = compared({ exitMs: 2_000 }, { exitMs: 9_000 }, { exitMs: 4_000 });

  expect({ pairs, checks }).toEqual({ pairs: 3, checks: 22 });
  expect(rows.map(({ name, ratio }) => [name, ratio])).toEqual([
    ["the last verdict", 0.4],
    ["exit", 0.2],
    ["the namespace's end", 0.75],
  ]);
});

test("who is exactly at every limit has missed none", () => {
  expect(missedLimits(compared({}))).toEqual([]);
});

test.for([
  [{ exitMs: 8_020 }, "to exit the suite takes 0.401 of the script's time, expected at most 0.40"],
  [{ goneMs: 15_020 }, "to the namespace's end the suite takes 0.751 of the script's time, expected at most 0.75"],
  [{ peakBytes: 351 * mebibyte }, "the suite took 351 MiB of memory, expected at most 350"],
] as const)("a limit is missed by %j", ([part, sentence]) => {
  expect(missedLimits(compared(part))).toEqual([sentence]);
});

test("one peak above the limit is enough, whatever the median", () => {
  const [missed] = missedLimits(compared({}, { peakBytes: 400 * mebibyte }, {}));

  expect(missed).toContain("400 MiB");
});

test("times and memory are of the runs that they were taken of", () => {
  const { rows, memory } = compare(pairsOf({ exitMs: 6_000 }), pairsOf({ exitMs: 9_000, peakBytes: 1 }, { peakBytes: 3 }));

  expect(rows[1]?.suite.median).toBe(6_000);
  expect(memory.suite).toEqual({ min: 1, median: 2, max: 3 });
});

test("runs that looked at less are not compared", () => {
  expect(() => compared({}, { verdicts: 21 })).toThrow("from 21 to 22 verdicts a run");
});
