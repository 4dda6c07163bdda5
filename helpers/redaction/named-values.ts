/**
 * Values that are secrets by the names that they stand behind: of variables, YAML, JSON and JSON within JSON.
 */
import { quote, quoted, unit } from "./parts.ts";
import { hidden, type Pattern } from "./pattern.ts";

/** The end of a name whose value is a secret: `token` is `K3S_TOKEN`, too, and no file of tokens. SMOKE_PULL_SECRET is a path. */
export const namesOfSecrets = [
  "token|passw(?:or)?d|passphrase|(?<![a-z])pass|pwd|psk|auth|authorization|client-key-data|dockercfg|dockerconfigjson",
  "(?:api|access|account|secret|private|encryption|signing|certificate)[_-]?key|(?<=[a-z0-9_-])(?<!SMOKE_PULL_)secret",
].join("|");

/** Between a name and its value: `=`, `: `. What stands behind a colon in the midst of a sentence is a word and no value. */
const separator = String.raw`=\s*|:[ \t]*(?![A-Za-z][a-z]*[ \t]+\S)`;

/** A value without quotes. A switch is no secret, and a backslash may be the beginning of a quote or of a line break. */
const bare = String.raw`(?!(?:true|false)(?![\w.+/=-]))[^\s"',;}{\][\\](?:[^\s"',;}\\]|\\(?![\\"'nrt]))*`;

/** `|`, `>-`: the value is the lines below. */
const blockMark = String.raw`[|>][-+\d]*[ \t]*`;
/** A line that is further in, and gives no name to something else. */
const lineOfBlock = String.raw`${unit}[ \t]+(?![ \t]|[\w.-]+:(?:\s|$)).*(?:\n|$)`;

/** In this order: whole lines before words. */
export const namedValues: readonly Pattern[] = [
  {
    hides: "A pass phrase of several words, to the end of its line.",
    example: "etcd: password: my secret words",
    leaves: "etcd: password: [redacted]",
    before: String.raw`^${unit}[ \t]*(?:- )?[\w.-]*pass(?:word|phrase|wd)?:[ \t]+`,
    secret: `(?!["'|>[{]).+$`,
    ignoresCase: true,
  },
  {
    hides: "The value of a name that ends in the word for a secret.",
    example: String.raw`K3S_TOKEN=planted {\"clientSecret\":\"planted\"}`,
    leaves: String.raw`K3S_TOKEN=[redacted] {\"clientSecret\":\"[redacted]\"}`,
    before: String.raw`(?<!/)(?:${namesOfSecrets})(?:${quote})?\s*(?:${separator})`,
    secret: `${quoted}|${bare}`,
    ignoresCase: true,
  },
  {
    hides: "A secret on the lines below its name, as YAML has it: those that are further in, to the next name.",
    example: "secret: |\n  UGxhbnRl\n  ZDI=\nnext: 1",
    leaves: "secret: | [redacted]\nnext: 1",
    before: String.raw`(?:${namesOfSecrets}|\bsecret)(?:${quote})?[ \t]*:[ \t]*(?:${blockMark})?`,
    secret: String.raw`\n(?:${lineOfBlock})+`,
    ignoresCase: true,
    by: ` ${hidden}\n`,
  },
];
