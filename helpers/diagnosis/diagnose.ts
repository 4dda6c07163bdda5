/**
 * From a failure and the evidence to the cause, and to the lines that tell of it.
 */
import { join } from "node:path";
import { linesOf } from "../cause.ts";
import { judgeIn } from "../not-looked-at.ts";
import type { Evidence, Failure, Finding, Rule } from "./model.ts";
import { nearestEvidence } from "./nearest.ts";
import { evidenceFile, objectsFile } from "./gathering/report.ts";
import { rules } from "./rules/index.ts";

type Diagnosis = { rule: Rule; finding: Finding };

/** The first cause by the order of the rules, which is from the particular to the general; undefined where no rule matches. */
export function diagnose(evidence: Evidence, failure: Failure): Diagnosis | undefined {
  const actual = actualFailure(failure);
  for (const rule of rules) {
    if (!canExplain(rule, actual)) continue;
    const finding = rule.find(evidence, actual);
    if (finding !== undefined) return { rule, finding: onOneLine(finding) };
  }
  return undefined;
}

type Presentation = {
  /** Where the evidence has been written to; undefined where it could not be. */
  folder: string | undefined;
  /** Of which check the objects have been written there; undefined where there are none. */
  judge?: string | undefined;
  /** Makes of a command a line that can be pasted. */
  ready: (line: string) => string;
};

/** The lines in front of a message: the cause, what was seen of it, what mends it, and where it is told how to build it. */
export function causeLines(evidence: Evidence, failure: Failure, { folder, judge, ready }: Presentation): string[] {
  const diagnosis = diagnose(evidence, failure);
  if (diagnosis === undefined) {
    const nearest = nearestEvidence(evidence);
    const what = `none of the ${rules.length} known causes matches; nearest evidence: ${nearest}.`;
    return linesOf({ what, details: { Evidence: filesOf({ folder, judge }) } });
  }
  const { rule, finding } = diagnosis;
  const host = Object.keys(evidence.hosts).find((name) => finding.seen.startsWith(`${name}: `));
  const files = filesOf({ folder, judge }, evidenceFile(host ?? "api"));
  return linesOf({
    what: `${finding.what}.`,
    details: { Seen: finding.seen, Mend: ready(finding.mend), Guide: rule.guide, Evidence: files },
  });
}

/** Where the evidence is to be found: the file that shows the cause, or all of them, and the objects of the check. */
function filesOf({ folder, judge }: Pick<Presentation, "folder" | "judge">, file = ""): string {
  if (folder === undefined) return "it could not be written; see SMOKE_EVIDENCE";
  const objects = judge === undefined ? "" : `, ${join(folder, objectsFile(judge))}`;
  return `${folder}/${file}${objects}`;
}

/** What a rule quotes may have been several lines, of a journal or a message. */
function onOneLine({ what, seen, mend }: Finding): Finding {
  const joined = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ").trim();
  return { what: joined(what).replace(/\.$/, ""), seen: joined(seen), mend: joined(mend) };
}

const canExplain = ({ explains, saying }: Rule, { check, message }: Failure): boolean =>
  (explains === undefined || explains.includes(check)) && (saying === undefined || saying.test(message));

const couldNotBegin = /^not looked at, because the run could not begin: ([^]*)$/;

/**
 * The check whose objects show a failure: one that was not looked at because of another has judged none of its own. Undefined where the run
 * could not begin, and has none.
 */
export const judgeOf = (failure: Failure): string | undefined =>
  couldNotBegin.test(failure.message) ? undefined : actualFailure(failure).check;

/**
 * Whose failure it is. A check that was not looked at because of another has that one's cause, and so has one that cannot read the logs
 * by which it tells the Pods apart.
 */
function actualFailure({ check, message }: Failure): Failure {
  const elsewhere = judgeIn(message);
  if (elsewhere !== undefined) return { check: elsewhere.judge, message: elsewhere.reason };
  const [, obstacle] = couldNotBegin.exec(message) ?? [];
  if (obstacle !== undefined) return { check, message: obstacle };
  const [, log] =
    /^cannot tell which Pod has answered, because (?:the log of .+? cannot be read|a log does not show what its Pod answers): ([^]*)$/.exec(
      message,
    ) ?? [];
  return log === undefined ? { check, message } : { check: "logs-recorded", message: log };
}
