/**
 * The same thing done on every Node, Pod or host at once. One of several may be broken, and a message has to name each that is.
 */
import { apartFromByHand, ConformanceError, InconclusiveError } from "./errors.ts";

/**
 * What `action` returns for each item, in order.
 * @throws ConformanceError with what all that failed say, and all their lines to try by hand, if the cluster answered wrongly for any; else
 *   InconclusiveError
 */
export async function forEach<Item, Result>(items: readonly Item[], action: (item: Item) => Promise<Result>): Promise<Result[]> {
  const settled = await Promise.allSettled(items.map(action));
  const failures = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (failures.length === 0) return settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (failures.length === 1) throw failures[0];
  const told = failures.map((failure) => apartFromByHand(failure instanceof Error ? failure.message : String(failure)));
  const sentences = [...new Set(told.map(({ sentence }) => sentence))].join("\n");
  const byHand = [...new Set(told.flatMap((one) => one.byHand ?? []))];
  const wrong = failures.find((failure) => failure instanceof ConformanceError);
  if (wrong !== undefined) throw new ConformanceError(sentences, { cause: wrong, byHand });
  throw new InconclusiveError(sentences, { cause: failures[0], byHand });
}
