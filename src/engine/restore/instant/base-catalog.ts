// The collections of a base, as the capture's catalog had them at its instant.
import { asBuffer, rawChild, rawDocument, rawField, rawFields, readString, type RawValue } from '../../bson/index.ts';
import type { CatalogCollection } from '../../backup/collections/catalog.ts';
import { EMPTY_DOCUMENT } from '../../backup/collections/catalog.ts';
import { bucketsOf, joinNamespace } from '../../mongo/index.ts';
import type { CollectionEntry } from '../../snapshot/index.ts';

/** Where a database keeps its views. */
export const VIEWS = 'system.views';

/** Of views a base has the definitions only: their collection is listed by its name, and its UUID is learned from the window. */
export function baseCatalog(entries: readonly CollectionEntry[]): CatalogCollection[] {
  const collections: CatalogCollection[] = [];
  for (const { body: { kind, db, name, uuid, options } , body } of entries) {
    if (kind === 'view' || uuid === null) continue;
    const stored = kind === 'timeseries' ? bucketsOf(name) : name;
    collections.push({ uuid, db, name: stored, options: Buffer.from(options, 'base64'), indexes: indexesByName(body.indexes), bornAt: null });
  }
  for (const db of new Set(entries.map(({ body }) => body.db))) {
    collections.push({ uuid: joinNamespace(db, VIEWS), db, name: VIEWS, options: EMPTY_DOCUMENT, indexes: new Map(), bornAt: null });
  }
  return collections;
}

/** Raw specifications out of the base64 in which a body holds them. */
export function indexesByName(base64: string): Map<string, Buffer> {
  const list = rawChild(Buffer.from(base64, 'base64'), 'indexes') ?? EMPTY_DOCUMENT;
  const specifications = [...rawFields(list)].map((field) => list.subarray(field.valueAt, field.end));
  return new Map(specifications.map((specification) => [nameOf(specification), specification]));
}

/** The document of `system.views` that a view of the base was. */
export function viewDocument({ body: { db, name, options } }: CollectionEntry): Buffer {
  const bytes = Buffer.from(options, 'base64');
  const fields = [...rawFields(bytes)].map((field): RawValue => ({ name: asBuffer(bytes).subarray(field.at + 1, field.valueAt - 1), type: field.type, value: bytes.subarray(field.valueAt, field.end) }));
  return rawDocument([{ name: '_id', type: 0x02, value: textValue(joinNamespace(db, name)) }, ...fields]);
}

/** A BSON string's value. */
export function textValue(text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`);
  const length = Buffer.alloc(4);
  length.writeInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function nameOf(specification: Buffer): string {
  const name = rawField(specification, 'name');
  return name === null ? '' : readString(specification, name);
}
