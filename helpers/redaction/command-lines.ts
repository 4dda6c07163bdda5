/**
 * Passwords and tokens in command lines, with whatever is in them: to the end of the shell's word.
 */
import { namesOfSecrets } from "./named-values.ts";
import { quote, quoted } from "./parts.ts";
import type { Pattern } from "./pattern.ts";

/** Where a word ends, of a shell or of the message that holds the command: at the quotes behind it. */
const endOfWord = String.raw`['\\]*(?:"[,}\]]|"?(?:\s|$))`;
/** Quotes and backslashes are taken all at once, and not from each of them anew. */
const pieceOfWord = String.raw`(?:[^\s'\\]|['\\]+(?!['\\]))`;
/** To the end of a word, with the quotes inside it: `a,b'\''c"d` */
const word = `${pieceOfWord}(?:(?!${endOfWord})${pieceOfWord})*`;

/** `--token=`, `--token `, `"--token" `; behind the name of a switch there is no secret. */
const flag = String.raw`(?<![\w-])--[\w-]*(?:${namesOfSecrets})(?:=|(?:${quote})?[ \t]+(?!-))(?!(?:true|false)\b)`;

/** `--user=`, `ETCDCTL_USER=`, `-u `, `-u` */
const flagOfUser = String.raw`(?:(?:--user|\bETCDCTL_USER)[= \t]+|(?<=[\s"'])-u[= \t]*)(?:${quote})?`;
/** `root:`, but not `system:` of `system:kube-apiserver`: Kubernetes' own users have a colon in their names. */
const user = String.raw`(?!system:)[^\s:'"=]+:`;

export const commandLines: readonly Pattern[] = [
  {
    hides: "The value of a flag whose name ends in the word for a secret.",
    example: String.raw`etcdctl '--password=a,b'\''c' get /registry/x`,
    leaves: "etcdctl '--password=[redacted]' get /registry/x",
    before: flag,
    secret: `${quoted}|${word}`,
  },
  {
    hides: "The password behind a user's name, of etcdctl and curl.",
    example: "curl -u 'root:a\"b' https://192.0.2.10:2379",
    leaves: "curl -u 'root:[redacted]' https://192.0.2.10:2379",
    before: flagOfUser + user,
    secret: word,
  },
];
