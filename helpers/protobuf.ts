/**
 * As much of protobuf's wire format as it takes to look into what the API server stores. https://protobuf.dev/programming-guides/encoding/
 */

/** A message by field number: the values of each field, in order. Numbers and enums are bigints, all else is bytes. */
export type Message = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

/**
 * Reads a message.
 * @throws RangeError for bytes that are no message
 */
export function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let offset = 0;
  while (offset < bytes.length) {
    const tag = readVarint(bytes, offset);
    const number = Number(tag.value >> 3n);
    if (number < 1) throw new RangeError(`no field has the number ${number}, which stands at byte ${offset}`);
    const field = readField(bytes, tag.end, Number(tag.value & 7n));
    fields.set(number, [...(fields.get(number) ?? []), field.value]);
    offset = field.end;
  }
  return fields;
}

/** The bytes of a field: a string, a message or plain bytes. The last one counts, as ever in protobuf; undefined where there is none. */
export function bytesOf(message: Message, number: number): Buffer | undefined {
  return repeatedBytesOf(message, number).at(-1);
}

/** All values of a repeated field, such as the entries of a map. */
export function repeatedBytesOf(message: Message, number: number): Buffer[] {
  return (message.get(number) ?? []).filter((value) => Buffer.isBuffer(value));
}

/** The number or enum in a field. Protobuf leaves out what is 0. */
export function numberOf(message: Message, number: number): bigint {
  return (message.get(number) ?? []).findLast((value) => typeof value === "bigint") ?? 0n;
}

type Read<T> = { value: T; end: number };

function readField(bytes: Buffer, offset: number, wireType: number): Read<bigint | Buffer> {
  switch (wireType) {
    case 0:
      return readVarint(bytes, offset);
    case 1:
      return readBytes(bytes, offset, 8);
    case 2: {
      const length = readVarint(bytes, offset);
      return readBytes(bytes, length.end, Number(length.value));
    }
    case 5:
      return readBytes(bytes, offset, 4);
    default:
      throw new RangeError(`no wire type has the number ${wireType}, which stands before byte ${offset}`);
  }
}

function readBytes(bytes: Buffer, offset: number, length: number): Read<Buffer> {
  const end = offset + length;
  if (end > bytes.length) throw new RangeError(`a field of ${length} bytes begins at byte ${offset}, but there are ${bytes.length} in all`);
  return { value: bytes.subarray(offset, end), end };
}

function readVarint(bytes: Buffer, offset: number): Read<bigint> {
  let value = 0n;
  // Ten groups of seven bits hold the 64 bits of the longest.
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[offset + index];
    if (byte === undefined) throw new RangeError(`the bytes end at ${bytes.length}, within a number`);
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80 && value < 2n ** 64n) return { value, end: offset + index + 1 };
  }
  throw new RangeError(`the number at byte ${offset} has more than 64 bits`);
}
