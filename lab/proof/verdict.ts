/**
 * Whether a run has made of a fault what the catalogue says.
 */
import { apartFromCause } from "../../helpers/cause.ts";
import { apartFromByHand } from "../../helpers/errors.ts";
import { judgeIn } from "../../helpers/not-looked-at.ts";
import type { Because, Fault } from "../faults/fault.ts";
import type { Outcome } from "../operator.ts";

type Judged = Pick<Fault, "fails" | "inconclusive" | "because" | "cause" | "exitCode">;

/** The check's own words: the lines to try by hand name hosts and addresses whatever is wrong. */
const ownWords = (message: string): string => apartFromByHand(apartFromCause(message).rest).sentence;

/** Sentences for each check that failed, passed or did not look where it should not have, and for failures without the fault's reason. */
export function misjudged(fault: Judged, outcome: Outcome): string[] {
  return fault.exitCode === undefined ? misjudgedChecks(fault, outcome) : misjudgedEnd(fault, outcome);
}

/** What a run that must end before anything is looked at has done besides, or instead. */
function misjudgedEnd({ because, ...fault }: Judged, { exitCode, verdicts, output }: Outcome): string[] {
  const looked = Object.keys(verdicts);
  return [
    ...(exitCode === fault.exitCode ? [] : [`the run exited ${exitCode}, expected ${fault.exitCode}`]),
    ...(looked.length === 0 ? [] : [`the run was to end before anything is looked at, and has looked at ${looked.join(", ")}`]),
    ...patternsOf(because).flatMap((pattern) => (pattern.test(output) ? [] : [`the run said nothing like ${pattern}:\n${output}`])),
  ];
}

const patternsOf = (because: Because): readonly RegExp[] => (because instanceof RegExp ? [because] : Object.values(because));

function misjudgedChecks({ fails, inconclusive, because, cause }: Judged, { verdicts, output }: Outcome): string[] {
  const ids = [...new Set([...Object.keys(verdicts), ...fails, ...inconclusive])];
  const expectedOf = (id: string): string => (fails.includes(id) ? "fail" : inconclusive.includes(id) ? "inconclusive" : "pass");
  const wrong = ids.filter((id) => verdicts[id]?.verdict !== expectedOf(id));
  const sentences = wrong.map(
    (id) => `${id}: ${verdicts[id]?.verdict ?? "never ran"}, expected ${expectedOf(id)}: ${verdicts[id]?.message ?? ""}`,
  );
  // Where nothing fails, the reason has to be that of those that could not look.
  const speaking = fails.length > 0 ? fails : inconclusive;
  const messageOf = (id: string): string => verdicts[id]?.message ?? "";
  const reasonOf = (id: string): RegExp | undefined => (because instanceof RegExp ? because : because[id]);
  const otherwise = speaking.filter((id) => !wrong.includes(id) && reasonOf(id)?.test(ownWords(messageOf(id))) !== true);
  const unexplained = otherwise.map((id) => `${id}: expected a message like ${reasonOf(id)}, got: ${messageOf(id)}`);
  const kept = fails.length > 0 ? inconclusive.filter((id) => !wrong.includes(id) && !hangsOnFailure(ownWords(messageOf(id)), fails)) : [];
  const astray = kept.map((id) => `${id}: expected to be kept from looking by what failed, got: ${messageOf(id)}`);
  const misled = [...fails, ...inconclusive].filter((id) => !wrong.includes(id) && cause?.test(messageOf(id)) === false);
  const misnamed = misled.map((id) => `${id}: expected a cause like ${cause} first, got: ${messageOf(id)}`);
  if (Object.keys(verdicts).length === 0) return [`the run has written no report:\n${output}`];
  return [...sentences, ...unexplained, ...astray, ...misnamed];
}

/** Whether a check could not look because of what the fault has made fail. A host that does not answer, for one, is another matter. */
function hangsOnFailure(message: string, fails: readonly string[]): boolean {
  const elsewhere = judgeIn(message);
  return elsewhere === undefined ? otherObstacles.test(message) : fails.includes(elsewhere.judge);
}

/** Without a run, without a second Node, or without logs there is nothing to look at. */
const otherObstacles =
  /^not looked at, because the run could not begin: |, but they may go to \S+ alone: |^cannot tell which Pod has answered, because /;
