import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOf, numberOf, readMessage, repeatedBytesOf } from "./protobuf.ts";

const read = (hex: string) => readMessage(Buffer.from(hex, "hex"));

test("fields are read by number and wire type, the last one counts", () => {
  const message = read(["0801", "089601", "1203616263", "1200", "190102030405060708", "2501020304"].join(""));
  expect(numberOf(message, 1)).toBe(150n);
  expect(repeatedBytesOf(message, 2)).toEqual([Buffer.from("abc"), Buffer.alloc(0)]);
  expect(bytesOf(message, 2)).toEqual(Buffer.alloc(0));
  expect(bytesOf(message, 3)).toEqual(Buffer.from("0102030405060708", "hex"));
  expect(bytesOf(message, 4)).toEqual(Buffer.from("01020304", "hex"));
});

test("what is not there is no bytes, or 0; a field of the other kind is not there", () => {
  expect(bytesOf(read("0801"), 1)).toBeUndefined();
  expect(numberOf(read("0a0161"), 1)).toBe(0n);
  expect(numberOf(read(""), 7)).toBe(0n);
});

test("the longest number has 64 bits", () => {
  expect(numberOf(read("08ffffffffffffffffff01"), 1)).toBe(2n ** 64n - 1n);
});

test.for([
  ["ends within a field", "0a05616263", "a field of 5 bytes begins at byte 2, but there are 5 in all"],
  ["ends within a fixed field", "0d0102", "a field of 4 bytes begins at byte 1, but there are 3 in all"],
  ["ends within a number", "0880", "the bytes end at 2, within a number"],
  ["has an endless number", `08${"ff".repeat(11)}`, "the number at byte 1 has more than 64 bits"],
  ["has a number of more than 64 bits", "08ffffffffffffffffff7f", "the number at byte 1 has more than 64 bits"],
  ["has an old wire type", "0b", "no wire type has the number 3"],
  ["has field 0", "0000", "no field has the number 0"],
] as const)("a message that %s is refused", ([, hex, expected]) => {
  expect(() => read(hex)).toThrow(expected);
});

test("any bytes are read or refused, never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        expect(readMessage(Buffer.from(bytes))).toBeInstanceOf(Map);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 300 },
  );
});
