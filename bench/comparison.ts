/**
 * Script and suite compared: medians, their ratios, and the limits that these have to keep.
 */
import { summaryOf, type Summary } from "./statistics.ts";

/** What is measured of one run; milliseconds count from its start. */
export type Measurement = {
  verdicts: number;
  verdictMs: number;
  exitMs: number;
  /** When the run's namespace was gone from the cluster. */
  goneMs: number;
  peakBytes: number;
};

export type Pair = { script: Measurement; suite: Measurement };

type Moment = { key: "verdictMs" | "exitMs" | "goneMs"; name: string; limit?: number; aim?: number };

/** The three moments of a run, and what the suite's median may be of the script's. */
const moments: readonly Moment[] = [
  { key: "verdictMs", name: "the last verdict" },
  { key: "exitMs", name: "exit", limit: 0.4, aim: 0.3 },
  { key: "goneMs", name: "the namespace's end", limit: 0.75 },
];

export const mebibyte = 1024 ** 2;
const memoryLimitMiB = 350;

export type Row = Moment & { script: Summary; suite: Summary; ratio: number };
export type Comparison = {
  pairs: number;
  /** How many verdicts the suite gave in each run. */
  checks: number;
  rows: readonly Row[];
  memory: { script: Summary; suite: Summary; limitMiB: number };
};

/**
 * @param timed the pairs whose times count
 * @param watched pairs whose memory was watched, which takes time, so that theirs do not count
 * @throws Error when the suite did not give the same number of verdicts every time: runs that looked at less are not compared
 */
export function compare(timed: readonly Pair[], watched: readonly Pair[]): Comparison {
  const over = (pairs: readonly Pair[], side: keyof Pair, key: keyof Measurement): Summary =>
    summaryOf(pairs.map((pair) => pair[side][key]));
  const { min, max } = over([...timed, ...watched], "suite", "verdicts");
  if (min !== max) throw new Error(`the suite gave from ${min} to ${max} verdicts a run, expected the same number every time`);
  const rows = moments.map((moment) => {
    const [script, suite] = [over(timed, "script", moment.key), over(timed, "suite", moment.key)];
    return { ...moment, script, suite, ratio: suite.median / script.median };
  });
  const memory = { script: over(watched, "script", "peakBytes"), suite: over(watched, "suite", "peakBytes"), limitMiB: memoryLimitMiB };
  return { pairs: timed.length, checks: min, rows, memory };
}

/** A sentence for each limit that is missed. */
export function missedLimits({ rows, memory }: Comparison): string[] {
  const slow = rows.flatMap(({ name, limit, ratio }) =>
    limit !== undefined && ratio > limit
      ? [`to ${name} the suite takes ${ratio.toFixed(3)} of the script's time, expected at most ${limit.toFixed(2)}`]
      : [],
  );
  // Of memory the highest peak counts, and not the median: a machine runs out of it but once.
  const peakMiB = memory.suite.max / mebibyte;
  return peakMiB > memory.limitMiB
    ? [...slow, `the suite took ${peakMiB.toFixed(0)} MiB of memory, expected at most ${memory.limitMiB}`]
    : slow;
}
