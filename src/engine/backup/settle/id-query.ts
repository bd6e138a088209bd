// Raw ids as values of a query that the driver encodes to exactly the same bytes.
import { BSON, type Document } from 'bson';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { BSON_TYPE, rawDocument, rawFields } from '../../bson/index.ts';

/**
 * @param namespace for the message
 * @throws LeafvaultError CAPTURE_ID_UNSUPPORTED when no query can name the id (a deprecated type, broken UTF-8)
 */
export function idQueryValue(id: Buffer, namespace: string): unknown {
  const value = queryValue(id[0] ?? 0, id.subarray(1));
  const again = Buffer.from(BSON.serialize({ v: value }));
  const same = again.length === id.length + 7 && again[4] === id[0] && again.subarray(7, -1).equals(id.subarray(1));
  // The payload of a NaN is lost, but every NaN finds every other.
  if (same || id[0] === BSON_TYPE.double) return value;
  throw new LeafvaultError('CAPTURE_ID_UNSUPPORTED', `Reading touched documents of ${namespace} failed: no query can name an _id of BSON type ${id[0]}`, {
    details: { namespace, id: id.subarray(0, 64).toString('hex') },
    hint: 'Take the snapshot when this document is not being changed',
  });
}

function queryValue(type: number, bytes: Buffer): unknown {
  if (type === BSON_TYPE.document) return orderedFields(bytes);
  if (type === BSON_TYPE.array) return orderedFields(bytes).valuesInOrder();
  return scalar(type, bytes);
}

function scalar(type: number, bytes: Buffer): unknown {
  const document: Document = BSON.deserialize(rawDocument([{ name: 'v', type, value: bytes }]), {
    promoteValues: false, promoteBuffers: false, bsonRegExp: true, validation: { utf8: false },
  });
  return document.v;
}

/** A Map keeps the order of fields, also of names like "1"; this one keeps repeated names too. */
class OrderedFields extends Map<string, unknown> {
  readonly #fields: readonly (readonly [string, unknown])[];

  constructor(fields: readonly (readonly [string, unknown])[]) {
    super();
    this.#fields = fields;
  }

  override get size(): number {
    return this.#fields.length;
  }

  override entries(): MapIterator<[string, unknown]> {
    return this.#fields.map(([name, value]): [string, unknown] => [name, value]).values();
  }

  override [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries();
  }

  valuesInOrder(): unknown[] {
    return this.#fields.map(([, value]) => value);
  }
}

function orderedFields(document: Buffer): OrderedFields {
  return new OrderedFields([...rawFields(document)].map((field) => [field.name, queryValue(field.type, document.subarray(field.valueAt, field.end))]));
}
