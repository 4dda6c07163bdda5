/**
 * Comments and words, which no formatter looks after.
 */
import { basename } from "node:path/posix";
import { ruleOfEach, statementsOf, type Rule, type SyntaxNode } from "./source.ts";

const widest = 140;

/** Code is wrapped by the formatter, comments are not. */
export const commentsAreNarrow = ruleOfEach(({ text }) =>
  [...text.matchAll(/^[ \t]*(?:\/\/|\/\*|\*|# ).*$/gm)]
    .filter(([line]) => line.length > widest)
    .map(({ 0: line, index }) => ({ start: index, says: `a comment of ${line.length} columns, expected at most ${widest}` })),
);

/** The functions that a file offers, with their place; of several signatures of one function the first. */
function offeredBy(statements: readonly SyntaxNode[]): { name: string; start: number }[] {
  const offered = new Map<string, number>();
  for (const { type, start, declaration } of statements) {
    if (type !== "ExportNamedDeclaration" || declaration === null) continue;
    const { type: kind, id, declarations } = declaration as SyntaxNode & { id?: { name: string }; declarations?: Variable[] };
    const names = /Function/.test(kind) ? [id?.name] : (declarations ?? []).filter(isFunction).map((variable) => variable.id.name);
    for (const name of names) if (name !== undefined && !offered.has(name)) offered.set(name, start);
  }
  return [...offered].map(([name, start]) => ({ name, start }));
}

type Variable = { id: { name: string }; init?: { type: string } | null };
const isFunction = ({ init }: Variable): boolean => /Function/.test(init?.type ?? "");

/** Whoever calls a helper should not have to read it: shapes, units and errors stand above it. */
export const helpersAreDocumented = ruleOfEach((source) =>
  offeredBy(statementsOf(source))
    .filter(({ start }) => !source.text.slice(0, start).trimEnd().endsWith("*/"))
    .map(({ name, start }) => ({ start, says: `${name} is exported without a docstring` })),
);

/** Where people keep their work: such a path means nothing to whoever reads the repository. */
const elsewhere = /(?<![\w.-])(?:\/(?:home|Users|work)|shared)\/[\w.-]*/g;

const page = /(?<![\w/.:-])[\w-]+(?:\/[\w-]+)*\.md\b/g;

/** Nothing points at what a reader of the repository does not have: a folder of somebody's machine, a page that is not here. */
export const nothingPointsElsewhere: Rule = (sources) => {
  const pages = new Set(sources.map(({ path }) => basename(path)));
  return ruleOfEach(({ text }) =>
    [...text.matchAll(elsewhere), ...[...text.matchAll(page)].filter(([path]) => !pages.has(basename(path)))].map(({ 0: path, index }) => ({
      start: index,
      says: `names ${path}, which is not in the repository`,
    })),
  )(sources);
};
