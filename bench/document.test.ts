import { expect, test } from "vitest";
import { compare, mebibyte, type Measurement } from "./comparison.ts";
import { documentOf } from "./document.ts";

const script: Measurement = { verdicts: 1, verdictMs: 10_000, exitMs: 16_000, goneMs: 16_100, peakBytes: 40 * mebibyte };
const suite: Measurement = { verdicts: 22, verdictMs: 3_040, exitMs: 4_800, goneMs: 10_000, peakBytes: 300 * mebibyte };
const pageOf = (part: Partial<Measurement> = {}): string => {
  const pairs = [
    { script, suite },
    { script, suite },
    { script, suite: { ...suite, ...part } },
  ];
  return documentOf(compare(pairs, pairs), { Machine: "2 × Processor", Date: "2026-01-02" });
};

test("the page has a row for each moment, with medians, extremes, ratio and limit", () => {
  const lines = pageOf({ exitMs: 6_000 }).split("\n");

  expect(lines).toContain("|  | Script | Suite, 22 checks | Suite / script | At most |");
  expect(lines).toContain("| to the last verdict | 10.0 s (10.0 to 10.0) | 3.0 s (3.0 to 3.0) | 0.30 | – |");
  expect(lines).toContain("| to exit | 16.0 s (16.0 to 16.0) | 4.8 s (4.8 to 6.0) | 0.30 | 0.40, aim 0.30 |");
  expect(lines).toContain("| to the namespace's end | 16.1 s (16.1 to 16.1) | 10.0 s (10.0 to 10.0) | 0.62 | 0.75 |");
  expect(lines).toContain("| memory at its peak | 40 MiB (40 to 40) | 300 MiB (300 to 300) | – | 350 MiB |");
});

test("the page says what the numbers hold for", () => {
  const page = pageOf();

  expect(page).toContain("Medians of 3 pairs");
  expect(page).toContain("| Machine | 2 × Processor |\n| Date | 2026-01-02 |");
});

test("a limit that is missed is said at the top, and only then", () => {
  expect(pageOf()).not.toContain("Missed");
  expect(pageOf({ peakBytes: 351 * mebibyte })).toContain("**Missed:** the suite took 351 MiB of memory, expected at most 350.");
});
