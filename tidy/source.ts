/**
 * The project's own text, as the tidy rules see it.
 */
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "oxc-parser";

/** A file: its path from the top of the project, with forward slashes, and what is in it. */
export type Source = { path: string; text: string };

/** Looks at files and returns one sentence for each thing that is wrong, or nothing. */
export type Rule = (sources: readonly Source[]) => string[];

/** Whatever the parser returns has a type and a place; the rest depends on the type. https://github.com/estree/estree */
export type SyntaxNode = { type: string; start: number; end: number } & Readonly<Record<string, unknown>>;

const notOurs = new Set(["node_modules", ".git", ".vitest", "smoke-report", ".env"]);

/** `*` passes over names that begin with a dot, and so over .ci/run and .env.example. */
const everything = ["**/*", "**/.*", "**/.*/**/*"];

/** Every file of a folder that git would keep. */
export function readSources(root: string): Source[] {
  return globSync(everything, { cwd: root, exclude: (path) => notOurs.has(path) })
    .filter((path) => statSync(join(root, path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** What is wrong with one file, or with one place in it: an offset in its text. */
export type Problem = { says: string; start?: number };

/** Makes a rule out of what is wrong with one file. */
export function ruleOfEach(problemsOf: (source: Source) => Problem[]): Rule {
  return (sources) => sources.flatMap((source) => problemsOf(source).map(({ says, start }) => `${placeOf(source, start)}: ${says}`));
}

/** `path`, or `path:line` where there is an offset. */
export function placeOf({ path, text }: Source, offset?: number): string {
  return offset === undefined ? path : `${path}:${text.slice(0, offset).split("\n").length}`;
}

/** The statements of a TypeScript file. */
export function statementsOf({ path, text }: Source): SyntaxNode[] {
  return parseSync(path, text).program.body as unknown as SyntaxNode[];
}

/** Every node at and below a value of the syntax tree, parents first. */
export function* nodesIn(value: unknown): Generator<SyntaxNode> {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value) yield value as SyntaxNode;
  for (const child of Object.values(value)) yield* nodesIn(child);
}

/** Every call of a function, or of a property of it at any depth: for `test`, also `test.skip(...)`. */
export function callsOf(source: Source, name: string): SyntaxNode[] {
  return [...nodesIn(statementsOf(source))].filter(
    ({ type, callee }) => type === "CallExpression" && rootOf(callee as SyntaxNode) === name,
  );
}

/** The name that `a` and `a.b.c` begin with. */
function rootOf(node: SyntaxNode): unknown {
  return node.type === "MemberExpression" ? rootOf(node["object"] as SyntaxNode) : node["name"];
}
