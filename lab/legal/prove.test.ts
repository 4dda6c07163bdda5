import { expect, test } from "vitest";
import { notGreen } from "./prove.ts";

const outcome = { exitCode: 0, output: "all of it", verdicts: { a: { verdict: "pass", message: "" } } } as const;

test("a run in which every check passes is green", () => {
  expect(notGreen(outcome)).toEqual([]);
});

test("a check that fails, or is skipped, is told", () => {
  const verdicts = {
    a: { verdict: "fail", message: "no" },
    b: { verdict: "skipped", message: "a KMS encrypts the Secrets" },
  } as const;
  expect(notGreen({ ...outcome, exitCode: 1, verdicts })).toEqual([
    "a: fail, expected pass: no",
    "b: skipped, expected pass: a KMS encrypts the Secrets",
  ]);
});

test("a run without checks, or with another exit code, is not green", () => {
  expect(notGreen({ ...outcome, verdicts: {} })).toEqual(["the run has written no report:\nall of it"]);
  expect(notGreen({ ...outcome, exitCode: 4 })).toEqual(["every check is green, and the suite exits 4:\nall of it"]);
});
