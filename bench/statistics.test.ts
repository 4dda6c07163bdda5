import { expect, test } from "vitest";
import { summaryOf } from "./statistics.ts";

test.for([
  ["an odd number", [30, 10, 20], { median: 20, min: 10, max: 30 }],
  ["an even number", [4, 1, 3, 2], { median: 2.5, min: 1, max: 4 }],
  ["one", [7], { median: 7, min: 7, max: 7 }],
  // Sorted as text, 9 would come last.
  ["numbers of different lengths", [9, 100, 10], { median: 10, min: 9, max: 100 }],
] as const)("the summary of %s of values", ([, values, summary]) => {
  expect(summaryOf(values)).toEqual(summary);
});

test("a slow run does not move the median", () => {
  expect(summaryOf([5, 5, 5, 5, 900]).median).toBe(5);
});

test("a summary leaves the values as they are", () => {
  const values = [3, 1, 2];

  summaryOf(values);

  expect(values).toEqual([3, 1, 2]);
});

test("there is no summary of nothing", () => {
  expect(() => summaryOf([])).toThrow("expected at least one");
});
