/**
 * What must not leave: keys, tokens, passwords, the data of Secrets. Evidence, messages and all that a run writes or says go through here.
 * It is the second line of defence: what can be left out where it is read is left out there.
 */
import { cipherKeys } from "./cipher-keys.ts";
import { commandLines } from "./command-lines.ts";
import { dataOfSecrets } from "./data-of-secrets.ts";
import { headers } from "./headers.ts";
import { knownByForm } from "./known-by-form.ts";
import { namedValues } from "./named-values.ts";
import { filterOf, hidden, type Pattern } from "./pattern.ts";
import { privateKeys } from "./private-keys.ts";
import { tokenFiles } from "./token-files.ts";
import { urls } from "./urls.ts";

/**
 * In this order: what has a beginning and an end of its own before what is one line of it, and what is known by its name before what is
 * known by its form: that may be but a part of it.
 */
export const patterns: readonly Pattern[] = [
  ...privateKeys,
  ...dataOfSecrets,
  ...headers,
  ...commandLines,
  ...namedValues,
  ...cipherKeys,
  ...urls,
  ...tokenFiles,
  ...knownByForm,
];
const filters = patterns.map(filterOf);

/** Characters of a text. More than these nobody reads, and of 8 million a pattern runs out of memory. */
const longest = 2_000_000;

/** A text without anything that must not leave. What has been through here once comes through a second time as it is. */
export function redact(text: string): string {
  const read = text.slice(0, longest);
  const shown = filters.reduce((rest, filter) => filter(rest), read);
  return read === text ? shown : `${shown}\n[cut off]`;
}

/**
 * The same of an error, in place: of everything that it holds, its causes and all that it collects, because whoever prints it prints that
 * too. Its name is the verdict, and stays.
 */
export function redactError(error: object): void {
  redactIn(error, (holder, key) => holder === error && key === "name");
}

/** The same of an object as the API has it, in place. */
export function redactObject(object: object): void {
  redactIn(object, () => false);
}

function redactIn(whole: object, stays: (holder: object, key: string) => boolean): void {
  const seen = new Set<object>();
  const look = (holder: object): void => {
    // Bytes are not printed as text, and there may be many.
    if (seen.has(holder) || ArrayBuffer.isView(holder)) return;
    seen.add(holder);
    for (const key of Object.getOwnPropertyNames(holder)) {
      const value: unknown = Reflect.get(holder, key);
      if (typeof value === "object" && value !== null) look(value);
      if (typeof value !== "string" || stays(holder, key)) continue;
      Reflect.set(holder, key, isNameOfSecret(nameOf(holder, key)) ? hidden : redactBehind(flagBefore(holder, key), value));
    }
  };
  look(whole);
}

/** By what a value is known: its key; of a variable of a container the name beside it, and of an argument the flag in front of it. */
function nameOf(holder: object, key: string): string {
  if (Array.isArray(holder)) return flagBefore(holder, key);
  const name: unknown = key === "value" ? Reflect.get(holder, "name") : key;
  return typeof name === "string" ? name : "";
}

/** Empty where there is none. */
function flagBefore(holder: object, key: string): string {
  const before: unknown = Array.isArray(holder) ? holder[Number(key) - 1] : undefined;
  return typeof before === "string" && before.startsWith("-") ? before : "";
}

/** What a flag says of the argument behind it, such as `--user root:...`, shows only where they stand on one line. */
function redactBehind(flag: string, value: string): string {
  if (flag === "") return redact(value);
  const before = ` ${flag} `;
  const line = redact(`${before}${value}`);
  return line.startsWith(before) ? line.slice(before.length) : redact(value);
}

/** A variable may be called SECRET and nothing more, which in a sentence is but a word. */
function hidesBehind(name: string): boolean {
  const line = JSON.stringify({ [name]: "x" });
  return /^secret(?:_|$)/i.test(name) || redact(line) !== line;
}

const known = new Map<string, boolean>();

/** Whether what stands behind a name is hidden whatever it is. There are few names, and many values. */
function isNameOfSecret(name: string): boolean {
  const isOne = known.get(name) ?? hidesBehind(name);
  known.set(name, isOne);
  return isOne;
}
