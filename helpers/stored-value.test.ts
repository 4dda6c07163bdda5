import { expect, test } from "vitest";
import { encrypted, plaintext } from "./golden-secret.ts";
import { beginningOf, classify, describe, structureProblem } from "./stored-value.ts";

const stored = (prefix: string, payload: Buffer | number): Buffer =>
  Buffer.concat([Buffer.from(prefix), typeof payload === "number" ? Buffer.alloc(payload, 0xa5) : payload]);

test("the golden values are what they are", () => {
  expect(classify(plaintext, ["key1"])).toEqual({ kind: "plaintext", encoding: "protobuf" });
  const value = classify(encrypted, ["key1"]);
  expect(value).toMatchObject({ kind: "encrypted", provider: "aescbc", version: "v1", keyName: "key1", keyNameVerified: true });
  expect(value).toHaveProperty("payload.length", 160);
  expect(structureProblem(value)).toBeUndefined();
});

test.for([
  ["json", Buffer.from('{"kind":"Secret"}'), "plaintext JSON ({): the API server did not encrypt it"],
  ["cbor", Buffer.from("d9d9f7a1", "hex"), "plaintext CBOR (d9 d9 f7): the API server did not encrypt it"],
  ["protobuf", Buffer.from("k8s\0"), "plaintext protobuf (k8s\\0): the API server did not encrypt it"],
] as const)("plaintext in %s is told as such", ([encoding, value, expected]) => {
  expect(classify(value, [])).toEqual({ kind: "plaintext", encoding });
  expect(describe(classify(value, []))).toBe(expected);
  expect(structureProblem(classify(value, []))).toBe(expected);
});

test.for([
  [
    "a known name with colons",
    "aescbckey-2021-12-10T22:54:38Z",
    ["key1", "aescbckey-2021-12-10T22:54:38Z"],
    "aescbckey-2021-12-10T22:54:38Z",
    true,
  ],
  ["the longest of the known names", "a:b", ["a", "a:b"], "a:b", true],
  ["a name that is not known", "key2", ["key1"], "key2", false],
  ["a name that only begins like a known one", "key10", ["key1"], "key10", false],
  ["what stands before the colon where the name is not known", "a:b", [], "a", false],
] as const)("the key name: %s", ([, written, known, keyName, keyNameVerified]) => {
  expect(classify(stored(`k8s:enc:aescbc:v1:${written}:`, 32), known)).toMatchObject({ kind: "encrypted", keyName, keyNameVerified });
});

test.for([
  ["no value", "", { kind: "empty" }],
  ["other bytes", "hello", { kind: "unknown", scheme: undefined }],
  ["the prefix further on", " k8s:enc:aescbc:v1:key1:", { kind: "unknown", scheme: undefined }],
  ["another provider", "k8s:enc:rot13:v1:key1:x", { kind: "unknown", scheme: "rot13:v1" }],
  ["another version", "k8s:enc:aescbc:v2:key1:x", { kind: "unknown", scheme: "aescbc:v2" }],
  ["no key name", "k8s:enc:aescbc:v1::x", { kind: "unknown", scheme: "aescbc:v1" }],
  ["no colon after the key name", "k8s:enc:aescbc:v1:key1", { kind: "unknown", scheme: "aescbc:v1" }],
  ["no key name but data", 'k8s:enc:aescbc:v1:{"mykey":"mydata"}', { kind: "unknown", scheme: "aescbc:v1" }],
] as const)("%s is not taken for encrypted", ([, value, expected]) => {
  const found = classify(Buffer.from(value), ["key1"]);
  expect(found).toEqual(expected);
  expect(structureProblem(found)).toBe(describe(found));
  expect(describe(found)).not.toContain("mydata");
});

test.for([
  ["aescbc", 32, true],
  ["aescbc", 31, false],
  ["aescbc", 16, false],
  ["aescbc", 0, false],
  ["aescbc", 40, false],
  ["aesgcm", 28, true],
  ["aesgcm", 27, false],
  ["secretbox", 40, true],
  ["secretbox", 39, false],
] as const)("a payload of %s of %i bytes is right: %s", ([provider, length, right]) => {
  const problem = structureProblem(classify(stored(`k8s:enc:${provider}:v1:key1:`, length), ["key1"]));
  expect(problem).toEqual(right ? undefined : expect.stringContaining(`the payload of ${provider} has ${length} bytes, expected at least`));
});

const keyAndData = (keyLength: number, rest: number): Buffer => Buffer.concat([Buffer.from([0, keyLength]), Buffer.alloc(rest)]);

test.for([
  ["k8s:enc:aescbc:v1:aescbckey-2021-12-10T22:54:38Z:", "k8s:enc:aescbc:v1:aescbckey-2021-12-10T22:54:38Z:"],
  ["k8s:enc:aescbc:v1:key2:", "k8s:enc:aescbc:v1:key2:"],
  ["k8s\0protobuf", "k8s\0prot"],
] as const)("a value that begins with %j begins, for people, with %j", ([beginning, shown]) => {
  expect(beginningOf(stored(beginning, 32), "k8s:enc:aescbc:v1:aescbckey-2021-12-10T22:54:38Z:")).toBe(shown);
});

test.for([
  ["whole", keyAndData(5, 33), undefined],
  ["cut short", keyAndData(5, 32), "has 34 bytes, expected at least 35 by the length of its encrypted key, 5"],
  ["without a key", keyAndData(0, 60), "gives its encrypted key a length of 0"],
  ["empty", Buffer.alloc(0), "has 0 bytes, too few"],
] as const)("a payload of KMS v1: %s", ([, payload, expected]) => {
  const value = classify(stored("k8s:enc:kms:v1:vault:", payload), ["vault"]);
  expect(value).toMatchObject({ kind: "kms", version: "v1", keyName: "vault" });
  expect(structureProblem(value)).toEqual(expected && expect.stringContaining(expected));
});

const field = (number: number, bytes: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), Buffer.from(bytes)]);
const encryptedObject = ({ data = 60, keyID = "key-7", source = "dek", type = 1 }): Buffer =>
  Buffer.concat([field(1, Buffer.alloc(data)), field(2, keyID), field(3, source), Buffer.from(type === 0 ? [] : [0x28, type])]);

test.for([
  ["with a seed", encryptedObject({}), undefined],
  ["with a key", encryptedObject({ data: 28, type: 0 }), undefined],
  ["with too little data for a seed", encryptedObject({ data: 59 }), "without encryptedData of at least 60 bytes (it has 59)"],
  ["with too little data for a key", encryptedObject({ data: 27, type: 0 }), "without encryptedData of at least 28 bytes (it has 27)"],
  ["without its key", encryptedObject({ source: "" }), "without an encryptedDEKSource"],
  ["of an unknown type", encryptedObject({ type: 9 }), "without an encryptedDEKSourceType of 0 or 1 (it has 9)"],
  ["with an unreadable keyID", encryptedObject({ keyID: "\0" }), "without a keyID that can be read"],
  ["empty", Buffer.alloc(0), "without a keyID that can be read, an encryptedDEKSource, encryptedData"],
  ["cut short", encryptedObject({}).subarray(0, 30), "is no EncryptedObject: a field of 60 bytes begins at byte 2"],
] as const)("a payload of KMS v2: %s", ([, payload, expected]) => {
  const value = classify(stored("k8s:enc:kms:v2:vault:", payload), ["vault"]);
  expect(value).toMatchObject({ kind: "kms", version: "v2", keyName: "vault" });
  expect(structureProblem(value)).toEqual(expected && expect.stringContaining(expected));
});

test.for([
  [encrypted, 'encrypted by aescbc with the key "key1", 160 bytes of payload'],
  [
    stored("k8s:enc:aesgcm:v1:key2:", 40),
    'encrypted by aesgcm with the key "key2", which is not one of the expected names, 40 bytes of payload',
  ],
  [stored("k8s:enc:kms:v2:vault:", encryptedObject({})), 'encrypted by KMS v2 with the key "vault" (keyID "key-7"), 76 bytes of payload'],
  [stored("k8s:enc:kms:v1:vault:", 40), 'encrypted by KMS v1 with the key "vault", 40 bytes of payload'],
  [stored("k8s:enc:rot13:v1:key1:", 4), "encrypted in a way that is not known here: k8s:enc:rot13:v1:, or without a key name"],
  [Buffer.alloc(0), "empty: etcd holds no value there"],
  [Buffer.from("hello"), "neither encrypted nor plaintext in any way that Kubernetes writes"],
] as const)("a phrase for messages: $1", ([value, expected]) => {
  expect(describe(classify(value, ["key1", "vault"]))).toBe(expected);
});
