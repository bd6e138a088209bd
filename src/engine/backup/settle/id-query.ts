// Raw ids as a query that the driver encodes to exactly the same bytes.
import { BSON, type Document } from 'bson';
import { BSON_TYPE, rawDocument, rawFields } from '../../bson/index.ts';

/**
 * A filter that finds at least the documents with these raw ids. An id that can't be written into a command as it is
 * (a date beyond JavaScript's, a text that is no UTF-8, a deprecated type) is looked for by its type: right, but
 * slow where many ids are of that type. The caller picks by bytes.
 */
export function idFilter(ids: readonly Buffer[]): Document {
  const values: unknown[] = [];
  const types = new Set<number>();
  for (const id of ids) {
    const value = queryValue(id[0] ?? 0, id.subarray(1));
    if (staysTheSame(id, value)) values.push(value);
    else types.add(id[0] ?? 0);
  }
  if (types.size === 0) return { _id: { $in: values } };
  return { $or: [{ _id: { $in: values } }, { _id: { $type: [...types] } }] };
}

function staysTheSame(id: Buffer, value: unknown): boolean {
  // The payload of a NaN is lost, but every NaN finds every other.
  if (id[0] === BSON_TYPE.double) return true;
  const again = Buffer.from(BSON.serialize({ v: value }));
  return again.length === id.length + 7 && again[4] === id[0] && again.subarray(7, -1).equals(id.subarray(1));
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
