/**
 * Lines of a static token file, as of `--token-auth-file`: token, user, UID, and groups. Lists of words have commas, too. What is a token has
 * groups behind it, or else a number as UID, or the user's name once more.
 */
import { quote, quoted, unit } from "./parts.ts";
import { hidden, type Pattern } from "./pattern.ts";

/** Where a line begins, or a text in a message; and the first field, which may have quotes of its own. */
const begin = String.raw`(?:^${unit}[ \t]*|${quote})(?:${quote})?`;
const end = String.raw`[ \t]*(?:\r?$|${quote})`;

const field = (content: string): string => `,(?:${quote})?${content}(?:${quote})?`;
const word = String.raw`[^\s,"'\\]+`;

const user = field(`(?<user>${word})`);
const uidAndGroups = String.raw`${field(word)},(?:${quoted}|system:[\w:.-]+)`;
const uidAlone = field(String.raw`(?:\d+|\k<user>)`);

export const tokenFiles: readonly Pattern[] = [
  {
    hides: "The token at the beginning of a line, of 16 characters or more.",
    example: '0123456789abcdef,alice,1001,"system:masters,dev"',
    leaves: '[redacted],alice,1001,"system:masters,dev"',
    before: begin,
    secret: String.raw`[\w.~+/=-]{16,}(?=(?:${quote})?${user}(?:${uidAndGroups}|${uidAlone})${end})`,
    by: hidden,
  },
];
