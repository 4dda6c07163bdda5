/**
 * Whether a run has made of a fault what the catalogue says.
 */
import type { Fault } from "./faults/fault.ts";
import type { Outcome } from "./operator.ts";

type Judged = Pick<Fault, "fails" | "inconclusive" | "because">;

/** Sentences for each check that failed, passed or did not look where it should not have, and for failures without the fault's reason. */
export function misjudged({ fails, inconclusive, because }: Judged, { verdicts, output }: Pick<Outcome, "verdicts" | "output">): string[] {
  const ids = [...new Set([...Object.keys(verdicts), ...fails, ...inconclusive])];
  const expectedOf = (id: string): string => (fails.includes(id) ? "fail" : inconclusive.includes(id) ? "inconclusive" : "pass");
  const wrong = ids.filter((id) => verdicts[id]?.verdict !== expectedOf(id));
  const sentences = wrong.map(
    (id) => `${id}: ${verdicts[id]?.verdict ?? "never ran"}, expected ${expectedOf(id)}: ${verdicts[id]?.message ?? ""}`,
  );
  // Where nothing fails, the reason has to be that of those that could not look.
  const speaking = fails.length > 0 ? fails : inconclusive;
  const otherwise = speaking.filter((id) => !wrong.includes(id) && !because.test(verdicts[id]?.message ?? ""));
  const unexplained = otherwise.map((id) => `${id}: expected a message like ${because}, got: ${verdicts[id]?.message}`);
  return Object.keys(verdicts).length === 0 ? [`the run has written no report:\n${output}`] : [...sentences, ...unexplained];
}
