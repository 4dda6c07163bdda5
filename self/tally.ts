/**
 * How many tests have passed, failed and been skipped, over all that ran. Whatever did not end as it should counts as a failure, so that
 * nothing which was not seen to pass can look like it.
 */
import { z } from "zod";

export type Tally = { passed: number; failed: number; skipped: number };

const none: Tally = { passed: 0, failed: 0, skipped: 0 };
const oneFailure: Tally = { ...none, failed: 1 };

/** The part of Vitest's JSON report that is needed here. `pending` is a test that was begun or queued and has no result. */
const reportSchema = z.object({
  testResults: z.array(
    z.object({
      status: z.enum(["passed", "failed"]),
      assertionResults: z.array(z.object({ status: z.enum(["passed", "failed", "skipped", "todo", "pending"]) })),
    }),
  ),
});

/** The sum of tallies. */
export function sumOf(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, { passed, failed, skipped }) => ({ passed: sum.passed + passed, failed: sum.failed + failed, skipped: sum.skipped + skipped }),
    none,
  );
}

/** A tool that only says yes or no counts as one test. */
export function tallyOfTool(exitCode: number): Tally {
  return exitCode === 0 ? { ...none, passed: 1 } : oneFailure;
}

/**
 * The tally of a run of Vitest.
 * @param report its JSON report, or undefined when it has written none
 * @param exitCode its exit code, which alone tells of errors outside of any test
 */
export function tallyOfReport(report: string | undefined, exitCode: number): Tally {
  const { data } = reportSchema.safeParse(parseOrUndefined(report));
  if (data === undefined) return oneFailure;
  const tally = sumOf(data.testResults.map(tallyOfFile));
  const ran = tally.passed + tally.failed;
  return tally.failed === 0 && (exitCode !== 0 || ran === 0) ? sumOf([tally, oneFailure]) : tally;
}

type FileResult = z.infer<typeof reportSchema>["testResults"][number];

function tallyOfFile({ status, assertionResults }: FileResult): Tally {
  const count = (...wanted: readonly string[]) => assertionResults.filter((result) => wanted.includes(result.status)).length;
  const failed = count("failed", "pending");
  // A file that cannot be loaded has failed without a single test of it.
  return { passed: count("passed"), failed: status === "failed" && failed === 0 ? 1 : failed, skipped: count("skipped", "todo") };
}

/** A runner that was killed leaves an empty report, or half of one. */
function parseOrUndefined(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The line that a run ends with. */
export function sentenceOf({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** 0 only when something passed and nothing failed. */
export function exitCodeOf({ passed, failed }: Tally): number {
  return failed === 0 && passed > 0 ? 0 : 1;
}
