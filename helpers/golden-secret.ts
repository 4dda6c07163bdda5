/**
 * For tests: one Secret as etcdctl and hexdump show it, in plaintext and encrypted by aescbc with the bytes 00 to 1f as its key and a0 to
 * af as IV. The dumps were computed by another implementation than that which they test.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { valueOfDump } from "./etcd.ts";
import { parseHexdump } from "./hexdump.ts";

const recorded = (name: string): string => readFileSync(join(import.meta.dirname, "recorded", name), "utf8");

export const etcdKey = "/registry/secrets/default/kubernetes-the-hard-way";
export const encryptionKey = Buffer.from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "base64");

/** What `etcdctl get KEY | hexdump -C` prints. */
export const plaintextDump = recorded("etcdctl-get-plaintext-secret.hexdump");
export const encryptedDump = recorded("etcdctl-get-aescbc-secret.hexdump");

/** What etcd holds. */
export const plaintext = valueOfDump(parseHexdump(plaintextDump), etcdKey);
export const encrypted = valueOfDump(parseHexdump(encryptedDump), etcdKey);
