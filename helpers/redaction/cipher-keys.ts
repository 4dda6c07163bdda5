/**
 * Keys of ciphers, whose names are so short, or so far from them, that it takes the form of the value as well.
 */
import { namesOfSecrets } from "./named-values.ts";
import { quote, unit } from "./parts.ts";
import type { Pattern } from "./pattern.ts";

/** What YAML may have in front of a value: `!!str `, `&anchor ` */
const tagsAndAnchors = String.raw`(?:(?:!\S*|&\S+)[ \t]+)*`;
/** What logs call an object: `secret="default/kubernetes-the-hard-way"`. */
const namespaceAndName = String.raw`[a-z0-9.-]+\/[a-z0-9.-]+(?:["'\s]|$)`;
/** `secret: secret is not of the expected length` */
const wordOfSentence = String.raw`[a-z]+(?![\w+/=])`;

/** What a secret is called in a sentence: `encryption key`, `client secret`, and by all the names. */
const wordsForSecrets = String.raw`(?:${namesOfSecrets}|\bsecret|\b(?:api|access|secret|private|encryption|signing|certificate|aes\w*|secretbox) key)`;
/** `token is `, `key: `, `secret "` */
const behindWord = String.raw`(?:[ \t]+(?:is|was))?[ \t:=]+(?:${quote})?`;
/** `key: ` as a name in YAML and JSON. What logs write as `key=` is by what something is found, a container by its id. */
const nameKey = String.raw`(?:^${unit}[ \t]*(?:- )?|[{,]\s*)(?:${quote})?key(?:${quote})?\s*:\s*(?:${quote})?`;
/** As many digits as ciphers take: 16, 24 and 32 bytes. Ids and digests are as long, and so it takes a word in front of it. */
const hexadecimal = String.raw`(?:[\da-f]{32}|[\da-f]{48}|[\da-f]{64})(?![\w-])`;

export const cipherKeys: readonly Pattern[] = [
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
];
