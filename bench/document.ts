/**
 * What the bench has found out, as a page.
 */
import { mebibyte, missedLimits, type Comparison, type Row } from "./comparison.ts";
import type { Summary } from "./statistics.ts";

const how = `\`bench/chapter.sh\` is the chapter as a person would script it: kubectl, ssh and curl in the chapter's order, with kubectl's own
waits. It ends, as a tidy script does, with \`kubectl delete namespace --wait=true\`. The suite is \`npx vitest run\`. Both run in turn, on
the same lab, with \`nginx:latest\`, whose pull policy is Always on both sides; two pairs beforehand, whose times are not counted, fill the
caches, and are watched for their memory.

- **to the last verdict**: from the start to the line \`passed\` of the script, and to the line of the suite's last check.
- **to exit**: until the process has ended, as an operator waits for it. The script has then awaited the end of its namespace; the suite
  leaves when its namespace is empty and Terminating, as all that is left is the five seconds that the namespace controller waits.
- **to the namespace's end**: until the namespace is gone from the cluster; \`kubectl wait --for=delete\` looks, on both sides.

The script looks at less: it asserts eight things, and port forwarding, log and exec of one Pod. Its Pods may take the default 30 s to end, the
suite's 1 s; nginx needs neither. Memory is the highest sum of PSS of all processes of a run, npx among them, looked at every 100 ms. To look slows a run
down, so that it is done with other runs than those that are timed.`;

/**
 * The page.
 * @param facts what the numbers hold for: machine, versions, date, by name
 */
export function documentOf(comparison: Comparison, facts: Readonly<Record<string, string>>): string {
  const { pairs, checks, rows, memory } = comparison;
  const missed = missedLimits(comparison);
  const parts = [
    "# Bench",
    "Written by `npm run bench`. Do not edit.",
    ...(missed.length > 0 ? [`**Missed:** ${missed.join("; ")}.`] : []),
    table(["", "Script", `Suite, ${checks} checks`, "Suite / script", "At most"], [...rows.map(timeRow), memoryRow(memory)]),
    `Medians of ${pairs} pairs, and in brackets the extremes.`,
    table(["", ""], Object.entries(facts)),
    how,
  ];
  return `${parts.join("\n\n")}\n`;
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => "-"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1);
const mebibytes = (bytes: number): string => (bytes / mebibyte).toFixed(0);
const spread = ({ median, min, max }: Summary, show: (value: number) => string, unit: string): string =>
  `${show(median)} ${unit} (${show(min)} to ${show(max)})`;

function timeRow({ name, script, suite, ratio, limit, aim }: Row): string[] {
  const atMost = limit === undefined ? "–" : `${limit.toFixed(2)}${aim === undefined ? "" : `, aim ${aim.toFixed(2)}`}`;
  return [`to ${name}`, spread(script, seconds, "s"), spread(suite, seconds, "s"), ratio.toFixed(2), atMost];
}

const memoryRow = ({ script, suite, limitMiB }: Comparison["memory"]): string[] => [
  "memory at its peak",
  spread(script, mebibytes, "MiB"),
  spread(suite, mebibytes, "MiB"),
  "–",
  `${limitMiB} MiB`,
];
