/**
 * docs/proof.md: the table of checks and faults.
 */
import type { Fault } from "../faults/fault.ts";
import type { LegalCluster } from "../legal/cluster.ts";
import type { Results } from "./results.ts";

type Catalogue = { checks: readonly string[]; faults: readonly Fault[]; legalClusters: readonly LegalCluster[] };

const minutesOf = ({ results }: Results): number => Math.round(Object.values(results).reduce((sum, { seconds }) => sum + seconds, 0) / 60);

const wholeRunIn = ({ wholeRun }: Results): string => {
  if (wholeRun === undefined) return "";
  const { seconds, labs, cores, date } = wholeRun;
  const several = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
  return ` The last whole run took ${Math.round(seconds / 60)} min on ${several(labs, "lab")} and ${several(cores, "core")}, ${date}.`;
};

/** @param results times and dates of what was proved; what is missing in it is shown as not proved */
export function documentOf({ checks, faults, legalClusters }: Catalogue, results: Results): string {
  const provedOf = (name: string): string => {
    const result = results.results[name];
    return result === undefined ? "not proved" : `${result.seconds} s, ${result.date}`;
  };
  const number = (id: string): number => checks.indexOf(id) + 1;
  const numbers = (ids: readonly string[]): string =>
    ids
      .map(number)
      .toSorted((one, other) => one - other)
      .join(" ");
  const faultRow = ({ name, state, fails, inconclusive, exitCode }: Fault): string[] => [
    `\`${name}\``,
    `${state}.`,
    exitCode === undefined ? numbers(fails) : `exit ${exitCode}`,
    numbers(inconclusive),
    provedOf(name),
  ];
  const failingIn = (id: string): string => {
    const found = faults.filter(({ fails }) => fails.includes(id));
    return found.map(({ name, fails }) => (fails.length === 1 ? `**${name}**` : name)).join(", ");
  };
  return [
    "# Proof",
    "",
    "Written by `npm run proof`. Do not edit.",
    "",
    `Each fault below was brought about on a real cluster, the lab: the suite was run on it as an operator runs it, and the checks that are named failed, or`,
    "could not look, for the reason that the record of the fault gives, with its cause named first; all others passed. Then the fault was healed, and all passed.",
    "",
    `${faults.length} faults, ${checks.length} checks, ${legalClusters.length} legal clusters; ${Object.keys(results.results).length} of ${faults.length + legalClusters.length} are proved, in ${minutesOf(results)} min of one lab.${wholeRunIn(results)}`,
    "",
    ...table(["", ""], Object.entries(results.facts)),
    "",
    "## Faults",
    "",
    "The numbers are those of the checks in the next table.",
    "",
    ...table(["Fault", "State of the cluster, or of what the run is given", "Fail", "Inconclusive", "Proved in"], faults.map(faultRow)),
    "",
    "## Checks",
    "",
    "In bold the faults in which a check fails alone.",
    "",
    ...table(
      ["", "Check", "Fails with"],
      checks.map((id) => [String(number(id)), `\`${id}\``, failingIn(id)]),
    ),
    "",
    "## Legal clusters",
    "",
    "Not as the guide has it, and right all the same: here every check that was run passed.",
    "",
    ...table(
      ["Cluster", "State", "Proved in"],
      legalClusters.map(({ name, state, suites }) => [`\`${name}\``, `${state}.${ranOnly(suites)}`, provedOf(name)]),
    ),
    "",
  ].join("\n");
}

const ranOnly = (suites: readonly string[] | undefined): string =>
  suites === undefined ? "" : ` Of the suite only ${suites.join(", ")} was run.`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "-")), ...rows.map(line)];
}
