import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { exitCodeOf, sentenceOf, sumOf, tallyOfReport, tallyOfTool } from "./tally.ts";

type Status = "passed" | "failed" | "skipped" | "todo" | "pending";
const fileOf = (status: "passed" | "failed", ...statuses: readonly Status[]) => ({
  status,
  assertionResults: statuses.map((each) => ({ status: each })),
});
const reportOf = (...testResults: readonly object[]): string => JSON.stringify({ testResults });

test.for([
  [
    "passes, failures and skips",
    reportOf(fileOf("failed", "passed", "passed", "failed", "skipped", "todo")),
    1,
    "2 passed, 1 failed, 2 skipped",
  ],
  ["several files", reportOf(fileOf("passed", "passed"), fileOf("passed", "passed", "skipped")), 0, "2 passed, 0 failed, 1 skipped"],
  ["a file that does not load", reportOf(fileOf("failed"), fileOf("passed", "passed")), 1, "1 passed, 1 failed, 0 skipped"],
  ["a test without a result, as its worker died", reportOf(fileOf("failed", "passed", "pending")), 1, "1 passed, 1 failed, 0 skipped"],
  ["an error outside of every test", reportOf(fileOf("passed", "passed")), 1, "1 passed, 1 failed, 0 skipped"],
  ["no tests", reportOf(), 0, "0 passed, 1 failed, 0 skipped"],
  ["nothing but skips", reportOf(fileOf("passed", "skipped")), 0, "0 passed, 1 failed, 1 skipped"],
  ["no report", undefined, 0, "0 passed, 1 failed, 0 skipped"],
  ["half a report", '{"testResults": [', 137, "0 passed, 1 failed, 0 skipped"],
  ["a report of another shape", "{}", 0, "0 passed, 1 failed, 0 skipped"],
] as const)("the tally of %s", ([, report, exitCode, sentence]) => {
  expect(sentenceOf(tallyOfReport(report, exitCode))).toBe(sentence);
});

test("a tool counts as one test", () => {
  expect(sentenceOf(sumOf([tallyOfTool(0), tallyOfTool(2), tallyOfTool(0)]))).toBe("2 passed, 1 failed, 0 skipped");
});

test.for([
  [{ passed: 1, failed: 0, skipped: 3 }, 0],
  [{ passed: 1, failed: 1, skipped: 0 }, 1],
  [{ passed: 0, failed: 0, skipped: 3 }, 1],
] as const)("the exit code of %j is %i", ([tally, exitCode]) => {
  expect(exitCodeOf(tally)).toBe(exitCode);
});

// The shape of the report is Vitest's to change.
test("the tally of a real run", () => {
  const folder = mkdtempSync(join(tmpdir(), "tally-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "tests"));
  symlinkSync(join(import.meta.dirname, "../node_modules"), join(folder, "node_modules"));
  const tests = [
    'test("passes", () => {});',
    'test("fails", () => { throw new Error("as it should"); });',
    'test.skip("skipped", () => {});',
  ];
  writeFileSync(join(folder, "tests/three.test.ts"), ['import { test } from "vitest";', ...tests].join("\n"));
  writeFileSync(join(folder, "tests/broken.test.ts"), 'import "./nowhere.ts";');
  writeFileSync(join(folder, "vitest.config.ts"), "export default {};");

  const options = { cwd: folder, stdio: "ignore" } as const;
  expect(() => execFileSync("vitest", ["run", "--reporter=json", "--outputFile=report.json"], options)).toThrow("Command failed");

  expect(sentenceOf(tallyOfReport(readFileSync(join(folder, "report.json"), "utf8"), 1))).toBe("1 passed, 2 failed, 1 skipped");
});
