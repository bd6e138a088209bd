// Collection options of a snapshot as a shadow is created with them.
import type { CollectionBody } from '../contracts.ts';
import { indexesOf, optionsOf, type OrderedDocument } from '../snapshot/index.ts';

/** Of the source's life, not of the collection: a temporary collection would go at the next restart. Expiry is set after the swap. */
const LEFT_OUT = ['expireAfterSeconds', 'temp', 'autoIndexId', 'flags', 'uuid'];

/**
 * For `create`. The validator is among them, and documents are written past it: set later by `collMod`, a server would
 * spell out a level and an action that the source leaves to the default.
 */
export function createOptions(body: CollectionBody): OrderedDocument {
  const create = new Map([...optionsOf(body)].filter(([name]) => !LEFT_OUT.includes(name)));
  const idIndex = indexesOf(body).find((spec) => spec.get('name') === '_id_' && !spec.has('clustered'));
  // A version 1 index stays one only when asked for; anything else is the server's own choice.
  if (idIndex !== undefined && Number(idIndex.get('v')) === 1) create.set('idIndex', onlyFields(idIndex, ['v', 'key', 'name', 'collation']));
  return create;
}

/** A command with a document's fields behind its own first field. */
export function commandOf(command: string, collection: string, fields: OrderedDocument): Record<string, unknown> {
  return { [command]: collection, ...Object.fromEntries(fields) };
}

function onlyFields(document: OrderedDocument, names: readonly string[]): OrderedDocument {
  return new Map([...document].filter(([name]) => names.includes(name)));
}
