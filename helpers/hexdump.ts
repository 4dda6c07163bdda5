/**
 * The output of `hexdump -C`, read back into bytes. What it is read for is evidence, so anything that a whole, untouched dump could not
 * hold is refused. No message quotes a row: it may be part of a Secret.
 */

/** A text that is not the whole output of `hexdump -C`. The message says which line shows it, and why. */
export class HexdumpError extends Error {
  override readonly name = "HexdumpError";

  constructor(line: number, says: string) {
    super(`line ${line} of the hexdump ${says}`);
  }
}

const rowLength = 16;

/** By default etcd refuses values of more than 1.5 MiB. A `*` before an absurd offset must not fill the memory. */
const mostBytes = 16 * 1024 * 1024;

type Line = { kind: "row"; offset: number; bytes: Buffer } | { kind: "squeezed" } | { kind: "end"; offset: number };

/**
 * The bytes that `hexdump -C` was given; the empty text, which it prints for no bytes, gives none. With the `*` of repeated rows, and with
 * `-v`, which prints them. The format is that of util-linux, which BSD and BusyBox share.
 * @throws HexdumpError for a dump that was cut short or changed, and for other tools' formats
 */
export function parseHexdump(text: string): Buffer {
  if (text === "") return Buffer.alloc(0);
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new HexdumpError(lines.length + 1, "does not end in a newline: the dump was cut short");
  const dump = new Dump();
  for (const [index, line] of lines.entries()) dump.add(readLine(line, index + 1), index + 1);
  return dump.finish(lines.length);
}

/** What has been read so far. Every line has to follow from those before it. */
class Dump {
  private readonly chunks: Buffer[] = [];
  private length = 0;
  private squeezed = false;
  private ended = false;

  add(line: Line, number: number): void {
    if (this.ended) throw new HexdumpError(number, "comes after the final offset, where a dump ends");
    if (line.kind === "squeezed") {
      this.squeeze(number);
      return;
    }
    this.advanceTo(line.offset, number);
    if (line.kind === "end") {
      this.ended = true;
      return;
    }
    if (this.length % rowLength !== 0)
      throw new HexdumpError(number, `follows a row of less than ${rowLength} bytes, which only the last may be`);
    this.push(line.bytes);
  }

  finish(lastNumber: number): Buffer {
    if (!this.ended) throw new HexdumpError(lastNumber, "is the last, but not the final offset alone: the dump was cut short");
    return Buffer.concat(this.chunks);
  }

  private squeeze(number: number): void {
    const follows = this.chunks.at(-1)?.length === rowLength && !this.squeezed;
    if (!follows) throw new HexdumpError(number, `is "*", which stands only after a row of ${rowLength} bytes, for more of the same`);
    this.squeezed = true;
  }

  private advanceTo(offset: number, number: number): void {
    const gap = offset - this.length;
    const repeated = this.chunks.at(-1);
    if (offset > mostBytes) throw new HexdumpError(number, `has the offset ${hex(offset)}, more than any value in etcd has`);
    if (!this.squeezed || repeated === undefined) {
      if (gap !== 0)
        throw new HexdumpError(number, `has the offset ${hex(offset)}, expected ${hex(this.length)}: lines are missing, or were changed`);
      return;
    }
    if (gap <= 0 || gap % rowLength !== 0) {
      throw new HexdumpError(
        number,
        `has the offset ${hex(offset)} after "*", expected ${hex(this.length)} and a multiple of ${rowLength} more`,
      );
    }
    for (let count = gap / rowLength; count > 0; count -= 1) this.push(repeated);
    this.squeezed = false;
  }

  private push(bytes: Buffer): void {
    this.chunks.push(bytes);
    this.length += bytes.length;
  }
}

/** What other lines look like, from the most telling on. */
const otherFormats: readonly [RegExp, string][] = [
  [/\r$/, "ends in a carriage return: read it without a terminal (ssh -T)"],
  [/^\s*(?:\.{3}|…)\s*$/, "stands for lines that were left out: an excerpt proves nothing, the whole dump is needed"],
  [/^[0-9a-f]{8,}: /, "is of xxd: use hexdump -C"],
  [/^[0-9a-f]{7,8}(?: +[0-9a-f]{4})+\s*$/, "has words of 16 bits, as of hexdump without -C: use hexdump -C"],
  [/^(?:[0-7]{7}|[0-9a-f]{6})(?: |$)/, "is of od: use hexdump -C"],
];

const byte = "[0-9a-f]{2}";
const row = new RegExp(`^(?<offset>[0-9a-f]{8,})  (?<hex>${byte}(?: {1,2}${byte}){0,${rowLength - 1}}) *(?: {2}\\|(?<ascii>.*)\\|)?$`);

function readLine(line: string, number: number): Line {
  if (line === "*") return { kind: "squeezed" };
  if (/^[0-9a-f]{8,}$/.test(line)) return { kind: "end", offset: Number.parseInt(line, 16) };
  const { offset, hex: columns, ascii } = row.exec(line)?.groups ?? {};
  if (offset === undefined || columns === undefined) {
    const [, says] = otherFormats.find(([pattern]) => pattern.test(line)) ?? [];
    throw new HexdumpError(number, says ?? "is no row of hexdump -C: an offset of 8 digits, up to 16 bytes, their characters");
  }
  const bytes = Buffer.from(columns.replaceAll(" ", ""), "hex");
  const upToCharacters = `${offset}  ${hexColumns(bytes)}`;
  if (line !== (ascii === undefined ? upToCharacters.trimEnd() : `${upToCharacters}  |${ascii}|`)) {
    throw new HexdumpError(number, "has its bytes or characters in the wrong columns: it was changed");
  }
  if (ascii !== undefined && !showsBytes(ascii, bytes)) {
    throw new HexdumpError(number, "has other characters at the right than its bytes at the left: it was changed");
  }
  return { kind: "row", offset: Number.parseInt(offset, 16), bytes };
}

/** Two groups of eight, as hexdump sets them, at full width. */
function hexColumns(bytes: Buffer): string {
  const columns = [...bytes].map((value) => value.toString(16).padStart(2, "0"));
  const group = rowLength / 2;
  return `${columns
    .slice(0, group)
    .join(" ")
    .padEnd(3 * group)} ${columns.slice(group).join(" ")}`.padEnd(3 * rowLength);
}

const isPrintable = (value: number): boolean => value >= 0x20 && value <= 0x7e;

/** Bytes that are not printable ASCII stand as ".", or, depending on the locale, as a character beyond ASCII. */
function showsBytes(ascii: string, bytes: Buffer): boolean {
  const characters = Array.from(ascii);
  if (characters.length !== bytes.length) return false;
  return characters.every((character, index) => {
    const value = bytes[index] as number;
    return isPrintable(value) ? character.codePointAt(0) === value : character === "." || character > "\u007f";
  });
}

function hex(offset: number): string {
  return offset.toString(16).padStart(8, "0");
}
