import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encrypted, plaintext } from "./golden-secret.ts";
import { findTraces } from "./traces.ts";

const needles = { "the key mykey": "mykey", mykey: "mydata" };

test("the plaintext Secret shows both, the encrypted one neither", () => {
  expect(findTraces(plaintext, needles)).toEqual([
    { needle: "the key mykey", form: "raw", offset: plaintext.indexOf("mykey") },
    { needle: "mykey", form: "raw", offset: plaintext.indexOf("mydata") },
  ]);
  expect(findTraces(encrypted, needles)).toEqual([]);
});

test("a key of the cluster that is called as the Secret's is no trace of it, and what stands behind its name is", () => {
  const value = (payload: string) => Buffer.from(`k8s:enc:aescbc:v1:mykey:${payload}`);
  expect(findTraces(value("\x01\x02"), needles)).toEqual([]);
  expect(findTraces(value("mydata"), needles)).toEqual([{ needle: "mykey", form: "raw", offset: 24 }]);
});

test("JSON holds the data in base64", () => {
  const value = Buffer.from('{"kind":"Secret","data":{"mykey":"bXlkYXRh"}}');
  expect(findTraces(value, { mykey: "mydata" })).toEqual([{ needle: "mykey", form: "base64", offset: 34 }]);
});

test("every occurrence is told, in order", () => {
  expect(findTraces(Buffer.from("mydata, mydatamydata"), { mykey: "mydata" }).map(({ offset }) => offset)).toEqual([0, 8, 14]);
});

const around = fc.uint8Array({ maxLength: 12 });
const text = fc.string({ minLength: 4, maxLength: 30, unit: "binary" });
const forms = [
  ["raw", (bytes: Buffer) => bytes],
  ["base64", (bytes: Buffer) => Buffer.from(bytes.toString("base64"))],
  ["base64", (bytes: Buffer) => Buffer.from(bytes.toString("base64url"))],
  ["hex", (bytes: Buffer) => Buffer.from(bytes.toString("hex"))],
  ["hex", (bytes: Buffer) => Buffer.from(bytes.toString("hex").toUpperCase())],
] as const;

test.for(forms)("a text is found as %s, whatever stands around it, at every alignment", ([form, encode]) => {
  fc.assert(
    fc.property(around, text, around, around, (before, needle, after, outside) => {
      const value = Buffer.concat([outside, encode(Buffer.concat([before, Buffer.from(needle), after])), outside]);
      expect(findTraces(value, { it: needle }).map((trace) => trace.form)).toContain(form);
    }),
    { numRuns: 100 },
  );
});

test("random bytes hold no trace", () => {
  const seldom = fc.uint8Array({ minLength: 500, maxLength: 500 });
  fc.assert(
    fc.property(seldom, (bytes) => {
      expect(findTraces(Buffer.from(bytes), needles)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test.for(["", "abc"])("the needle %j is refused: it would be found by chance", (needle) => {
  expect(() => findTraces(plaintext, { canary: needle })).toThrow('"canary" has less than 4 bytes');
});
