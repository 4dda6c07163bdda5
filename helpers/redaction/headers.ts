/**
 * What headers of HTTP carry by which somebody logs in.
 */
import type { Pattern } from "./pattern.ts";

/** A word of small letters: `Bearer authentication is off`. */
const wordOfSentence = String.raw`[A-Z]?[a-z]+(?:[\s,;:"')\]]|$)`;

/** `Authorization: `, `"Authorization":["`, and `Authorization:[`, as Go prints it. */
const authorization = String.raw`[Aa]uthorization\\*["']?\s*[:=]\s*\[?\\*["']?`;

const credentials = String.raw`[\w.~+/=-]`;

export const headers: readonly Pattern[] = [
  {
    hides: "A JSON web token wherever it stands, whole or cut off, and whatever else is JSON in base64: it begins so.",
    example: "the token is eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJQbGFudGVkIn0.c2lnbmVk",
    leaves: "the token is [redacted]",
    secret: String.raw`\beyJ[\w-]{8,}(?:\.[\w-]*)*`,
  },
  {
    hides: "What stands behind a way to log in. A word there is of a sentence.",
    example: "the client sent Basic cGxhbnRlZA==",
    leaves: "the client sent Basic [redacted]",
    before: String.raw`\b(?:[Bb]earer|BEARER|[Bb]asic)\s+`,
    secret: `(?!${wordOfSentence})${credentials}{8,}`,
  },
  {
    hides: "The same by the name of the header, whatever the way to log in.",
    example: "map[Authorization:[Negotiate short1]]",
    leaves: "map[Authorization:[Negotiate [redacted]]]",
    before: String.raw`\b${authorization}[A-Z][\w-]*\s+`,
    secret: `${credentials}+`,
  },
];
