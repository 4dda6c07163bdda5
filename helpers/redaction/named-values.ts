/**
 * Values that are secrets by the names that they stand behind: of variables, YAML, JSON and JSON within JSON.
 */
import { quote, quoted, unit } from "./parts.ts";
import { hidden, type Pattern } from "./pattern.ts";

/** The end of a name whose value is a secret: `token` is `K3S_TOKEN`, too, and no file of tokens. SMOKE_PULL_SECRET is a path. */
export const namesOfSecrets = [
  "token|passw(?:or)?d|passphrase|(?<![a-z])pass|pwd|psk|auth|authorization|client-key-data|dockercfg|dockerconfigjson",
  "(?:api|access|account|secret|private|encryption|signing)[_-]?key|(?<=[a-z0-9_-])(?<!SMOKE_PULL_)secret",
].join("|");

/** Between a name and its value: `=`, `: `. What stands behind a colon in the midst of a sentence is a word and no value. */
const separator = String.raw`=\s*|:[ \t]*(?![A-Za-z][a-z]*[ \t]+\S)`;

/** A value without quotes. A switch is no secret, and a backslash may be the beginning of a quote or of a line break. */
const bare = String.raw`(?!(?:true|false)(?![\w.+/=-]))[^\s"',;}{\][\\](?:[^\s"',;}\\]|\\(?![\\"'nrt]))*`;

/** What YAML may have in front of a value: `!!str `, `&anchor ` */
const tagsAndAnchors = String.raw`(?:(?:!\S*|&\S+)[ \t]+)*`;
/** What logs call an object: `secret="default/kubernetes-the-hard-way"`. */
const namespaceAndName = String.raw`[a-z0-9.-]+\/[a-z0-9.-]+(?:["'\s]|$)`;
/** `secret: secret is not of the expected length` */
const wordOfSentence = String.raw`[a-z]+(?![\w+/=])`;

/** What a secret is called in a sentence: `encryption key`, `client secret`, and by all the names. */
const wordsForSecrets = String.raw`(?:${namesOfSecrets}|\bsecret|\b(?:api|access|secret|private|encryption|signing|aes\w*|secretbox) key)`;
/** `token is `, `key: `, `secret "` */
const behindWord = String.raw`(?:[ \t]+(?:is|was))?[ \t:=]+(?:${quote})?`;
/** `key: ` as a name in YAML and JSON. What logs write as `key=` is by what something is found, a container by its id. */
const nameKey = String.raw`(?:^${unit}[ \t]*(?:- )?|[{,]\s*)(?:${quote})?key(?:${quote})?\s*:\s*(?:${quote})?`;
/** As many digits as ciphers take: 16, 24 and 32 bytes. Ids and digests are as long, and so it takes a word in front of it. */
const hexadecimal = String.raw`(?:[\da-f]{32}|[\da-f]{48}|[\da-f]{64})(?![\w-])`;

/** `|`, `>-`: the value is the lines below. */
const blockMark = String.raw`[|>][-+\d]*[ \t]*`;
/** A line that is further in, and gives no name to something else. */
const lineOfBlock = String.raw`${unit}[ \t]+(?![\w.-]+:(?:\s|$)).*(?:\n|$)`;

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
    hides: "The key of a provider in an EncryptionConfiguration, whose name is `secret` alone.",
    example: "- {name: key1, secret: 'UGxhbnRlZDI='}",
    leaves: "- {name: key1, secret: '[redacted]'}",
    before: String.raw`\bsecret\\*["']?\s*[:=][ \t]*${tagsAndAnchors}(?:\\*["'])?`,
    secret: `(?!${namespaceAndName})(?!${wordOfSentence})[A-Za-z0-9+/]{8,}={0,2}`,
  },
  {
    hides: "A key in hexadecimal digits, behind the word for it in a sentence, or behind the name `key`.",
    example: "the encryption key is 5ca1ab1e0ddba11c0ffee0ddfacade12",
    leaves: "the encryption key is [redacted]",
    before: `${wordsForSecrets}${behindWord}|${nameKey}`,
    secret: hexadecimal,
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
