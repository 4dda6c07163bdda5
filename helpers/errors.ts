/**
 * The three ways in which a run can say that something is wrong. Which verdict an error means is decided by its name alone, because
 * only name and message survive the way from a test worker to the process that owns the run.
 */

type Details = {
  /** The error that this one explains. */
  cause?: unknown;
  /** Two or three kubectl, ssh or curl lines that show the same thing by hand. */
  byHand?: readonly string[];
};

/** A sentence, and below it the lines to try by hand. */
export function withByHand(sentence: string, byHand: readonly string[] = []): string {
  return byHand.length === 0 ? sentence : `${sentence}\nBy hand:\n${byHand.map((line) => `  ${line}`).join("\n")}`;
}

/** The same taken apart again: the sentence alone, and the lines; undefined where there are none. */
export function apartFromByHand(message: string): { sentence: string; byHand: readonly string[] | undefined } {
  const [sentence = "", lines] = message.split("\nBy hand:\n");
  return { sentence, byHand: lines?.split("\n").map((line) => line.trim()) };
}

/** The cluster answered, and wrongly: verdict `fail`. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";

  constructor(sentence: string, { cause, byHand }: Details = {}) {
    super(withByHand(sentence, byHand), { cause });
  }
}

/** We could not look, or what we needed in order to look is missing: verdict `inconclusive`. */
export class InconclusiveError extends Error {
  override readonly name = "InconclusiveError";

  constructor(sentence: string, { cause, byHand }: Details = {}) {
    super(withByHand(sentence, byHand), { cause });
  }
}

/** An error as it goes from one process to another: what it says, and which verdict it means. */
export type Failure = { message: string; verdict: "fail" | "inconclusive" };

/** `fail` when the cluster answered, and wrongly; whatever else was thrown means that we could not look. */
export const verdictOf = (error: unknown): Failure["verdict"] => (error instanceof ConformanceError ? "fail" : "inconclusive");

/** The error that a failure was. */
export const errorOf = ({ message, verdict }: Failure): Error =>
  verdict === "fail" ? new ConformanceError(message) : new InconclusiveError(message);

/** What the person set is wrong, missing or unknown. It lists every problem at once, and nothing has been touched. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? "1 problem" : `${problems.length} problems`} in the settings:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    );
    this.problems = problems;
  }
}

/** The first line of whatever was thrown, with the system's reason where a library hides it in `cause`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const line = firstLineOf(error);
  return error.cause instanceof Error && !line.includes(firstLineOf(error.cause)) ? `${line} (${reasonOf(error.cause)})` : line;
}

/** Node bundles the errors of a name with several addresses in one that says nothing itself. */
function firstLineOf(error: Error): string {
  if (error instanceof AggregateError && error.message === "") return [...new Set(error.errors.map(reasonOf))].join(", ");
  return error.message.split("\n", 1)[0] ?? "";
}
