/**
 * The command line of npm run proof.
 */
import { parseArgs } from "node:util";
import { reasonOf, SettingsError } from "../../helpers/errors.ts";

export type Options = {
  /** None for the whole catalogue. */
  names: readonly string[];
  /** Only what was never proved, or not as it is now. */
  changed: boolean;
  /** How many labs work at the same time. */
  labs: number;
};

const mostLabs = 8;

/**
 * @param known the names that there are
 * @throws SettingsError that lists everything that is wrong
 */
export function optionsIn(parameters: readonly string[], known: readonly string[]): Options {
  const { values, positionals: names } = parsed(parameters);
  const labs = Number(values.labs);
  const problems = [
    ...names
      .filter((name) => !known.includes(name))
      .map(
        (name) => `"${name}" is not in the catalogue. npm run lab -- faults lists the faults, docs/proof.md the legal clusters as well.`,
      ),
    ...(Number.isInteger(labs) && labs >= 1 && labs <= mostLabs
      ? []
      : [`--labs ${values.labs}: expected a number from 1 to ${mostLabs}. Each lab takes a gigabyte of memory.`]),
    ...(values.changed && names.length > 0 ? ["--changed chooses by itself: name nothing besides."] : []),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return { names, changed: values.changed, labs };
}

/** Whether a run goes through all of the catalogue, whatever was proved before. */
export const isWhole = ({ names, changed }: Options): boolean => names.length === 0 && !changed;

function parsed(parameters: readonly string[]) {
  const options = { changed: { type: "boolean", default: false }, labs: { type: "string", default: "3" } } as const;
  try {
    return parseArgs({ args: [...parameters], options, allowPositionals: true });
  } catch (error) {
    throw new SettingsError([reasonOf(error)]);
  }
}
