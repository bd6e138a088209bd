// Elements of raw documents as a diff needs them: names compared byte by byte, values moved without being looked at.
import { rawFields } from '../bson/index.ts';

export interface RawElement {
  /** The name's bytes, each as one character: equal names are equal bytes, valid UTF-8 or not. */
  readonly key: string;
  readonly type: number;
  readonly value: Buffer;
  /** Type byte, name and value as they stand. */
  readonly whole: Buffer;
}

/** @throws LeafvaultError BSON_MALFORMED */
export function* rawElements(document: Buffer): Generator<RawElement, void, undefined> {
  for (const { type, at, valueAt, end } of rawFields(document)) {
    yield {
      key: document.toString('latin1', at + 1, valueAt - 1), type, value: document.subarray(valueAt, end), whole: document.subarray(at, end),
    };
  }
}

/** A document that is put together from parts, in order. */
export interface DocumentBuilder {
  /** Adds an element as it stands. */
  copy(whole: Uint8Array): void;
  add(key: string, type: number, value: Uint8Array): void;
  finish(): Buffer;
}

const END = Buffer.of(0);

export function createDocumentBuilder(): DocumentBuilder {
  const parts: Uint8Array[] = [Buffer.alloc(4)];
  let length = 5;
  const copy = (part: Uint8Array): void => {
    parts.push(part);
    length += part.length;
  };
  return {
    copy,
    add(key, type, value) {
      const head = Buffer.allocUnsafe(key.length + 2);
      head[0] = type;
      head.write(key, 1, 'latin1');
      head[key.length + 1] = 0;
      copy(head);
      copy(value);
    },
    finish() {
      parts.push(END);
      const bytes = Buffer.concat(parts, length);
      bytes.writeInt32LE(length, 0);
      return bytes;
    },
  };
}

/** A key as text, for messages. */
export function showKey(key: string): string {
  return JSON.stringify(Buffer.from(key, 'latin1').toString('utf8'));
}
