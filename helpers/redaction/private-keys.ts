/**
 * Private keys in PEM, and whatever else stands between BEGIN and END. Certificates are public.
 */
import { base64, unit } from "./parts.ts";
import { hidden, type Pattern } from "./pattern.ts";

/** `-----BEGIN EC PRIVATE KEY-----`, and the `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----` of others than OpenSSL. */
const marked = (word: "BEGIN" | "END"): string => String.raw`-{4,5} ?${word} (?!CERTIFICATE ?-)[A-Z0-9 ]+-{4,5}`;
const [begin, end] = [marked("BEGIN"), marked("END")];

/** What may be a line of a key: nothing but base64, as a whole line of its own. */
const body = String.raw`${unit}[ \t]*${base64}`;

/** In this order: whole ones before those that are cut off. */
export const privateKeys: readonly Pattern[] = [
  {
    hides: "A private key, also where its line breaks are written as \\n.",
    example: String.raw`{"key":"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"}`,
    leaves: '{"key":"[redacted]"}',
    secret: String.raw`${begin}(?:(?!-{4,5} ?BEGIN)[^])*?${end}`,
  },
  {
    hides: "One whose end is cut off: the lines below the first that are nothing but base64.",
    example: "etcd: -----BEGIN EC PRIVATE KEY-----\netcd: MHcCAQEE\netcd: the next line",
    leaves: "etcd: [redacted]\netcd: the next line",
    secret: String.raw`${begin}.*(?:\n${body}[ \t]*$)*`,
  },
  {
    hides:
      "One whose beginning is cut off. All lines that may be of a key are taken, whether or not an END comes, so that none is looked at twice.",
    example: "AwEHoUQD\nQgAE\n-----END EC PRIVATE KEY-----\nnext",
    leaves: "[redacted]\nnext",
    secret: String.raw`(?:^|(?<=["']))(?:${body}[ \t]*(?:\n|\\n))+(?:${unit}[ \t]*${end})?`,
    by: (lines) => (lines.endsWith("-") ? hidden : lines),
  },
];
