/**
 * What was proved when, kept in docs/proof.json, so that docs/proof.md can be told from a stale one and only what has changed need be
 * proved again.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join, posix } from "node:path";
import type { Fault } from "../faults/fault.ts";
import { faults, faultsByFile } from "../faults/index.ts";
import { legalClusters } from "../legal/index.ts";
import type { LegalCluster } from "../legal/cluster.ts";
import { records } from "./catalogue.ts";
import { allChecks, checksBySuite, root } from "./checks.ts";
import { documentOf } from "./document.ts";
import type { Proved } from "./lanes.ts";
import { machineFacts } from "./machine.ts";

type Result = { fingerprint: string; seconds: number; date: string };
/** From the boot of the first lab to the last verdict. */
type WholeRun = { seconds: number; labs: number; cores: number; date: string };

export type Results = {
  /** Of the machine and the lab on which the last of them were proved. */
  facts: Readonly<Record<string, string>>;
  /** The last run through all of the catalogue; undefined before there was one. */
  wholeRun?: WholeRun;
  results: Readonly<Record<string, Result>>;
};

const recordPath = join(root, "docs/proof.json");

export function readResults(): Results {
  if (!existsSync(recordPath)) return { facts: {}, results: {} };
  return JSON.parse(readFileSync(recordPath, "utf8")) as Results;
}

/** Writes down that something is proved as it is now, or that it is not, and the page anew. */
export async function recordProved(proved: Proved): Promise<void> {
  const facts = await machineFacts(proved.lab.instance, "npm run proof");
  write({ ...withProved(readResults(), proved, today()), facts });
}

/** Writes down what a run through all of the catalogue took, and the page anew. */
export function recordWholeRun(took: Pick<WholeRun, "seconds" | "labs">): void {
  write({ ...readResults(), wholeRun: { ...took, cores: cpus().length, date: today() } });
}

/** The results with one more, or with one less where it was not proved. What the catalogue no longer has is dropped. */
export function withProved(before: Results, { name, problems, seconds }: Omit<Proved, "lab">, date: string): Results {
  const results = records.flatMap((record): [string, Result][] => {
    if (record.name === name) return problems.length > 0 ? [] : [[name, { fingerprint: fingerprintOf(record), seconds, date }]];
    const known = before.results[record.name];
    return known === undefined ? [] : [[record.name, known]];
  });
  return { ...before, results: Object.fromEntries(results) };
}

const today = (): string => new Date().toISOString().slice(0, 10);

function write({ facts, wholeRun, results }: Results): void {
  const all = { facts, ...(wholeRun && { wholeRun }), results };
  writeFileSync(recordPath, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(join(root, "docs/proof.md"), documentOf({ checks: allChecks(), faults, legalClusters }, all));
}

/**
 * Changes whenever a record does, or the file in which it is written and what that imports of the catalogue, or the spec file of a check
 * that it speaks of. What fixtures and helpers make of the checks, `npm test` proves: it goes through the whole catalogue.
 */
export function fingerprintOf(record: Fault | LegalCluster): string {
  const suites = Object.entries(checksBySuite());
  // On a legal cluster any check may have something to say.
  const specs = "fails" in record ? suites.filter(([, checks]) => checks.some((id) => speaksOf(record, id))) : suites;
  const file = Object.entries(faultsByFile).find(([, written]) => written.some(({ name }) => name === record.name))?.[0];
  const source = file === undefined ? "lab/legal/index.ts" : `lab/faults/${file}.ts`;
  const hash = createHash("sha256").update(JSON.stringify(record, withExpressions));
  for (const path of [...withImports(source), ...specs.map(([spec]) => spec)]) hash.update(readFileSync(join(root, path)));
  return hash.digest("hex").slice(0, 16);
}

/** A file of the catalogue, and those of the catalogue that it is made of. */
function withImports(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const [, name = ""] of readFileSync(join(root, path), "utf8").matchAll(/from "(\.[^"]+)"/g)) {
    const imported = posix.join(dirname(path), name);
    if (/^lab\/(faults|legal)\//.test(imported)) withImports(imported, seen);
  }
  return seen;
}

const speaksOf = ({ fails, inconclusive }: Fault, id: string): boolean => fails.includes(id) || inconclusive.includes(id);

/** JSON knows no regular expressions. What functions do is in the file. */
const withExpressions = (_key: string, value: unknown): unknown => (value instanceof RegExp ? String(value) : value);

/** Whether a record was proved as it is now. */
export const isCurrent = (record: Fault | LegalCluster, { results }: Results): boolean =>
  results[record.name]?.fingerprint === fingerprintOf(record);
