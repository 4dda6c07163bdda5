/**
 * Whether a text shows in stored bytes: as it is, in base64, as JSON holds a Secret's data, or in hex.
 */

/** Where something was found: its name, never the text itself, in which form, and at which byte. */
export type Trace = { needle: string; form: "raw" | "base64" | "hex"; offset: number };

/** In bytes. A shorter text would be found in ciphertext by chance: four in base64 stand in a kilobyte once in ten thousand times. */
const shortestNeedle = 4;

/** What the API server writes before a payload: the provider, and the key by a name that may be any. It holds nothing of the Secret. */
const prefix = /^k8s:enc:(?:aescbc|aesgcm|secretbox|kms):v\d:[^:\n]{0,253}:/;

/**
 * Finds every trace of the needles, in the order of their offsets, behind the prefix of a value that is encrypted.
 * @param needles the texts to look for, by the name that a message may call them
 * @throws RangeError for a needle of less than 4 bytes
 */
export function findTraces(value: Buffer, needles: Readonly<Record<string, string>>): Trace[] {
  const [{ length: start } = ""] = prefix.exec(value.toString("latin1")) ?? [];
  const traces = Object.entries(needles).flatMap(([needle, text]) => {
    if (Buffer.byteLength(text) < shortestNeedle)
      throw new RangeError(`"${needle}" has less than ${shortestNeedle} bytes: it would be found by chance.`);
    return formsOf(Buffer.from(text)).flatMap(({ form, bytes }) =>
      offsetsOf(bytes, value, start).map((offset) => ({ needle, form, offset })),
    );
  });
  return traces.toSorted((a, b) => a.offset - b.offset);
}

function formsOf(needle: Buffer): { form: Trace["form"]; bytes: string }[] {
  const hex = needle.toString("hex");
  const base64 = new Set([0, 1, 2].flatMap((before) => base64Within(needle, before)));
  return [
    { form: "raw", bytes: needle.toString("latin1") },
    ...[...base64].map((bytes) => ({ form: "base64" as const, bytes })),
    ...[...new Set([hex, hex.toUpperCase()])].map((bytes) => ({ form: "hex" as const, bytes })),
  ];
}

/**
 * A text within a longer one that is base64 as a whole: three bytes are four characters, so that its characters depend on how many bytes
 * stand before it, by three. The outer ones are left out where they hold bits of a neighbour. In both alphabets.
 */
function base64Within(needle: Buffer, before: number): string[] {
  const bitsPerByte = 8;
  const bitsPerCharacter = 6;
  const first = Math.ceil((before * bitsPerByte) / bitsPerCharacter);
  const end = Math.floor(((before + needle.length) * bitsPerByte) / bitsPerCharacter);
  const padded = Buffer.concat([Buffer.alloc(before), needle]);
  return (["base64", "base64url"] as const).map((alphabet) => padded.toString(alphabet).slice(first, end));
}

function offsetsOf(bytes: string, value: Buffer, start: number): number[] {
  const offsets: number[] = [];
  for (let offset = value.indexOf(bytes, start, "latin1"); offset !== -1; offset = value.indexOf(bytes, offset + 1, "latin1"))
    offsets.push(offset);
  return offsets;
}
