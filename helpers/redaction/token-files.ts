/**
 * Lines of a static token file, as of `--token-auth-file`: token, user, UID, and groups. Lists of words have commas, too; a token has
 * groups behind it, or else a number as UID, or the user's name once more.
 */
import { quote, quoted } from "./parts.ts";
import { hidden, type Pattern } from "./pattern.ts";

/** Behind a space, a line break or a quote, and no flag. */
const begin = String.raw`(?<![^\s"'])(?=\w)`;
const end = String.raw`[ \t]*(?:\r?$|${quote})`;

const field = (content: string): string => `,(?:${quote})?${content}(?:${quote})?`;
const word = String.raw`[^\s,"'\\]+`;

const user = field(`(?<user>${word})`);
/** By which it is known in the midst of a sentence, too. */
const uidAndGroups = String.raw`${field(word)},(?:${quoted}|system:[\w:.-]+)(?:\s|$|${quote})`;
const uidAlone = field(String.raw`(?:\d+|\k<user>)`) + end;

export const tokenFiles: readonly Pattern[] = [
  {
    hides: "The token in front of all that, of 16 characters or more.",
    example: '0123456789abcdef,alice,1001,"system:masters,dev"',
    leaves: '[redacted],alice,1001,"system:masters,dev"',
    secret: String.raw`${begin}[\w.~+/=-]{16,}(?=(?:${quote})?${user}(?:${uidAndGroups}|${uidAlone}))`,
    by: hidden,
  },
];
