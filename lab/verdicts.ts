/**
 * The verdicts of a run, read from its JUnit report, as a CI system reads them.
 */
import { XMLParser } from "fast-xml-parser";
import { z } from "zod";

export type Verdict = { verdict: "pass" | "fail" | "inconclusive" | "skipped"; message: string };
export type Verdicts = Readonly<Record<string, Verdict>>;

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseAttributeValue: false,
  parseTagValue: false,
  isArray: (name) => ["testsuite", "testcase", "failure", "error", "skipped"].includes(name),
});

const outcome = z.array(z.object({ "#text": z.string() })).optional();
const testcase = z.object({ name: z.string(), failure: outcome, error: outcome, skipped: outcome });
const document = z.object({
  testsuites: z.object({ testsuite: z.array(z.object({ testcase: z.array(testcase).default([]) })).default([]) }),
});

/** @throws ZodError when it is no report of the suite */
export function verdictsOf(junit: string): Verdicts {
  const { testsuites } = document.parse(parser.parse(junit));
  const cases = testsuites.testsuite.flatMap((suite) => suite.testcase);
  return Object.fromEntries(cases.map(({ name, ...found }) => [name.split(":", 1)[0] as string, verdictOf(found)]));
}

function verdictOf({ failure, error, skipped }: Omit<z.infer<typeof testcase>, "name">): Verdict {
  const say = (found: NonNullable<z.infer<typeof outcome>>) => found.map(({ "#text": text }) => text).join("\n");
  if (failure !== undefined) return { verdict: "fail", message: say(failure) };
  if (error !== undefined) return { verdict: "inconclusive", message: say(error) };
  return skipped === undefined ? { verdict: "pass", message: "" } : { verdict: "skipped", message: say(skipped) };
}
