/**
 * What must not leave: keys, tokens, passwords, the data of Secrets. Evidence, messages and all that a run writes or says go through here.
 * It is the second line of defence: what can be left out where it is read is left out there.
 */

/** What stands in the place of a secret. */
export const hidden = "[redacted]";

/** A quote, with the backslashes that JSON within JSON puts in front of it. What has no bound here would take a long line forever. */
const quote = String.raw`\\{0,9}["']`;
/** What stands in quotes, to the same quote once more, or to the end of a line that was cut off. */
const quoted = String.raw`(?<quote>${quote})(?:(?!(?<!\\)\k<quote>).)*(?:\k<quote>|$)`;
/** A word without quotes. A switch is no secret, and a backslash may be the beginning of a quote or a line break. */
const bare = String.raw`(?!(?:true|false)(?![\w.+/=-]))[^\s"',;}{\][\\](?:[^\s"',;}\\]|\\(?![\\"'nrt]))*`;
/** Where a word ends, of a shell or of the message that holds the command: at the quotes behind it. */
const endOfWord = String.raw`['\\]*(?:"[,}\]]|"?(?:\s|$))`;
/** Quotes and backslashes are taken all at once: looked at from each of them anew, a long row takes forever. */
const pieceOfWord = String.raw`(?:[^\s'\\]|['\\]+(?!['\\]))`;
/** To the end of a word, with the quotes inside it. */
const wordOfShell = `${pieceOfWord}(?:(?!${endOfWord})${pieceOfWord})*`;
/** The unit that stands in front of each line of a journal, or a file in front of a message; and whose words they pass on. */
const unit = String.raw`(?:[\w./-]+: ){0,2}`;
/** Before and after the words BEGIN and END of a private key, and of anything else that is not a certificate. */
const marked = (word: string): string => String.raw`-{4,5} ?${word} (?!CERTIFICATE ?-)[A-Z0-9 ]+-{4,5}`;
/** The end of a name whose value is a secret: `token` is `K3S_TOKEN`, too, and no file of tokens. SMOKE_PULL_SECRET is a path. */
const names = [
  "token|passw(?:or)?d|passphrase|(?<![a-z])pass|pwd|psk|auth|authorization|client-key-data|dockercfg|dockerconfigjson",
  "(?:api|access|account|secret|private|encryption|signing)[_-]?key|(?<=[a-z0-9_-])(?<!SMOKE_PULL_)secret",
].join("|");
/** Between a name and its value. What stands behind a colon in the midst of a sentence is a word and no value. */
const separator = String.raw`=\s*|:[ \t]*(?![A-Za-z][a-z]*[ \t]+\S)`;

type Pattern = {
  /** What it hides, and how that is known. */
  hides: string;
  pattern: RegExp;
  /** What is put in its place, with `$<name>` for a part of it; or what makes that of it. */
  by: string | ((found: string) => string);
};

/** In this order: what has a beginning and an end of its own before what is one line of it. */
const patterns: readonly Pattern[] = [
  {
    hides: "A private key in PEM, also where its line breaks are written as \\n. Certificates are public.",
    pattern: new RegExp(String.raw`${marked("BEGIN")}(?:(?!-{4,5} ?BEGIN)[^])*?${marked("END")}`, "g"),
    by: hidden,
  },
  {
    hides: "One whose end is cut off: the lines below the first that are nothing but base64.",
    pattern: new RegExp(String.raw`${marked("BEGIN")}.*(?:\n${unit}[ \t]*[A-Za-z0-9+/]+={0,2}[ \t]*$)*`, "gm"),
    by: hidden,
  },
  {
    hides:
      "One whose beginning is cut off. All lines that may be of a key are taken, whether or not an END comes, so that none is looked at twice.",
    pattern: new RegExp(
      String.raw`(?:^|(?<=["']))(?:${unit}[ \t]*[A-Za-z0-9+/]+={0,2}[ \t]*(?:\n|\\n))+(?:${unit}[ \t]*${marked("END")})?`,
      "gm",
    ),
    by: (lines) => (lines.endsWith("-") ? hidden : lines),
  },
  {
    hides: "What stands below `data` and `stringData`, in JSON and as Node prints it.",
    pattern: new RegExp(
      String.raw`(?<before>(?<![\w-])(?:${quote})?(?:data|stringData)(?:${quote})?\s*:\s*\{)(?:${quoted}|[^"'}\\]|\\+(?![\\"']))+`,
      "gm",
    ),
    by: `$<before>${hidden}`,
  },
  {
    hides: "The same in YAML: every line that is further in.",
    pattern: new RegExp(
      String.raw`^(?<unit>${unit})(?<before>(?<indentation> *)(?:- )?(?:data|stringData):)[ \t]*\n(?:(?:\k<unit>)?(?:\k<indentation> +.*(?:\n|$)|\n))+`,
      "gm",
    ),
    by: `$<unit>$<before> ${hidden}\n`,
  },
  { hides: "The same, as Go prints it.", pattern: /(?<before>\bData:map\[string\]\[\]byte\{)[^}]+/g, by: `$<before>${hidden}` },
  {
    hides: "A JSON web token, whole or cut off, and whatever else is JSON in base64: it begins so.",
    pattern: /\beyJ[\w-]{8,}(?:\.[\w-]*)*/g,
    by: hidden,
  },
  {
    hides: "The value of a header by which somebody logs in. A word behind it is of a sentence.",
    pattern: /\b(?<before>(?:[Bb]earer|BEARER|[Bb]asic)\s+)(?![A-Z]?[a-z]+(?:[\s,;:"')\]]|$))[\w.~+/=-]{8,}/g,
    by: `$<before>${hidden}`,
  },
  {
    hides: "The same by the name of the header, whatever the way to log in.",
    pattern: /\b(?<before>[Aa]uthorization\\*["']?\s*[:=]\s*\[?\\*["']?[A-Z][\w-]*\s+)[\w.~+/=-]+/g,
    by: `$<before>${hidden}`,
  },
  {
    hides: "A bootstrap token: six characters, a full stop, sixteen.",
    pattern: /(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w-]|\.\w)/g,
    by: hidden,
  },
  {
    hides: "The value of a flag whose name ends in the word for a secret, to the end of the word, whatever is in it.",
    pattern: new RegExp(
      String.raw`(?<before>(?<![\w-])--[\w-]*(?:${names})(?:=|(?:${quote})?[ \t]+(?!-))(?!(?:true|false)\b))(?:${quoted}|${wordOfShell})`,
      "gm",
    ),
    by: `$<before>$<quote>${hidden}$<quote>`,
  },
  {
    hides: "The password behind a user's name, of etcdctl and curl. Kubernetes' own users have a colon in their names.",
    pattern: new RegExp(
      String.raw`(?<before>(?:(?:--user|\bETCDCTL_USER)[= \t]+|(?<=[\s"'])-u[= \t]*)(?:${quote})?(?!system:)[^\s:'"=]+:)${wordOfShell}`,
      "gm",
    ),
    by: `$<before>${hidden}`,
  },
  {
    hides: "A pass phrase of several words, to the end of its line.",
    pattern: new RegExp(String.raw`^(?<before>${unit}[ \t]*(?:- )?[\w.-]*pass(?:word|phrase|wd)?:[ \t]+)(?!["'|>[{]).+$`, "gim"),
    by: `$<before>${hidden}`,
  },
  {
    hides: "The value of a name that ends in the word for a secret: of flags, variables, headers, YAML, JSON and JSON within JSON.",
    pattern: new RegExp(String.raw`(?<before>(?<!/)(?:${names})(?:${quote})?\s*(?:${separator}))(?:${quoted}|${bare})`, "gim"),
    by: `$<before>$<quote>${hidden}$<quote>`,
  },
  {
    hides: "The key of a provider in an EncryptionConfiguration. `secret` is also what logs call an object, by namespace and name.",
    pattern:
      /(?<before>\bsecret\\*["']?\s*[:=][ \t]*(?:(?:!\S*|&\S+)[ \t]+)*(?:\\*["'])?)(?![a-z0-9.-]+\/[a-z0-9.-]+(?:["'\s]|$))(?![a-z]+(?![\w+/=]))[A-Za-z0-9+/]{8,}={0,2}/gm,
    by: `$<before>${hidden}`,
  },
  {
    hides: "A secret on the lines below its name, as YAML has it: those that are further in, to the next name.",
    pattern: new RegExp(
      String.raw`(?<before>(?:${names}|\bsecret)(?:${quote})?[ \t]*:[ \t]*(?:[|>][-+\d]*[ \t]*)?)\n(?:${unit}[ \t]+(?![\w.-]+:(?:\s|$)).*(?:\n|$))+`,
      "gim",
    ),
    by: `$<before> ${hidden}\n`,
  },
  {
    hides: "The password in a URL, with what is in it. Digits behind a host's name are a port, and what stands behind that is no password.",
    pattern: /(?<before>\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@"'[]*:)(?:(?!\d+(?:\W|$))(?:(?!:\/\/)[^\s"'])+|[^\s/"']+)@/gi,
    by: `$<before>${hidden}@`,
  },
  {
    hides: "A token in place of a user. Of ssh and git it is a user's name.",
    pattern: /(?<before>\bhttps?:\/\/)[^\s/:@"'?#]+@/gi,
    by: `$<before>${hidden}@`,
  },
  {
    hides: "What signs or opens a URL.",
    pattern: /(?<before>[?&][\w.-]*(?:signature|sig|token|key|credential|secret|password)=)[^&\s"'\\]+/gi,
    by: `$<before>${hidden}`,
  },
  {
    hides: "Tokens that are known by their beginnings: of GitHub, GitLab, Slack, AWS, age and K3s.",
    pattern: /\b(?:gh[pousr]_|glpat-|xox[abp]-|AKIA|ASIA|AGE-SECRET-KEY-1|K10[0-9a-f]{8})[\w:.-]{8,}/g,
    by: hidden,
  },
  {
    hides:
      "A key without its name: much base64, with digits and letters of both kinds. Digests and UIDs have small ones, fingerprints a name; lines of certificates go, too.",
    pattern: /(?<![\w+/.-])(?<!SHA256:)(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])(?=[A-Za-z+/]*\d)[A-Za-z0-9+][A-Za-z0-9+/]{39,}={0,2}/g,
    by: hidden,
  },
  {
    hides: "One that begins with a slash. A path does not end in an equals sign.",
    pattern: /(?<![\w+/.-])\/(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])[A-Za-z0-9+/]{39,}={1,2}(?![\w/])/g,
    by: hidden,
  },
  {
    hides: "The lines that go on with what is hidden above them: further in, and one word of base64.",
    pattern: new RegExp(
      String.raw`(?<=${hidden.replaceAll(/[[\]]/g, String.raw`\$&`)}["']?\n)(?:${unit}[ \t]+[A-Za-z0-9+/]+={0,2}["']?(?:\n|$))+`,
      "g",
    ),
    by: "",
  },
];

/** Characters of a text. More than these nobody reads, and of 8 million a pattern runs out of memory. */
const longest = 2_000_000;

/** A text without anything that must not leave. What has been through here once comes through a second time as it is. */
export function redact(text: string): string {
  const read = text.slice(0, longest);
  const shown = patterns.reduce((rest, { pattern, by }) => {
    // TypeScript knows replaceAll in one form for a text, and in another for a function.
    return typeof by === "string" ? rest.replaceAll(pattern, by) : rest.replaceAll(pattern, by);
  }, read);
  return read === text ? shown : `${shown}\n[cut off]`;
}

/**
 * The same of an error, in place: of everything that it holds, its causes and all that it collects, because whoever prints it prints that
 * too. Its name is the verdict, and stays.
 */
export function redactError(error: object): void {
  redactIn(error, (holder, key) => holder === error && key === "name");
}

/** The same of an object as the API has it, in place. */
export function redactObject(object: object): void {
  redactIn(object, () => false);
}

function redactIn(whole: object, stays: (holder: object, key: string) => boolean): void {
  const seen = new Set<object>();
  const look = (holder: object): void => {
    // Bytes are not printed as text, and there may be many.
    if (seen.has(holder) || ArrayBuffer.isView(holder)) return;
    seen.add(holder);
    for (const key of Object.getOwnPropertyNames(holder)) {
      const value: unknown = Reflect.get(holder, key);
      if (typeof value === "object" && value !== null) look(value);
      if (typeof value !== "string" || stays(holder, key)) continue;
      Reflect.set(holder, key, isNameOfSecret(nameOf(holder, key)) ? hidden : redact(value));
    }
  };
  look(whole);
}

/** By what a value is known: its key; of a variable of a container the name beside it, and of an argument the flag in front of it. */
function nameOf(holder: object, key: string): string {
  const known: unknown = Array.isArray(holder) ? holder[Number(key) - 1] : key === "value" ? Reflect.get(holder, "name") : key;
  return typeof known === "string" && (!Array.isArray(holder) || known.startsWith("--")) ? known : "";
}

/** Whether what stands behind a name is hidden whatever it is. */
function isNameOfSecret(name: string): boolean {
  const line = JSON.stringify({ [name]: "x" });
  return redact(line) !== line;
}
