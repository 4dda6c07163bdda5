import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encryptedDump, plaintextDump } from "./golden-secret.ts";
import { HexdumpError, parseHexdump } from "./hexdump.ts";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const hexdump = (bytes: Buffer, options = "-C"): string => {
  const { stdout, error } = spawnSync("hexdump", [options], {
    input: bytes,
    encoding: "latin1",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
  });
  if (error) throw error;
  return stdout;
};
const isInstalled = !spawnSync("hexdump", ["-C"], { input: "" }).error;
const whyNot = "hexdump is not installed here (Debian: apt install bsdextrautils)";

/** Bytes with runs long enough to be squeezed, on and off the boundaries of rows. */
const bytesWithRuns = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(255), fc.nat(200)).map(([value, length]) => new Uint8Array(length).fill(value)),
      fc
        .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.integer({ min: 1, max: 5 }))
        .map(([row, times]) => Buffer.concat(Array(times).fill(row))),
    ),
    { maxLength: 8 },
  )
  .map((chunks) => Buffer.concat(chunks));

test.for([
  ["plaintext", plaintextDump, "54fd15d1c2d395a7d07e164280ab80b116483c1c73761f0cabbc2f5978939cec"],
  ["encrypted", encryptedDump, "16b327bd03e1941877e11c9e907bf16d1ef8f7446b01bf7dad03cb1c67efaaf5"],
] as const)("the dump of the %s Secret is read to the byte", ([, dump, expected]) => {
  expect(sha256(parseHexdump(dump))).toBe(expected);
});

test("hexdump -C is inverted, whatever it was given", ({ skip }) => {
  skip(!isInstalled, whyNot);
  fc.assert(
    fc.property(bytesWithRuns, fc.constantFrom("-C", "-Cv"), (bytes, options) => {
      expect(parseHexdump(hexdump(bytes, options)).equals(bytes)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("a dump that was cut short anywhere is refused", ({ skip }) => {
  skip(!isInstalled, whyNot);
  fc.assert(
    fc.property(bytesWithRuns, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (bytes, where) => {
      const dump = hexdump(bytes);
      fc.pre(dump !== "");
      const length = 1 + Math.floor(where * (dump.length - 1));
      fc.pre(length < dump.length);
      expect(() => parseHexdump(dump.slice(0, length))).toThrow(HexdumpError);
    }),
    { numRuns: 80 },
  );
  for (let length = 1; length < encryptedDump.length; length += 1)
    expect(() => parseHexdump(encryptedDump.slice(0, length))).toThrow(HexdumpError);
});

test("every character of a dump counts, but bytes that show as a dot", () => {
  for (const [index, character] of Array.from(plaintextDump).entries()) {
    for (const other of ["0", "7", "g", " ", ".", "\n", "*"]) {
      if (other === character) continue;
      const changed = `${plaintextDump.slice(0, index)}${other}${plaintextDump.slice(index + 1)}`;
      const read = readOrRefuse(changed);
      if (read !== undefined)
        expect(dottedBytes(read), `character ${index} as ${JSON.stringify(other)}`).toEqual(dottedBytes(parseHexdump(plaintextDump)));
    }
  }
});

function readOrRefuse(dump: string): Buffer | undefined {
  try {
    return parseHexdump(dump);
  } catch (error) {
    expect(error).toBeInstanceOf(HexdumpError);
    return undefined;
  }
}

const dottedBytes = (bytes: Buffer): string => bytes.toString("latin1").replaceAll(/[^ -~]/g, ".");

test.for([1, 2, 5, 11])("a dump without its line %i, or with it twice, is refused", (number) => {
  const lines = plaintextDump.split("\n");
  expect(() => parseHexdump(lines.toSpliced(number - 1, 1).join("\n"))).toThrow(HexdumpError);
  expect(() => parseHexdump(lines.toSpliced(number - 1, 0, lines[number - 1] as string).join("\n"))).toThrow(HexdumpError);
});

const row = "00000000  6d 79 64 61 74 61 6d 79  64 61 74 61 6d 79 64 61  |mydatamydatamyda|";
const short = "00000000  6d 79 64 61 74 61                                 |mydata|";

test.for([
  ["has no final offset", `${row}\n`, "line 1 of the hexdump is the last, but not the final offset alone: the dump was cut short"],
  ["does not end in a newline", `${short}\n00000006`, "line 2 of the hexdump does not end in a newline"],
  ["is an excerpt", `${row}\n...\n`, "line 2 of the hexdump stands for lines that were left out"],
  ["jumps", `${row}\n00000020  6d\n00000021\n`, "line 2 of the hexdump has the offset 00000020, expected 00000010"],
  ["is longer than its rows", `${row}\n00000011\n`, "line 2 of the hexdump has the offset 00000011, expected 00000010"],
  ["goes on after its end", `${row}\n00000010\n00000010\n`, "line 3 of the hexdump comes after the final offset"],
  ["goes on after a short row", `${short}\n00000006  6d\n00000007\n`, "line 2 of the hexdump follows a row of less than 16 bytes"],
  ["repeats nothing", `*\n00000010\n`, 'line 1 of the hexdump is "*"'],
  ["repeats a short row", `${short}\n*\n00000016\n`, 'line 2 of the hexdump is "*"'],
  ["repeats a row no times", `${row}\n*\n00000010\n`, 'line 3 of the hexdump has the offset 00000010 after "*"'],
  ["repeats part of a row", `${row}\n*\n00000028\n`, 'line 3 of the hexdump has the offset 00000028 after "*"'],
  [
    "repeats a row beyond measure",
    `${row}\n*\nfffffff0\n`,
    "line 3 of the hexdump has the offset fffffff0, more than any value in etcd has",
  ],
  ["has a changed byte", `${row.replace("6d 79", "6d 78")}\n00000010\n`, "line 1 of the hexdump has other characters at the right"],
  [
    "has a wider gap",
    `${short.replace("74 61 ", "74  61")}\n00000006\n`,
    "line 1 of the hexdump has its bytes or characters in the wrong columns",
  ],
  ["has 17 bytes in a row", `${row.replace("64 61  |", "64 61 6d  |")}\n00000011\n`, "line 1 of the hexdump is no row of hexdump -C"],
  ["came through a terminal", `${row}\r\n00000010\r\n`, "line 1 of the hexdump ends in a carriage return: read it without a terminal"],
  ["is of xxd", "00000000: 6d79 6461 7461                           mydata\n", "line 1 of the hexdump is of xxd"],
  ["is of hexdump without -C", "0000000 796d 6164 6174                         \n0000006\n", "line 1 of the hexdump has words of 16 bits"],
  ["is of od", "0000000 074555 060544 060564\n0000006\n", "line 1 of the hexdump is of od"],
  ["is of od -A x -t x1z", "000000 6d 79 64 61 74 61  >mydata<\n000006\n", "line 1 of the hexdump is of od"],
  ["is something else", "bash: hexdump: command not found\n", "line 1 of the hexdump is no row of hexdump -C"],
] as const)("a dump that %s is refused", ([, dump, expected]) => {
  expect(() => parseHexdump(dump)).toThrow(expected);
});

test("no refusal shows what the dump holds", () => {
  for (const dump of [`${row}\n`, `${row.slice(0, -1)}\n`, `${row.replace("6d", "6e")}\n00000010\n`]) {
    expect(() => parseHexdump(dump)).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/mydata|6d 79/) }));
  }
});

test("what is no part of the evidence may be missing: the characters at the right, and all of it where there are no bytes", () => {
  expect(parseHexdump(`${row.slice(0, 58)}\n00000010\n`).toString()).toBe("mydatamydatamyda");
  expect(parseHexdump("")).toEqual(Buffer.alloc(0));
});

test("characters beyond ASCII, which some locales print, are let be", () => {
  const dump = `00000000  e9 7c 00                                          |é|.|\n00000003\n`;
  expect(parseHexdump(dump)).toEqual(Buffer.from([0xe9, 0x7c, 0x00]));
});
