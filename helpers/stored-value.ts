/**
 * What the API server has stored in etcd, told by its first bytes. How each provider writes is read in the API server's source:
 * k8s.io/apiserver/pkg/server/options/encryptionconfig/config.go and pkg/storage/value/encrypt.
 */
import { bytesOf, numberOf, readMessage, type Message } from "./protobuf.ts";
import { reasonOf } from "./errors.ts";

/** The providers that encrypt with a key from the EncryptionConfiguration itself. */
export const localProviders = ["aescbc", "aesgcm", "secretbox"] as const;
export type LocalProvider = (typeof localProviders)[number];

export type StoredValue =
  /** `keyNameVerified`: the name is one of those that were expected; otherwise it is what stands before the first colon. */
  | { kind: "encrypted"; provider: LocalProvider; version: "v1"; keyName: string; keyNameVerified: boolean; payload: Buffer }
  /** `keyName` is the name of the plugin in the EncryptionConfiguration. */
  | { kind: "kms"; version: "v1" | "v2"; keyName: string; keyNameVerified: boolean; payload: Buffer }
  | { kind: "plaintext"; encoding: keyof typeof plaintexts }
  | { kind: "empty" }
  /** `scheme`: what stands after `k8s:enc:`, where the value begins like that. */
  | { kind: "unknown"; scheme: string | undefined };

/** How plaintext begins, by encoding: Kubernetes' own magic, an object, and CBOR's tag for itself (RFC 8949, 3.4.6). */
const plaintexts = {
  protobuf: { magic: Buffer.from("k8s\0"), says: "protobuf (k8s\\0)" },
  json: { magic: Buffer.from("{"), says: "JSON ({)" },
  cbor: { magic: Buffer.from("d9d9f7", "hex"), says: "CBOR (d9 d9 f7)" },
} as const;

/**
 * Tells how a value is stored.
 * @param knownKeyNames the key names of the EncryptionConfiguration: a name may contain colons, so that only who knows it can tell where
 * it ends. Of several that fit the longest is taken.
 */
export function classify(value: Buffer, knownKeyNames: readonly string[]): StoredValue {
  if (value.length === 0) return { kind: "empty" };
  for (const encoding of ["protobuf", "json", "cbor"] as const) {
    if (startsWith(value, plaintexts[encoding].magic)) return { kind: "plaintext", encoding };
  }
  const [prefix, scheme] = /^k8s:enc:([a-z0-9]{1,32}:v\d{1,3}):/.exec(value.subarray(0, 64).toString("latin1")) ?? [];
  if (prefix === undefined || scheme === undefined) return { kind: "unknown", scheme: undefined };
  const rest = value.subarray(prefix.length);
  const known = knownKeyNames.filter((name) => name !== "" && startsWith(rest, Buffer.from(`${name}:`)));
  const keyName = known.toSorted((a, b) => b.length - a.length)[0] ?? firstWord(rest);
  const [provider, version] = scheme.split(":");
  if (keyName === undefined) return { kind: "unknown", scheme };
  const key = { keyName, keyNameVerified: known.length > 0, payload: rest.subarray(Buffer.byteLength(keyName) + 1) };
  if (provider === "kms" && (version === "v1" || version === "v2")) return { kind: "kms", version, ...key };
  const local = localProviders.find((name) => name === provider);
  return local !== undefined && version === "v1" ? { kind: "encrypted", provider: local, version, ...key } : { kind: "unknown", scheme };
}

function startsWith(value: Buffer, beginning: Buffer): boolean {
  return value.subarray(0, beginning.length).equals(beginning);
}

/** A key name that is not known is believed only if it looks like one: it goes into messages, which may show nothing of a Secret. */
function firstWord(rest: Buffer): string | undefined {
  return /^([\w./@+-]{1,253}):/.exec(rest.subarray(0, 254).toString("latin1"))?.[1];
}

/**
 * How a value begins, to be shown: as expected; else up to the end of the key's name where it is encrypted, else its first eight bytes.
 * @param expected the prefix of a value by the expected provider and key, whose name may contain colons, as those of k3s do
 */
export function beginningOf(value: Buffer, expected: string): string {
  if (startsWith(value, Buffer.from(expected))) return expected;
  const [prefix] = /^k8s:enc:[a-z0-9]+:v\d+:[^:]*:/.exec(value.subarray(0, 300).toString("latin1")) ?? [];
  return prefix ?? value.subarray(0, 8).toString("latin1");
}

/** In bytes. `multiple` is the cipher's block: what is not a multiple of it was not written by the provider, or not read whole. */
const structures: Record<LocalProvider, { least: number; multiple: number; parts: string }> = {
  aescbc: { least: 32, multiple: 16, parts: "an IV of 16 and blocks of 16" },
  aesgcm: { least: 28, multiple: 1, parts: "a nonce of 12, the ciphertext and a tag of 16" },
  secretbox: { least: 40, multiple: 1, parts: "a nonce of 24, a tag of 16 and the ciphertext" },
};

/**
 * What is wrong with the payload as that of its provider, or with the value when it is not encrypted by a known provider at all; undefined
 * when nothing is. A right structure is no proof of encryption: only decryption is.
 */
export function structureProblem(stored: StoredValue): string | undefined {
  if (stored.kind === "kms") return stored.version === "v1" ? problemOfKMSv1(stored.payload) : problemOfKMSv2(stored.payload);
  if (stored.kind !== "encrypted") return describe(stored);
  const { least, multiple, parts } = structures[stored.provider];
  const { length } = stored.payload;
  if (length >= least && length % multiple === 0) return undefined;
  const expected = `at least ${least}${multiple === 1 ? "" : ` and a multiple of ${multiple}`}: ${parts}`;
  return `the payload of ${stored.provider} has ${length} bytes, expected ${expected}`;
}

/** A nonce of 12 and a tag of 16, around what AES-GCM has encrypted. */
const aesgcmOverhead = structures.aesgcm.least;

function problemOfKMSv1(payload: Buffer): string | undefined {
  if (payload.length < 2) return `the payload of KMS v1 has ${payload.length} bytes, too few for the length of its key`;
  const keyLength = payload.readUInt16BE(0);
  const least = 2 + keyLength + aesgcmOverhead;
  if (keyLength === 0) return "the payload of KMS v1 gives its encrypted key a length of 0";
  if (payload.length >= least) return undefined;
  return `the payload of KMS v1 has ${payload.length} bytes, expected at least ${least} by the length of its encrypted key, ${keyLength}`;
}

/** k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2/v2/api.proto: the fields of EncryptedObject, and the kinds of its key. */
const encryptedObject = { encryptedData: 1, keyID: 2, encryptedDEKSource: 3, encryptedDEKSourceType: 5 } as const;
const leastOfSourceType = new Map([
  [0n, aesgcmOverhead],
  // The data begins with 32 bytes from which its key is derived.
  [1n, 32 + aesgcmOverhead],
]);

function problemOfKMSv2(payload: Buffer): string | undefined {
  let message: Message;
  try {
    message = readMessage(payload);
  } catch (error) {
    return `the payload of KMS v2 is no EncryptedObject: ${reasonOf(error)}`;
  }
  const sourceType = numberOf(message, encryptedObject.encryptedDEKSourceType);
  const least = leastOfSourceType.get(sourceType);
  const dataLength = bytesOf(message, encryptedObject.encryptedData)?.length ?? 0;
  const problems = [
    readableKeyID(message) === undefined && "a keyID that can be read",
    !bytesOf(message, encryptedObject.encryptedDEKSource)?.length && "an encryptedDEKSource",
    least === undefined && `an encryptedDEKSourceType of 0 or 1 (it has ${sourceType})`,
    least !== undefined && dataLength < least && `encryptedData of at least ${least} bytes (it has ${dataLength})`,
  ].filter((problem) => problem !== false);
  return problems.length === 0 ? undefined : `the payload of KMS v2 is an EncryptedObject without ${problems.join(", ")}`;
}

/** Printable, and less than 1 KiB: the limit of the API server. */
function readableKeyID(message: Message): string | undefined {
  const keyID = bytesOf(message, encryptedObject.keyID)?.toString("utf8") ?? "";
  return /^[^\p{C}\ufffd]{1,1023}$/u.test(keyID) ? keyID : undefined;
}

/** How a value is stored, in a phrase for messages. It shows no byte of a payload. */
export function describe(stored: StoredValue): string {
  switch (stored.kind) {
    case "encrypted":
      return `encrypted by ${stored.provider} with ${keyPhrase(stored)}, ${stored.payload.length} bytes of payload`;
    case "kms":
      return `encrypted by KMS ${stored.version} with ${keyPhrase(stored)}${keyIDPhrase(stored)}, ${stored.payload.length} bytes of payload`;
    case "plaintext":
      return `plaintext ${plaintexts[stored.encoding].says}: the API server did not encrypt it`;
    case "empty":
      return "empty: etcd holds no value there";
    case "unknown":
      return stored.scheme === undefined
        ? "neither encrypted nor plaintext in any way that Kubernetes writes"
        : `encrypted in a way that is not known here: k8s:enc:${stored.scheme}:, or without a key name`;
  }
}

function keyPhrase({ keyName, keyNameVerified }: { keyName: string; keyNameVerified: boolean }): string {
  return `the key "${keyName}"${keyNameVerified ? "" : ", which is not one of the expected names"}`;
}

/** KMS v2 says beside the payload which key of the KMS it took. */
function keyIDPhrase({ version, payload }: { version: "v1" | "v2"; payload: Buffer }): string {
  if (version === "v1" || problemOfKMSv2(payload) !== undefined) return "";
  return ` (keyID "${readableKeyID(readMessage(payload))}")`;
}
