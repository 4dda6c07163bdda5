/**
 * The keys that a known_hosts file holds for a host, by the rules of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
 * https://man.openbsd.org/sshd.8#SSH_KNOWN_HOSTS_FILE_FORMAT
 */
import { createHash, createHmac } from "node:crypto";

export type HostKey = {
  /** As the file names it, such as `ssh-ed25519`. */
  type: string;
  /** The key as it goes over the wire. */
  blob: Buffer;
  /** Where it stands in the file, counted from 1. */
  line: number;
};

export type KnownKeys = {
  trusted: readonly HostKey[];
  /** Keys marked @revoked for this host. They are refused, whatever else the file says. */
  revoked: readonly HostKey[];
  /** Lines that trust a certificate authority for this host. Our client cannot check host certificates. */
  certAuthorityLines: readonly number[];
};

/**
 * What a known_hosts file says of a host. Lines that ssh would skip as malformed are skipped here too.
 * @param text the whole file
 * @param host name or address, as it is dialled
 */
export function knownKeys(text: string, host: string, port: number): KnownKeys {
  const wanted = nameInKnownHosts(host, port);
  const entries = text.split(/\r?\n/).flatMap((line, index) => {
    const entry = parseLine(line, index + 1);
    return entry !== undefined && matches(entry.hosts, wanted) ? [entry] : [];
  });
  return {
    trusted: entries.filter(({ marker }) => marker === undefined).map(({ key }) => key),
    revoked: entries.filter(({ marker }) => marker === "@revoked").map(({ key }) => key),
    certAuthorityLines: entries.filter(({ marker }) => marker === "@cert-authority").map(({ key }) => key.line),
  };
}

/** Whether a list of keys holds the one that a host presents. */
export function holdsKey(keys: readonly HostKey[], blob: Buffer): boolean {
  return keys.some((key) => key.blob.equals(blob));
}

/** Whether a host may present this key: it is noted, and not revoked. */
export function isTrusted(blob: Buffer, { trusted, revoked }: KnownKeys): boolean {
  return holdsKey(trusted, blob) && !holdsKey(revoked, blob);
}

/** How ssh and ssh-keygen name a host: `[host]:port` unless the port is 22. */
export function nameInKnownHosts(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** The fingerprint as ssh prints it: `SHA256:` and base64 without padding. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The type that a key names in its first field. */
export function typeOfKey(blob: Buffer): string {
  return blob.length < 4 ? "" : blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
}

function parseLine(line: string, number: number): { marker: string | undefined; hosts: string; key: HostKey } | undefined {
  const [, marker, hosts, type, base64] = /^\s*(?:(@\S+)\s+)?([^\s#@]\S*)\s+(\S+)\s+([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line) ?? [];
  if (hosts === undefined || type === undefined || base64 === undefined) return undefined;
  const blob = Buffer.from(base64, "base64");
  return typeOfKey(blob) === type ? { marker, hosts, key: { type, blob, line: number } } : undefined;
}

/** A host matches a list of patterns when one matches and no negated one does. */
function matches(patterns: string, host: string): boolean {
  if (patterns.startsWith("|")) return matchesHash(patterns, host);
  const list = patterns.toLowerCase().split(",");
  const matching = (pattern: string) => wildcard(pattern).test(host);
  return list.some(matching) && !list.some((pattern) => pattern.startsWith("!") && matching(pattern.slice(1)));
}

/** `|1|salt|hash`: the hash is HMAC-SHA1 of the name, with the salt for its key. */
function matchesHash(pattern: string, host: string): boolean {
  const [, version, salt, hash] = pattern.split("|");
  if (version !== "1" || salt === undefined || hash === undefined) return false;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(host).digest("base64") === hash;
}

function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}
