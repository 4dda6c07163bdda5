import { expect, test } from "vitest";
import { notGreen } from "./prove.ts";

const outcome = { exitCode: 0, output: "all of it", verdicts: { a: { verdict: "pass", message: "" } } } as const;
const skipped = { verdict: "skipped", message: "a KMS encrypts the Secrets" } as const;

test("a run in which every check passes is green", () => {
  expect(notGreen({}, outcome)).toEqual([]);
});

test("a check that fails, or that nobody allows to be skipped, is told", () => {
  const verdicts = { a: { verdict: "fail", message: "no" }, b: skipped } as const;
  expect(notGreen({}, { ...outcome, exitCode: 1, verdicts })).toEqual([
    "a: fail, expected pass: no",
    "b: skipped, expected pass: a KMS encrypts the Secrets",
  ]);
});

test("a check may be skipped for the cluster's reason, and for no other, and has to be", () => {
  expect(notGreen({ skips: { b: /KMS/ } }, { ...outcome, verdicts: { b: skipped } })).toEqual([]);
  expect(notGreen({ skips: { b: /bridge/ } }, { ...outcome, verdicts: { b: skipped } })).toEqual([
    "b: skipped, expected skipped, because /bridge/: a KMS encrypts the Secrets",
  ]);
  expect(notGreen({ skips: { a: /KMS/ } }, outcome)).toEqual(["a: pass, expected skipped, because /KMS/: "]);
});

test("a run without checks, or with another exit code, is not green", () => {
  expect(notGreen({}, { ...outcome, verdicts: {} })).toEqual(["the run has written no report:\nall of it"]);
  expect(notGreen({}, { ...outcome, exitCode: 4 })).toEqual(["every check is green, and the suite exits 4:\nall of it"]);
});
