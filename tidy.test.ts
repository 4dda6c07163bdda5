/**
 * What keeps the project tidy where no compiler, linter or formatter looks. Each rule comes with an example that it refuses.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { importsGoDown, onlyFixturesKnowVitest } from "./tidy/imports.ts";
import { differences, idsInTables, repeatedPins, variablesIn } from "./tidy/lists.ts";
import { readSources, type Rule } from "./tidy/source.ts";
import { checksAreNamed, idsOf, nothingIsTriedAgain, onlyChecksExpect, specsAreShort } from "./tidy/specs.ts";
import { commentsAreNarrow, helpersAreDocumented, nothingPointsElsewhere } from "./tidy/text.ts";

const root = import.meta.dirname;
const sources = readSources(root);
const textOf = (wanted: string): string => sources.find(({ path }) => path === wanted)?.text ?? "";

type Tidy = { says: string; rule: Rule; of: RegExp; refuses: readonly { path: string; text: string; because: string }[] };

const rules: readonly Tidy[] = [
  {
    says: "imports go down: suites, fixtures, helpers; lab to helpers",
    rule: importsGoDown,
    of: /\.ts$/,
    refuses: [
      { path: "suites/a.spec.ts", text: 'import { b } from "../helpers/b.ts";', because: "suites/ may use fixtures/index.ts only" },
      { path: "suites/a.spec.ts", text: 'import { test } from "vitest";', because: "imports vitest" },
      { path: "fixtures/a.ts", text: 'export { b } from "../lab/b.ts";', because: "fixtures/ may use fixtures, helpers only" },
      { path: "helpers/a.ts", text: 'import type { B } from "../fixtures/b.ts";', because: "helpers/ may use helpers only" },
      { path: "lab/up/a.ts", text: 'const { b } = await import("../../fixtures/b.ts");', because: "lab/ may use lab, helpers only" },
    ],
  },
  {
    says: "only fixtures and tests know Vitest",
    rule: onlyFixturesKnowVitest,
    of: /\.ts$/,
    refuses: [{ path: "helpers/a.ts", text: 'import { inject } from "vitest";', because: "for fixtures/ and tests" }],
  },
  {
    says: "only checks expect",
    rule: onlyChecksExpect,
    of: /^(fixtures|helpers)\/.*(?<!\.test)\.ts$/,
    refuses: [{ path: "fixtures/a.ts", text: "export const a = () => expect.soft(1).toBe(1);", because: "asserts" }],
  },
  {
    says: "a check has a literal name with an id of its own",
    rule: checksAreNamed,
    of: /^suites\//,
    refuses: [
      {
        path: "suites/a.spec.ts",
        text: "test(`a-${1}: it holds`, () => {});",
        because: "suites/a.spec.ts:1: a check is written",
      },
      { path: "suites/a.spec.ts", text: 'test("It holds", () => {});', because: "<kebab-id>" },
      { path: "suites/a.spec.ts", text: 'test.for([1])("a: holds for %s", () => {});', because: "a literal name" },
      { path: "suites/a.spec.ts", text: 'test.only("a: b", () => {});', because: "a check is written test(" },
      { path: "suites/a.spec.ts", text: 'test("a: x", () => {});\ntest("a: y", () => {});', because: "a is taken by suites/a.spec.ts:1" },
    ],
  },
  {
    says: "a spec file is short",
    rule: specsAreShort,
    of: /^suites\//,
    refuses: [{ path: "suites/a.spec.ts", text: "await 1;\n".repeat(91), because: "91 lines of code" }],
  },
  {
    says: "nothing is tried again",
    rule: nothingIsTriedAgain,
    of: /^(suites|fixtures)\/|^vitest\..*config\.ts$/,
    refuses: [{ path: "suites/a.spec.ts", text: 'test("a: b", { retry: 2 }, () => {});', because: "retries" }],
  },
  {
    says: "comments fit the page",
    rule: commentsAreNarrow,
    of: /\.(ts|sh|awk)$/,
    refuses: [
      { path: "lab/a.ts", text: `\n// ${"word ".repeat(30)}`, because: "lab/a.ts:2: a comment of 153 columns" },
      { path: "lab/a.sh", text: `\n# ${"word ".repeat(30)}`, because: "lab/a.sh:2: a comment of 152 columns" },
    ],
  },
  {
    says: "what a helper exports has a docstring",
    rule: helpersAreDocumented,
    of: /^helpers\/.*(?<!\.test)\.ts$/,
    refuses: [
      {
        path: "helpers/a.ts",
        text: "/** A. */\nexport function a() {}\nexport function b() {}",
        because: "b is exported without a docstring",
      },
      { path: "helpers/a.ts", text: "export const a = () => 1;", because: "a is exported without a docstring" },
      { path: "helpers/a.ts", text: "// A.\nexport async function a() {}", because: "a is exported without a docstring" },
    ],
  },
  {
    says: "nothing points at what is not in the repository",
    rule: nothingPointsElsewhere,
    of: /^(?!tidy\.test\.ts$)/,
    refuses: [
      { path: "docs/a.txt", text: "It was seen in /home/alice/notes.", because: "names /home/alice" },
      { path: "docs/a.txt", text: "Design: plans/nowhere.md", because: "names plans/nowhere.md" },
    ],
  },
];

for (const { says, rule, of, refuses } of rules) {
  test(says, () => {
    expect(rule(sources.filter(({ path }) => of.test(path)))).toEqual([]);
  });

  test.for(refuses)(`${says}; refused: $because`, ({ path, text, because }) => {
    expect(path, "a rule looks at its own example").toMatch(of);
    expect(rule([{ path, text }])).toEqual([expect.stringContaining(because)]);
  });
}

test("there are files to look at, in every folder", () => {
  const folders = new Set(sources.map(({ path }) => path.split("/")[0]));
  expect([...folders]).toEqual(expect.arrayContaining(["suites", "fixtures", "helpers", "lab", "tidy", ".ci"]));
});

test(".env.example lists every variable that is read", async () => {
  const { settingNames } = await import("./helpers/config.ts");
  const example = { name: ".env.example", has: variablesIn(textOf(".env.example")) };
  expect(differences({ name: "helpers/config.ts", has: settingNames }, example)).toEqual([]);
});

test(".env.example lists every variable; refused: one missing, one unknown, one twice", () => {
  const example = { name: ".env.example", has: variablesIn("A=1\n# B=2\nA=3\n# see C=4 below\n") };
  expect(differences({ name: "config", has: ["A", "C"] }, example)).toEqual([
    "C is in config, but not in .env.example",
    "B is in .env.example, but not in config",
    "A is in .env.example twice",
  ]);
});

test("README.md and the table of judged objects list every check", async () => {
  const { judgedObjects } = await import("./helpers/diagnosis/gathering/judged-objects.ts");
  const checks = { name: "suites/", has: idsOf(sources.filter(({ path }) => path.startsWith("suites/"))) };
  expect(checks.has).not.toEqual([]);
  expect(differences(checks, { name: "README.md", has: idsInTables(textOf("README.md")) })).toEqual([]);
  expect(differences(checks, { name: "judged-objects.ts", has: Object.keys(judgedObjects) })).toEqual([]);
});

test("README.md lists every check; refused: one missing, one unknown, one twice", () => {
  const suites = [{ path: "suites/a.spec.ts", text: 'test("a-1: it holds", () => {});\ntest("b: it holds", () => {});' }];
  const table =
    "| Check | Proves |\n| - | - |\n| `a-1` | it holds |\n| `c` | it holds |\n| `a-1` | again |\n| see `b` | no row of its own |\n";
  expect(differences({ name: "suites/", has: idsOf(suites) }, { name: "README.md", has: idsInTables(table) })).toEqual([
    "b is in suites/, but not in README.md",
    "c is in README.md, but not in suites/",
    "a-1 is in README.md twice",
  ]);
});

test("every package is pinned once", () => {
  expect(repeatedPins(JSON.parse(textOf("package.json")) as object, JSON.parse(textOf("package-lock.json")) as never)).toEqual([]);
});

test("every package is pinned once; refused: two sections, two copies, two runtimes", () => {
  const manifest = {
    dependencies: { a: "^1.0.0" },
    devDependencies: { a: "^1.0.0" },
    optionalDependencies: { x64: "^26.1.0", arm64: "^26.0.0" },
  };
  const lock = { packages: { "node_modules/a": {}, "node_modules/b/node_modules/a": {} } };
  expect(repeatedPins({ ...manifest, devDependencies: {} }, lock)).toEqual([
    "package-lock.json has a 2 times: node_modules/a, node_modules/b/node_modules/a",
    "package.json pins different runtimes: ^26.1.0, ^26.0.0",
  ]);
  expect(repeatedPins(manifest, { packages: {} })).toContain("package.json lists a twice");
});

// Where a rule is the linter's, it is its configuration that has to show its teeth.
test.for([
  ["helpers/a.ts", "no-process-env", "export const a = process.env;"],
  ["suites/a.spec.ts", "no-console", 'console.log("a");'],
  ["lab/a.ts", "no-default-export", "export default 1;"],
  ["helpers/a.ts", "no-warning-comments", "// TODO: later\nexport const a = 1;"],
  ["helpers/a.ts", "max-lines-per-function", `export function a(): void {\n${"  void 0;\n".repeat(60)}}`],
  ["helpers/a.test.ts", "no-focused-tests", 'import { test } from "vitest";\ntest.only("a", () => {});'],
  ["helpers/a.ts", "no-cycle", 'import { b } from "./b.ts";\nexport const a = b;'],
  ["helpers/a.ts", "no-floating-promises", "export const a = (b: () => Promise<void>): void => { b(); };"],
  ["helpers/a.ts", "switch-exhaustiveness-check", 'export const a = (b: "x" | "y"): void => { switch (b) { case "x": break; } };'],
  ["helpers/a.ts", "no-unsafe-member-access", "export const a = (b: string): unknown => JSON.parse(b).c;"],
] as const)("the linter refuses, in %s, by %s", ([path, rule, text]) => {
  const folder = mkdtempSync(join(tmpdir(), "tidy-"));
  try {
    for (const name of [".oxlintrc.json", "tsconfig.json"]) cpSync(join(root, name), join(folder, name));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const files = {
      "helpers/b.ts": 'import { a } from "./a.ts";\nexport const b = a;',
      "fixtures/index.ts": "export const test = 1;",
      [path]: text,
    };
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const { status, stdout } = spawnSync("oxlint", ["--format=unix", path], { cwd: folder, encoding: "utf8" });
    expect(stdout).toContain(`(${rule})`);
    expect(status).not.toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
