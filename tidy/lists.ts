/**
 * What is written down in two places, and must be the same in both.
 */

/** The variables of a `.env` file, also of the lines that are switched off by a `#`. */
export function variablesIn(env: string): string[] {
  return [...env.matchAll(/^(?:# ?)?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = ""]) => name);
}

/** The ids in the first column of a page's tables: rows that begin with a word in backquotes, in kebab-case. */
export function idsInTables(page: string): string[] {
  return [...page.matchAll(/^\| `([a-z0-9]+(?:-[a-z0-9]+)*)` \|/gm)].map(([, id = ""]) => id);
}

/** What one of two lists has and the other has not, and what a list has twice. */
export function differences(one: { name: string; has: readonly string[] }, other: { name: string; has: readonly string[] }): string[] {
  const lacking = (from: typeof one, to: typeof one) =>
    from.has.filter((entry) => !to.has.includes(entry)).map((entry) => `${entry} is in ${from.name}, but not in ${to.name}`);
  const twice = ({ name, has }: typeof one) =>
    has.filter((entry, index) => has.indexOf(entry) !== index).map((entry) => `${entry} is in ${name} twice`);
  return [...lacking(one, other), ...lacking(other, one), ...twice(one), ...twice(other)];
}

type Manifest = Readonly<Partial<Record<"dependencies" | "devDependencies" | "optionalDependencies", Record<string, string>>>>;
type Lock = { packages: Record<string, { version?: string }> };

/**
 * Packages that are pinned more than once. Two copies of a package that we use ourselves are two of each of its classes: a connection
 * pool of the one is refused by the other. The runtimes of the platforms are one pin in several packages.
 */
export function repeatedPins(manifest: Manifest, lock: Lock): string[] {
  const sections = [manifest.dependencies ?? {}, manifest.devDependencies ?? {}, manifest.optionalDependencies ?? {}];
  const names = sections.flatMap((section) => Object.keys(section));
  const copiesOf = (name: string) => Object.keys(lock.packages).filter((path) => path.endsWith(`node_modules/${name}`));
  const runtimes = new Set(Object.values(manifest.optionalDependencies ?? {}));
  return [
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `package.json lists ${name} twice`),
    ...names
      // Of types there are more copies: the newest is ours, older ones belong to the packages that brought them.
      .filter((name) => !name.startsWith("@types/") && copiesOf(name).length > 1)
      .map((name) => `package-lock.json has ${name} ${copiesOf(name).length} times: ${copiesOf(name).join(", ")}`),
    ...(runtimes.size > 1 ? [`package.json pins different runtimes: ${[...runtimes].join(", ")}`] : []),
  ];
}
