/**
 * Secrets that nothing but their own form tells of.
 */
import { base64, unit } from "./parts.ts";
import { hidden, type Pattern } from "./pattern.ts";

/** What a key has, and what digests and words have not: letters of both kinds. */
const lettersOfBothKinds = "(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])";
const digits = String.raw`(?=[A-Za-z+/]*\d)`;
const beginOfWord = String.raw`(?<![\w+/.-])`;

const hiddenAsText = hidden.replaceAll(/[[\]]/g, String.raw`\$&`);

/** In this order: what goes on with something hidden comes last. */
export const knownByForm: readonly Pattern[] = [
  {
    hides: "A bootstrap token: six characters, a full stop, sixteen.",
    example: "no token abcdef.012345678planted.",
    leaves: "no token [redacted].",
    secret: String.raw`(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w-]|\.\w)`,
  },
  {
    hides: "Tokens that are known by their beginnings: of GitHub, GitLab, Slack, AWS, age and K3s.",
    example: "clone of ghp_16C7e42F292c6912",
    leaves: "clone of [redacted]",
    secret: String.raw`\b(?:gh[pousr]_|glpat-|xox[abp]-|AKIA|ASIA|AGE-SECRET-KEY-1|K10[0-9a-f]{8})[\w:.-]{8,}`,
  },
  {
    hides:
      "A key without its name: much base64, with digits and letters of both kinds. Digests and UIDs have small ones, fingerprints a name; lines of certificates go, too.",
    example: "the key is UGxhbnRlZFBsYW50ZWRQbGFudGVkUGxhbnRlZFBsYW4=",
    leaves: "the key is [redacted]",
    secret: String.raw`${beginOfWord}(?<!SHA256:)${lettersOfBothKinds}${digits}[A-Za-z0-9+][A-Za-z0-9+/]{39,}={0,2}`,
  },
  {
    hides: "One that begins with a slash. A path does not end in an equals sign.",
    example: "the key is /GxhbnRlZFBsYW50ZWRQbGFudGVkUGxhbnRlZFBsYW4=",
    leaves: "the key is [redacted]",
    secret: String.raw`${beginOfWord}\/${lettersOfBothKinds}[A-Za-z0-9+/]{39,}={1,2}(?![\w/])`,
  },
  {
    hides: "The lines that go on with what is hidden above them: further in, and one word of base64.",
    example: "client-key-data: [redacted]\n    QmFzZTY0\n    Lg==\nnext: 1",
    leaves: "client-key-data: [redacted]\nnext: 1",
    secret: String.raw`(?<=${hiddenAsText}["']?\n)(?:${unit}[ \t]+${base64}["']?(?:\n|$))+`,
    by: "",
  },
];
