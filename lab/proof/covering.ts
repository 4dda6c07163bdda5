/**
 * A few faults that between them redden every check: what the project's own tests prove each time. The whole catalogue takes
 * `npm run proof`.
 */
import type { Fault } from "../faults/fault.ts";

/**
 * Takes, again and again, the fault in which most of the checks fail that none of those taken has reddened; of several, the first.
 * @returns faults in the order of the catalogue; checks that no fault reddens are not covered
 */
export function coveringFaults(faults: readonly Fault[]): readonly Fault[] {
  const uncovered = new Set(faults.flatMap(({ fails }) => fails));
  const taken = new Set<Fault>();
  while (uncovered.size > 0) {
    const gainOf = ({ fails }: Fault): number => fails.filter((id) => uncovered.has(id)).length;
    const best = faults.reduce((one, other) => (gainOf(other) > gainOf(one) ? other : one));
    taken.add(best);
    for (const id of best.fails) uncovered.delete(id);
  }
  return faults.filter((fault) => taken.has(fault));
}
