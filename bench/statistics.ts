/**
 * The little arithmetic that the bench needs.
 */

export type Summary = { median: number; min: number; max: number };

/** What a few values have in common; the median, because one run that the machine has held up must not count. */
export function summaryOf(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError("a summary of no values was asked for, expected at least one");
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number };
}
