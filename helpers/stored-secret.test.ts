import { expect, test } from "vitest";
import { ConformanceError } from "./errors.ts";
import { encrypted, plaintext } from "./golden-secret.ts";
import { decodeSecret } from "./stored-secret.ts";

const golden = {
  apiVersion: "v1",
  kind: "Secret",
  namespace: "default",
  name: "kubernetes-the-hard-way",
  uid: "11111111-2222-3333-4444-555555555555",
  data: { mykey: Buffer.from("mydata") },
};
const { data: _, ...meta } = golden;
const json = (change: object = {}): Buffer => {
  const { apiVersion, kind, ...metadata } = meta;
  return Buffer.from(JSON.stringify({ apiVersion, kind, metadata, data: { mykey: "bXlkYXRh" }, type: "Opaque", ...change }));
};

test("the golden Secret is read from protobuf, and the same from JSON", () => {
  expect(decodeSecret(plaintext)).toEqual(golden);
  expect(decodeSecret(json())).toEqual(golden);
});

test("a Secret without data has none", () => {
  expect(decodeSecret(json({ data: undefined })).data).toEqual({});
});

test.for([
  ["an encrypted value", encrypted, "expected a Secret in protobuf or JSON, got what is encrypted by aescbc"],
  ["nothing", Buffer.alloc(0), "got what is empty"],
  ["CBOR", Buffer.from("d9d9f7a0", "hex"), "got what is plaintext CBOR"],
  ["protobuf that is cut short", plaintext.subarray(0, 100), "begins like a Secret in protobuf, but cannot be read: a field of 107 bytes"],
  ["protobuf of nothing", Buffer.from("k8s\0"), "expected a Secret of v1, got a nameless kind of no version"],
  ["another kind", json({ kind: "ConfigMap" }), "expected a Secret of v1, got a ConfigMap of v1"],
  ["JSON that is cut short", json().subarray(0, 150), "begins like a Secret in json, but cannot be read: it is not JSON as a whole"],
  ["JSON without metadata", json({ metadata: undefined }), "metadata: "],
  ["data that is not base64", json({ data: { mykey: "my data" } }), "data.mykey: "],
] as const)("%s is no Secret", ([, value, expected]) => {
  expect(() => decodeSecret(value)).toThrow(ConformanceError);
  expect(() => decodeSecret(value)).toThrow(expected);
});

test("a refusal shows no data", () => {
  expect(() => decodeSecret(json().subarray(0, -1))).toThrow(expect.objectContaining({ message: expect.not.stringContaining("bXlk") }));
});
