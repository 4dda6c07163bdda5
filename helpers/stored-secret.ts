/**
 * A Secret as the API server stores it, decrypted: protobuf by default, JSON with --storage-media-type=application/json.
 */
import { z } from "zod";
import { ConformanceError, reasonOf } from "./errors.ts";
import { bytesOf, readMessage, repeatedBytesOf, type Message } from "./protobuf.ts";
import { classify, describe } from "./stored-value.ts";

/** The data is decoded: the bytes that whoever mounts the Secret gets. */
export type StoredSecret = {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  uid: string | undefined;
  data: Record<string, Buffer>;
};

/**
 * Reads a Secret from the plaintext of its value in etcd.
 * @throws ConformanceError when it is something else; the message quotes no data
 */
export function decodeSecret(plaintext: Buffer): StoredSecret {
  const stored = classify(plaintext, []);
  const encoding = stored.kind === "plaintext" ? stored.encoding : undefined;
  if (encoding !== "protobuf" && encoding !== "json")
    throw new ConformanceError(`expected a Secret in protobuf or JSON, got what is ${describe(stored)}.`);
  const secret = readAs(encoding, plaintext);
  if (secret.kind !== "Secret" || secret.apiVersion !== "v1") {
    throw new ConformanceError(`expected a Secret of v1, got a ${secret.kind || "nameless kind"} of ${secret.apiVersion || "no version"}.`);
  }
  return secret;
}

function readAs(encoding: "protobuf" | "json", plaintext: Buffer): StoredSecret {
  try {
    return encoding === "json" ? fromJSON(plaintext) : fromProtobuf(plaintext);
  } catch (error) {
    throw new ConformanceError(`the plaintext begins like a Secret in ${encoding}, but cannot be read: ${reasonOf(error)}.`);
  }
}

/** Field numbers of k8s.io/apimachinery/pkg/runtime/generated.proto and k8s.io/api/core/v1/generated.proto. */
const unknown = { typeMeta: 1, raw: 2 } as const;
const typeMeta = { apiVersion: 1, kind: 2 } as const;
const secretField = { metadata: 1, data: 2 } as const;
const metadataField = { name: 1, namespace: 3, uid: 5 } as const;
const mapEntry = { key: 1, value: 2 } as const;

/** Every object is wrapped in an envelope, runtime.Unknown, which says what it is. */
function fromProtobuf(plaintext: Buffer): StoredSecret {
  const envelope = readMessage(plaintext.subarray("k8s\0".length));
  const type = messageOf(envelope, unknown.typeMeta);
  const secret = messageOf(envelope, unknown.raw);
  const metadata = messageOf(secret, secretField.metadata);
  const entries = repeatedBytesOf(secret, secretField.data).map(readMessage);
  return {
    apiVersion: textOf(type, typeMeta.apiVersion),
    kind: textOf(type, typeMeta.kind),
    namespace: textOf(metadata, metadataField.namespace),
    name: textOf(metadata, metadataField.name),
    uid: textOf(metadata, metadataField.uid) || undefined,
    data: Object.fromEntries(entries.map((entry) => [textOf(entry, mapEntry.key), bytesOf(entry, mapEntry.value) ?? Buffer.alloc(0)])),
  };
}

function messageOf(message: Message, number: number): Message {
  return readMessage(bytesOf(message, number) ?? Buffer.alloc(0));
}

function textOf(message: Message, number: number): string {
  return bytesOf(message, number)?.toString("utf8") ?? "";
}

const json = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ namespace: z.string(), name: z.string(), uid: z.string().optional() }),
  data: z
    .record(
      z.string(),
      z.base64().transform((text) => Buffer.from(text, "base64")),
    )
    .default({}),
});

function fromJSON(plaintext: Buffer): StoredSecret {
  let object: unknown;
  try {
    object = JSON.parse(plaintext.toString("utf8"));
  } catch {
    // The parser's own message quotes the text.
    throw new Error("it is not JSON as a whole");
  }
  const { data: secret, error } = json.safeParse(object);
  if (secret === undefined) throw new Error(error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  const { apiVersion, kind, metadata, data } = secret;
  return { apiVersion, kind, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, data };
}
