// The little that the demo has to know of BSON: where a document's elements begin and end. No decoding.

/** Hex of the `_id` element's type and value. */
export function rawIdOf(raw: Buffer): string {
  for (let at = 4; at < raw.length - 1; ) {
    const type = raw[at] ?? 0;
    const nameEnd = raw.indexOf(0, at + 1);
    const end = nameEnd + 1 + valueBytes(raw, type, nameEnd + 1);
    if (raw.toString('latin1', at + 1, nameEnd) === '_id') return `${type.toString(16)}:${raw.toString('hex', nameEnd + 1, end)}`;
    at = end;
  }
  throw new Error('A document without an _id');
}

/** Splits the content of a `.bson` file into its documents. */
export function* documentsIn(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = at + 4 <= bytes.length ? bytes.readInt32LE(at) : 0;
    if (size < 5 || at + size > bytes.length || bytes[at + size - 1] !== 0) throw new Error(`Broken BSON at byte ${at}`);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Size of a value by its type (bsonspec.org). */
function valueBytes(raw: Buffer, type: number, at: number): number {
  switch (type) {
    case 0x06: case 0x0a: case 0x7f: case 0xff: return 0;
    case 0x08: return 1;
    case 0x10: return 4;
    case 0x01: case 0x09: case 0x11: case 0x12: return 8;
    case 0x07: return 12;
    case 0x13: return 16;
    case 0x02: case 0x0d: case 0x0e: return 4 + raw.readInt32LE(at);
    case 0x03: case 0x04: case 0x0f: return raw.readInt32LE(at);
    case 0x05: return 5 + raw.readInt32LE(at);
    case 0x0c: return 4 + raw.readInt32LE(at) + 12;
    case 0x0b: return raw.indexOf(0, raw.indexOf(0, at) + 1) + 1 - at;
    default: throw new Error(`Unknown BSON type ${type}`);
  }
}
