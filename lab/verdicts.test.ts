import { expect, test } from "vitest";
import { verdictsOf } from "./verdicts.ts";

const report = (...cases: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?><testsuites><testsuite name="suites/a.spec.ts">${cases.join("")}</testsuite></testsuites>`;

test("each check has the verdict and the message that the report gives it, by its id", () => {
  const junit = report(
    '<testcase name="a: it holds"><properties><property name="note" value="x"/></properties></testcase>',
    '<testcase name="b: it holds, too"><failure message="first">first &lt;line&gt;\nsecond</failure></testcase>',
    '<testcase name="c: it is seen"><error message="not looked at">not looked at</error></testcase>',
    '<testcase name="d: it is there"><skipped message="no such thing">no such thing</skipped></testcase>',
  );

  expect(verdictsOf(junit)).toEqual({
    a: { verdict: "pass", message: "" },
    b: { verdict: "fail", message: "first <line>\nsecond" },
    c: { verdict: "inconclusive", message: "not looked at" },
    d: { verdict: "skipped", message: "no such thing" },
  });
});

test("numbers in a message stay as they were written", () => {
  expect(verdictsOf(report('<testcase name="a: it holds"><failure message="1.0">1.0</failure></testcase>'))["a"]?.message).toBe("1.0");
});

test("what is no report is refused", () => {
  expect(() => verdictsOf("<html></html>")).toThrow("testsuites");
});
