/**
 * Where the API server keeps an object in etcd, and how etcdctl is asked for it.
 */
import { z } from "zod";
import { InconclusiveError } from "./errors.ts";
import { shellQuote } from "./remote-command.ts";
import { hidden } from "./redaction/pattern.ts";

/** One key of etcd. `modRevision` is the revision of the whole store that wrote it. */
export type EtcdEntry = { key: string; value: Buffer; modRevision: number };

/** What etcd answered, at which revision of the whole store. */
export type EtcdAnswer = { revision: number; count: number; entries: readonly EtcdEntry[] };

/** The key of a namespaced object of the core group, under the API server's default --etcd-prefix. `resource` is plural: `secrets`. */
export function registryKey({ resource, namespace, name }: { resource: string; namespace: string; name: string }): string {
  return `/registry/${resource}/${namespace}/${name}`;
}

/** etcdctl before 3.4 speaks to etcd's old API unless told otherwise. From 3.6 on it warns of the variable, on stderr alone. */
const etcdctl = "env ETCDCTL_API=3 etcdctl";

/** What is shown of the values of flags that hold a password. */
const shownValues: Readonly<Record<string, (value: string) => string>> = {
  "--user": (value) => value.replace(/:[^]*/, `:${hidden}`),
  "--password": () => hidden,
};

/** The flags as messages may show them, without the passwords of `--user=NAME:PASSWORD`, `--user NAME:PASSWORD` and `--password`. */
export function shownFlags(flags: readonly string[]): string[] {
  return flags.map((word, index) => {
    const behind = shownValues[flags[index - 1] ?? ""];
    if (behind !== undefined) return behind(word);
    const [, name = "", value = ""] = /^(--[\w-]+)=([^]*)$/.exec(word) ?? [];
    const show = shownValues[name];
    return show === undefined ? word : `${name}=${show(value)}`;
  });
}

/**
 * The command line, for a host, that prints a key: as JSON, which is safe for any bytes, or `simple`, as in the chapter: key, newline,
 * value, newline. A missing key is no error to etcdctl: it prints nothing, or JSON without entries, and exits 0.
 * @param flags where and how etcd is reached: `--endpoints=...`, `--cacert=...`
 */
export function etcdctlCommand(key: string, flags: readonly string[], output: "json" | "simple" = "json"): string {
  return [etcdctl, ...[...flags, "get", key].map(shellQuote), ...(output === "json" ? ["-w json"] : [])].join(" ");
}

/**
 * The chapter's `etcdctl get KEY | hexdump -C`, as a command line for a host. A pipe alone would hide that etcdctl failed. The script is
 * fixed, and key and flags are its arguments, so that none of them is ever read as shell. In the C locale the characters at the right
 * are ASCII.
 */
export function hexdumpCommand(key: string, flags: readonly string[]): string {
  const script = `set -o pipefail; key=$1; shift; ${etcdctl} "$@" get "$key" | LC_ALL=C hexdump -C`;
  return ["bash", "-c", script, "_", key, ...flags].map(shellQuote).join(" ");
}

const revision = z.int().positive();
const base64 = z.base64().transform((text) => Buffer.from(text, "base64"));

/**
 * cluster_id and member_id are left out: they use all 64 bits, more than a number holds. Revisions count writes, and one that is too great
 * for a number is refused by z.int(). The fields of nothing, such as the count 0 and the entries of a missing key, etcdctl does not print.
 */
const answer = z.object({
  header: z.object({ revision }),
  kvs: z.array(z.object({ key: base64, value: base64.optional(), mod_revision: revision })).default([]),
  count: z.int().nonnegative().default(0),
});

/**
 * Reads what `etcdctl get -w json` printed on stdout. A missing key has no entries.
 * @throws InconclusiveError when it is something else; the message does not quote it, as it may hold a Secret
 */
export function parseEtcdctlJson(text: string): EtcdAnswer {
  const { header, kvs, count } = readAnswer(text);
  if (count !== kvs.length) throw notAnAnswer(`it counts ${count} entries but holds ${kvs.length}`);
  return {
    revision: header.revision,
    count,
    entries: kvs.map(({ key, value, mod_revision: modRevision }) => ({
      key: key.toString("utf8"),
      value: value ?? Buffer.alloc(0),
      modRevision,
    })),
  };
}

function readAnswer(text: string): z.infer<typeof answer> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw notAnAnswer(whyNotJson(text));
  }
  const { data, error } = answer.safeParse(json);
  if (data === undefined)
    throw notAnAnswer(error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`).join("; "));
  return data;
}

function whyNotJson(text: string): string {
  if (text === "") return "it is empty";
  if (text.startsWith("{")) return `its ${text.length} characters begin like JSON, but are cut short or changed`;
  return `it begins with ${JSON.stringify(text.split(/[{\n]/, 1)[0]?.slice(0, 80))}: does a login script of the host print something?`;
}

function notAnAnswer(why: string): InconclusiveError {
  return new InconclusiveError(`what "etcdctl get -w json" printed is not its answer in JSON: ${why}.`);
}

/**
 * The value in what `etcdctl get KEY` prints: key, newline, value, newline.
 * @throws InconclusiveError when it is of no key or of another one
 */
export function valueOfDump(bytes: Buffer, key: string): Buffer {
  const beginning = Buffer.from(`${key}\n`);
  const newline = 0x0a;
  if (bytes.length === 0) throw new InconclusiveError(`etcdctl printed nothing for ${key}: etcd has no such key.`);
  if (!bytes.subarray(0, beginning.length).equals(beginning)) {
    throw new InconclusiveError(`what etcdctl printed for ${key} does not begin with the key and a newline.`);
  }
  // Even an empty value is followed by a newline of its own.
  if (bytes.length === beginning.length || bytes.at(-1) !== newline) {
    throw new InconclusiveError(`what etcdctl printed for ${key} does not end in a newline: the value was cut short.`);
  }
  return bytes.subarray(beginning.length, -1);
}
