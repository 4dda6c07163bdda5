/**
 * What the suites look like, so that a person can read a spec file as the list of what must hold.
 */
import { callsOf, placeOf, ruleOfEach, type Rule, type Source } from "./source.ts";

const longestSpec = 90;

/** A spec file is one capability, and is read in one go. */
export const specsAreShort = ruleOfEach(({ text }) => {
  const lines = text.split("\n").filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;
  return lines > longestSpec ? [{ says: `${lines} lines of code, expected at most ${longestSpec}; can a fixture take some?` }] : [];
});

type Check = { name: string | undefined; place: string };
type Node = { type: string; value?: unknown };

/** Every call of `test` or of one of its properties; only `test` itself, called with a literal, has a name. */
function checksOf(source: Source): Check[] {
  return callsOf(source, "test").map(({ start, callee, arguments: given }) => {
    const [title] = given as readonly Node[];
    const isNamed = (callee as Node).type === "Identifier" && title?.type === "Literal";
    return { name: isNamed && typeof title.value === "string" ? title.value : undefined, place: placeOf(source, start) };
  });
}

const idIn = (name = ""): string | undefined => /^([a-z0-9]+(?:-[a-z0-9]+)*): \S/.exec(name)?.[1];

/** The ids of all checks, in the order of the files. */
export function idsOf(sources: readonly Source[]): string[] {
  return sources.flatMap(checksOf).flatMap(({ name }) => idIn(name) ?? []);
}

/**
 * Faults, reports and skips refer to a check by its id, so that a name must be found by looking for it, and be of one check alone. The
 * forms `test.only`, `test.skip` and `test.for` are refused with the rest: a check is there once, always, or says why not as it runs.
 */
export const checksAreNamed: Rule = (sources) => {
  const seen = new Map<string, string>();
  return sources.flatMap(checksOf).flatMap(({ name, place }) => {
    const id = idIn(name);
    if (id === undefined) return [`${place}: a check is written test("<kebab-id>: <obligation>", ...), with a literal name`];
    const other = seen.get(id);
    seen.set(id, other ?? place);
    return other === undefined ? [] : [`${place}: the id ${id} is taken by ${other}`];
  });
};

/** Looking twice would hide what fails once. */
export const nothingIsTriedAgain = ruleOfEach(({ text }) =>
  [...text.matchAll(/\bretry\s*:(?!\s*0\b)/g)].map(({ index }) => ({
    start: index,
    says: "retries; a check that passes at times is a finding",
  })),
);

/** One defect reddens one check: whoever prepares and calibrates says that it could not, and leaves judging to the check. */
export const onlyChecksExpect = ruleOfEach((source) =>
  callsOf(source, "expect").map(({ start }) => ({ start, says: "asserts; throw an error of helpers/errors.ts instead" })),
);
