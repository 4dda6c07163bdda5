/**
 * What logs in by a URL.
 */
import type { Pattern } from "./pattern.ts";

/** `http://alice:`, and `http://registry.example.com:`, which is a host before its port. An address of IPv6 stands in brackets. */
const schemeAndUser = String.raw`\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@"'[]*:`;
/** A port has no more than five digits, and does not begin with 0. */
const port = String.raw`[1-9]\d{0,4}(?:\W|$)`;
/** What may begin like a port and is no path, unless that is of an image, in front of its digest. */
const digitsAndSlashes = String.raw`\d+(?:\/\d*)+(?!@sha256:)`;

export const urls: readonly Pattern[] = [
  {
    hides: "The password in a URL, with what is in it. Digits behind a host's name are a port, and what stands behind that is no password.",
    example: "HTTPS_PROXY=http://alice:p@ss/word@192.0.2.1:3128",
    leaves: "HTTPS_PROXY=http://alice:[redacted]@192.0.2.1:3128",
    before: schemeAndUser,
    secret: String.raw`(?:(?!${port})(?:(?!:\/\/)[^\s"'])+|[^\s/"']+|${digitsAndSlashes})(?=@)`,
    ignoresCase: true,
  },
  {
    hides: "A token in place of a user. Of ssh and git it is a user's name.",
    example: "clone of https://planted@git.example.com/x",
    leaves: "clone of https://[redacted]@git.example.com/x",
    before: String.raw`\bhttps?:\/\/`,
    secret: String.raw`[^\s/:@"'?#]+(?=@)`,
    ignoresCase: true,
  },
  {
    hides: "What signs or opens a URL.",
    example: 'Get "https://r.example.com/l?X-Amz-Signature=planted&x=1"',
    leaves: 'Get "https://r.example.com/l?X-Amz-Signature=[redacted]&x=1"',
    before: String.raw`[?&][\w.-]*(?:signature|sig|token|key|credential|secret|password)=`,
    secret: String.raw`[^&\s"'\\]+`,
    ignoresCase: true,
  },
];
