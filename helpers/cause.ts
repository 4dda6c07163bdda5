/**
 * The cause that a diagnosis puts in front of a check's message: how it is written, and how it is told apart again. The message is all
 * that a reporter gets.
 */

export type Cause = {
  /** A sentence. */
  what: string;
  /** What is told of it, by names such as `Seen`, in the order in which it is written. */
  details: Readonly<Record<string, string>>;
};

/** `Cause: ...`, and an indented line for each detail. */
export const linesOf = ({ what, details }: Cause): string[] => [
  `Cause: ${what}`,
  ...Object.entries(details).map(([name, text]) => `  ${name}: ${text}`),
];

const written = /^Cause: (.*)\n?((?: {2}[A-Z][a-z]+: .*(?:\n|$))*)/;

/** The cause in front of a message, undefined where there is none, and the check's own words. */
export function apartFromCause(message: string): { cause: Cause | undefined; rest: string } {
  const [lines = "", what = "", indented = ""] = written.exec(message) ?? [];
  if (lines === "") return { cause: undefined, rest: message };
  const details = [...indented.matchAll(/^ {2}(\w+): (.*)$/gm)].map(([, name = "", text = ""]) => [name, text] as const);
  return { cause: { what, details: Object.fromEntries(details) }, rest: message.slice(lines.length) };
}
