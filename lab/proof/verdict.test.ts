import { expect, test } from "vitest";
import { misjudged } from "./verdict.ts";
import type { Verdict, Verdicts } from "../verdicts.ts";

const fault = { fails: ["a"], inconclusive: ["b"], because: /route to 10\.200\.1\.0/ };
const verdict = (kind: Verdict["verdict"], message = ""): Verdict => ({ verdict: kind, message });
const asExpected = {
  a: verdict("fail", "server: no route to 10.200.1.0"),
  b: verdict("inconclusive", "not looked at, because `a` failed: no route"),
  c: verdict("pass"),
};
const judge = (verdicts: Verdicts) => misjudged(fault, { exitCode: 1, verdicts, output: "what was printed" });

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

test("each check may have a reason of its own, and one without any is not explained", () => {
  const judged = (because: Readonly<Record<string, RegExp>>) =>
    misjudged({ fails: ["a", "b"], inconclusive: [], because }, { exitCode: 1, verdicts, output: "" });
  const verdicts = { a: verdict("fail", "no route"), b: verdict("fail", "timed out") };

  expect(judged({ a: /no route/, b: /timed out/ })).toEqual([]);
  expect(judged({ a: /timed out/, b: /timed out/ })).toEqual(["a: expected a message like /timed out/, got: no route"]);
  expect(judged({ a: /no route/ })).toEqual(["b: expected a message like undefined, got: timed out"]);
});

test("the lines to try by hand are no reason: they name hosts whatever is wrong", () => {
  const byHand = "timed out\nBy hand:\n  ssh server ip route get 10.200.1.0; # route to 10.200.1.0";
  expect(judge({ ...asExpected, a: verdict("fail", byHand) })).toHaveLength(1);
});

test("the cause that the diagnosis names is held against every check, and is no reason of the check's own", () => {
  const named = (message: string): Verdicts => ({
    a: verdict("fail", message),
    b: verdict("inconclusive", "Cause: server has no route.\nnot looked at, because `a` failed: no route"),
  });
  const judged = (message: string) =>
    misjudged({ ...fault, cause: /^Cause: server has no route/ }, { exitCode: 1, verdicts: named(message), output: "" });

  expect(judged("Cause: server has no route.\n  Seen: ip route\nno route to 10.200.1.0")).toEqual([]);
  expect(judged("Cause: node-0 is down.\n  Seen: ping\nno route to 10.200.1.0")).toEqual([
    "a: expected a cause like /^Cause: server has no route/ first, got: Cause: node-0 is down.\n  Seen: ping\nno route to 10.200.1.0",
  ]);
  expect(judged("Cause: server has no route.\n  Seen: no route to 10.200.1.0\ntimed out")).toEqual([
    "a: expected a message like /route to 10\\.200\\.1\\.0/, got: Cause: server has no route.\n  Seen: no route to 10.200.1.0\ntimed out",
  ]);
});

test.for([
  ["what another check has found, which passes", "not looked at, because `c` failed: no route"],
  ["what has nothing to do with the fault", "node-0: cannot open SSH to 192.0.2.20:22: the connection was refused"],
] as const)("a check that is kept from looking by %s is not explained", ([_what, message]) => {
  expect(judge({ ...asExpected, b: verdict("inconclusive", message) })).toEqual([
    `b: expected to be kept from looking by what failed, got: ${message}`,
  ]);
});

test("a fault that only keeps checks from looking is known by their reason", () => {
  const cordoned = { fails: [], inconclusive: ["b"], because: /cordoned/ };
  const seen = (message: string) => misjudged(cordoned, { exitCode: 3, verdicts: { b: verdict("inconclusive", message) }, output: "" });

  expect(seen("node-1 is cordoned")).toEqual([]);
  expect(seen("no SSH")).toHaveLength(1);
});

test("a run without a report proves nothing", () => {
  expect(judge({})).toEqual(["the run has written no report:\nwhat was printed"]);
});

test("a fault that keeps a run from beginning is known by its exit code and by what it says, and by no check at all", () => {
  const unknownContext = { fails: [], inconclusive: [], because: /no such context/, exitCode: 2 };
  const ended = (exitCode: number, output: string, verdicts: Verdicts = {}) => misjudged(unknownContext, { exitCode, output, verdicts });

  expect(ended(2, "no such context")).toEqual([]);
  expect(ended(1, "no such context")).toEqual(["the run exited 1, expected 2"]);
  expect(ended(2, "no route")).toEqual(["the run said nothing like /no such context/:\nno route"]);
  expect(ended(2, "no such context", asExpected)).toEqual(["the run was to end before anything is looked at, and has looked at a, b, c"]);
});
