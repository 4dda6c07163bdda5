/**
 * The data of Secrets. Of objects of another kind that have a `data` it is hidden as well: the kind may stand far away, or be cut off.
 */
import { quote, quoted, unit } from "./parts.ts";
import { hidden, type Pattern } from "./pattern.ts";

const named = String.raw`(?:data|stringData)`;

/** `"data":{`, `\"data\":{`, `data: {` */
const opened = String.raw`(?<![\w-])(?:${quote})?${named}(?:${quote})?\s*:\s*\{`;

/** Neither a quote nor the brace that closes; a brace in quotes closes nothing. */
const betweenQuotes = String.raw`[^"'}\\]|\\+(?![\\"'])`;

/** `data:` on a line of its own, behind the unit of a journal, in a list or not. */
const headline = String.raw`^(?<unit>${unit})(?<indentation> *)(?:- )?${named}:`;

/** A line that is further in than the headline, or empty. */
const furtherIn = String.raw`(?:\k<unit>)?(?:\k<indentation> +.*(?:\n|$)|\n)`;

export const dataOfSecrets: readonly Pattern[] = [
  {
    hides: "What stands below `data` and `stringData`, in JSON and as Node prints it.",
    example: '{"kind":"Secret","data":{"a":"{}","b":"cGxhbnRlZA=="},"type":"Opaque"}',
    leaves: '{"kind":"Secret","data":{[redacted]},"type":"Opaque"}',
    before: opened,
    secret: `(?:${quoted}|${betweenQuotes})+`,
    by: hidden,
  },
  {
    hides: "The same in YAML: every line that is further in.",
    example: "data:\n  a: cGxhbnRlZA==\n  b: |\n    more\nkind: Secret",
    leaves: "data: [redacted]\nkind: Secret",
    before: headline,
    secret: String.raw`[ \t]*\n(?:${furtherIn})+`,
    by: ` ${hidden}\n`,
  },
  {
    hides: "The same, as Go prints it.",
    example: "&Secret{Data:map[string][]byte{a: [112 108 97],},}",
    leaves: "&Secret{Data:map[string][]byte{[redacted]},}",
    before: String.raw`\bData:map\[string\]\[\]byte\{`,
    secret: "[^}]+",
  },
];
