/**
 * Which folder may use which: suites, fixtures, helpers, in this direction only, and the lab beside them.
 */
import { dirname, join } from "node:path/posix";
import { nodesIn, ruleOfEach, statementsOf, type Source } from "./source.ts";

const mayUse: Record<string, readonly string[]> = {
  suites: ["fixtures/index.ts"],
  fixtures: ["fixtures", "helpers"],
  helpers: ["helpers"],
  lab: ["lab", "helpers"],
  bench: ["bench", "lab", "helpers"],
  self: ["self", "helpers"],
  tidy: ["tidy"],
};

/** What a file imports or exports again, as written there. */
function importsOf(source: Source): string[] {
  return [...nodesIn(statementsOf(source))].flatMap(({ type, source: from }) => {
    const imports = /^(Import|Export\w+)Declaration$|^ImportExpression$/.test(type);
    const value = imports && typeof from === "object" && from !== null && "value" in from ? from.value : undefined;
    return typeof value === "string" ? [value] : [];
  });
}

const isTest = (path: string): boolean => path.endsWith(".test.ts");
const isPackage = (name: string): boolean => !name.startsWith(".");
const isWithin = (path: string, places: readonly string[]): boolean =>
  places.some((place) => path === place || path.startsWith(`${place}/`));

/** A file of a folder uses its own folder and those below it, never one above. What is not in a folder may use everything. */
export const importsGoDown = ruleOfEach((source) => {
  const [folder = ""] = source.path.split("/");
  const allowed = mayUse[folder];
  if (allowed === undefined) return [];
  const used = importsOf(source).filter((name) => folder === "suites" || !isPackage(name));
  return used
    .filter((name) => isPackage(name) || !isWithin(join(dirname(source.path), name), allowed))
    .map((name) => ({ says: `imports ${name}, but ${folder}/ may use ${allowed.join(", ")} only` }));
});

/** Only the fixtures and the tests know Vitest, so that helpers and lab serve without it. */
export const onlyFixturesKnowVitest = ruleOfEach((source) => {
  if (isTest(source.path) || isWithin(source.path, ["fixtures"]) || !source.path.includes("/")) return [];
  return importsOf(source)
    .filter((name) => /^(vitest|@vitest)(\/|$)/.test(name))
    .map((name) => ({ says: `imports ${name}, which is for fixtures/ and tests` }));
});
