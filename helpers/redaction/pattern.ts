/**
 * How the tables beside this file say what must not leave. Patterns are written as texts, put together of named parts.
 */

/** What stands in the place of a secret. */
export const hidden = "[redacted]";

export type Pattern = {
  /** What it hides, and how that is known. */
  hides: string;
  /** A text with such a secret in it, made up, and what is left of it. */
  example: string;
  leaves: string;
  /** What stands in front of the secret, and stays. */
  before?: string;
  secret: string;
  ignoresCase?: true;
  /** What is put in the secret's place, or makes that of all that matches; else `[redacted]`, in the quotes that the secret had. */
  by?: string | ((found: string) => string);
};

/** A function that hides in a text what a pattern describes. `^` and `$` are the beginning and the end of a line. */
export function filterOf({ before = "", secret, ignoresCase, by = `$<quote>${hidden}$<quote>` }: Pattern): (text: string) => string {
  const pattern = new RegExp(`(?<before>${before})(?:${secret})`, ignoresCase ? "gim" : "gm");
  // TypeScript knows replaceAll in one form for a text, and in another for a function.
  return typeof by === "string" ? (text) => text.replaceAll(pattern, `$<before>${by}`) : (text) => text.replaceAll(pattern, by);
}
