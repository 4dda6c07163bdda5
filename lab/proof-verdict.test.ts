import { expect, test } from "vitest";
import { misjudged } from "./proof-verdict.ts";
import type { Verdict, Verdicts } from "./verdicts.ts";

const fault = { fails: ["a"], inconclusive: ["b"], because: /route to 10\.200\.1\.0/ };
const verdict = (kind: Verdict["verdict"], message = ""): Verdict => ({ verdict: kind, message });
const asExpected = {
  a: verdict("fail", "server: no route to 10.200.1.0"),
  b: verdict("inconclusive", "not looked at"),
  c: verdict("pass"),
};
const judge = (verdicts: Verdicts) => misjudged(fault, { verdicts, output: "what was printed" });

test("a fault that is found by its checks, for its reason, is proved", () => {
  expect(judge(asExpected)).toEqual([]);
});

test.for([
  [{ ...asExpected, a: verdict("pass") }, "a: pass, expected fail: "],
  [{ ...asExpected, a: verdict("inconclusive", "no SSH") }, "a: inconclusive, expected fail: no SSH"],
  [{ ...asExpected, b: verdict("pass") }, "b: pass, expected inconclusive: "],
  [{ ...asExpected, c: verdict("fail", "wrong") }, "c: fail, expected pass: wrong"],
  [{ ...asExpected, c: verdict("skipped", "no such thing") }, "c: skipped, expected pass: no such thing"],
  [{ a: asExpected.a, c: asExpected.c }, "b: never ran, expected inconclusive: "],
] as const)("any other verdict is none: %j", ([verdicts, sentence]) => {
  expect(judge(verdicts)).toEqual([sentence]);
});

test("a failure for another reason is no detection", () => {
  expect(judge({ ...asExpected, a: verdict("fail", "timed out") })).toEqual([
    "a: expected a message like /route to 10\\.200\\.1\\.0/, got: timed out",
  ]);
});

test("a fault that only keeps checks from looking is known by their reason", () => {
  const cordoned = { fails: [], inconclusive: ["b"], because: /cordoned/ };
  const seen = (message: string) => misjudged(cordoned, { verdicts: { b: verdict("inconclusive", message) }, output: "" });

  expect(seen("node-1 is cordoned")).toEqual([]);
  expect(seen("no SSH")).toHaveLength(1);
});

test("a run without a report proves nothing", () => {
  expect(judge({})).toEqual(["the run has written no report:\nwhat was printed"]);
});
