/**
 * The ciphers of the local providers. k8s.io/apiserver/pkg/storage/value/encrypt/{aes,secretbox}
 */
import { createDecipheriv, type CipherGCMTypes } from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { classify, structureProblem, type LocalProvider } from "./stored-value.ts";

/** A key of an EncryptionConfiguration: its bytes, decoded. */
export type Key = { name: string; secret: Buffer };

/** Lengths in bytes. */
const ivLength = 16;
const nonceLength = { aesgcm: 12, secretbox: 24 } as const;
const tagLength = 16;

const ciphers: Record<LocalProvider, (payload: Buffer, secret: Buffer, etcdKey: string) => Buffer> = {
  aescbc: (payload, secret) => {
    const decipher = createDecipheriv(`aes-${8 * secret.length}-cbc`, secret, payload.subarray(0, ivLength));
    return finished("its padding is wrong", () => [decipher.update(payload.subarray(ivLength)), decipher.final()]);
  },
  // Bound to its place: a value that was copied to another key of etcd does not open.
  aesgcm: (payload, secret, etcdKey) => {
    const decipher = createDecipheriv(`aes-${8 * secret.length}-gcm` as CipherGCMTypes, secret, payload.subarray(0, nonceLength.aesgcm), {
      authTagLength: tagLength,
    });
    decipher.setAAD(Buffer.from(etcdKey)).setAuthTag(payload.subarray(-tagLength));
    return finished("it fails authentication", () => [decipher.update(payload.subarray(nonceLength.aesgcm, -tagLength)), decipher.final()]);
  },
  secretbox: (payload, secret) => {
    const box = xsalsa20poly1305(secret, payload.subarray(0, nonceLength.secretbox));
    return finished("it fails authentication", () => [box.decrypt(payload.subarray(nonceLength.secretbox))]);
  },
};

/**
 * Decrypts a payload: what stands after `k8s:enc:PROVIDER:v1:NAME:`.
 * @throws Error whose message says why the key does not open it
 */
export function decryptWith({ provider, name, secret }: Key & { provider: LocalProvider }, payload: Buffer, etcdKey: string): Buffer {
  const problem = structureProblem({ kind: "encrypted", provider, version: "v1", keyName: name, keyNameVerified: true, payload });
  if (problem !== undefined) throw new Error(problem);
  const plaintext = ciphers[provider](payload, secret, etcdKey);
  // CBC authenticates nothing, and one wrong key in 256 leaves a right padding: what comes out has to be an object, too.
  if (!isObject(plaintext)) throw new Error("what comes out is no object of Kubernetes: the key is another one, or the bytes were changed");
  return plaintext;
}

/** The one byte that JSON begins with is no proof: it has to be JSON to its end. */
function isObject(plaintext: Buffer): boolean {
  const stored = classify(plaintext, []);
  if (stored.kind !== "plaintext" || stored.encoding !== "json") return stored.kind === "plaintext";
  try {
    JSON.parse(plaintext.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

/** Each cipher has its own words for the same refusal. */
function finished(refusal: string, decipher: () => Uint8Array[]): Buffer {
  try {
    return Buffer.concat(decipher());
  } catch (error) {
    throw new Error(`${refusal}: the key is another one, or the bytes were changed`, { cause: error });
  }
}
