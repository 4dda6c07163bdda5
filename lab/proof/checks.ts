/**
 * The checks that there are, read from the spec files: the catalogue of faults has to speak of each.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** The ids of all checks by spec file, in the order in which they are written. */
export function checksBySuite(): Readonly<Record<string, readonly string[]>> {
  const paths = globSync("suites/*.spec.ts", { cwd: root }).toSorted();
  return Object.fromEntries(paths.map((path) => [path, idsIn(readFileSync(join(root, path), "utf8"))]));
}

export const allChecks = (): string[] => Object.values(checksBySuite()).flat();

/** The part before the colon of the name of each test. */
const idsIn = (source: string): string[] => [...source.matchAll(/\btest\(\s*"([^:]+):/g)].map(([, id]) => id as string);
