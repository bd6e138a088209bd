// A command's array made of bytes that are there. The only file that knows how the driver's serializer writes values:
// `ObjectId.serializeInto` gets the output and the place of its value. Null means that this version does it otherwise.
import { BSON, ObjectId } from 'mongodb';
import { rawDocument } from '../bson/index.ts';

/** A value for a command's field of this name that goes out as the raw BSON array. */
export type RawArrayMaker = (field: string, array: Uint8Array) => unknown;

const ARRAY = 0x04;

/** Builds them with `bson` 7.3.4's own class, or null where what comes out is not what went in. */
export function loadRawArrayMaker(): RawArrayMaker | null {
  const make: RawArrayMaker = (field, array) => new RawArray(field, array);
  try {
    const probe = rawDocument([{ name: '0', type: 0x10, value: Uint8Array.of(1, 0, 0, 0) }, { name: '0', type: 0x10, value: Uint8Array.of(2, 0, 0, 0) }]);
    const wanted = rawDocument([{ name: 'before', type: 0x08, value: Uint8Array.of(1) }, { name: 'ops', type: ARRAY, value: probe }, { name: 'after', type: 0x08, value: Uint8Array.of(0) }]);
    return Buffer.from(BSON.serialize({ before: true, ops: make('ops', probe), after: false })).equals(wanted) ? make : null;
  } catch {
    // Valid fallback: the caller goes without raw arrays, or refuses.
    return null;
  }
}

class RawArray extends ObjectId {
  readonly #field: string;
  readonly #array: Uint8Array;

  constructor(field: string, array: Uint8Array) {
    super('000000000000000000000000');
    this.#field = field;
    this.#array = array;
  }

  /** The type byte was written as that of an ObjectId, in front of the field's name. */
  // @ts-expect-error the declared result is the literal 12, the length of an ObjectId
  override serializeInto(output: Uint8Array, at: number): number {
    output[at - Buffer.byteLength(this.#field) - 2] = ARRAY;
    output.set(this.#array, at);
    return this.#array.length;
  }
}
