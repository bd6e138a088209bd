// Collection options of a snapshot, split into what a shadow is created with and what is set on it later.
import type { CollectionBody } from '../contracts.ts';
import { indexesOf, optionsOf, type OrderedDocument } from '../snapshot/index.ts';

export interface SplitOptions {
  /** For `create`. */
  readonly create: OrderedDocument;
  /** For `collMod` once the documents are there; empty: nothing. */
  readonly validation: OrderedDocument;
}

const LATER = ['validator', 'validationLevel', 'validationAction'];
/** Of the source's life, not of the collection: a temporary collection would go at the next restart. */
const LEFT_OUT = ['expireAfterSeconds', 'temp', 'autoIndexId', 'flags', 'uuid'];

export function splitOptions(body: CollectionBody): SplitOptions {
  const options = [...optionsOf(body)];
  const create = new Map(options.filter(([name]) => !LATER.includes(name) && !LEFT_OUT.includes(name)));
  const idIndex = indexesOf(body).find((spec) => spec.get('name') === '_id_' && !spec.has('clustered'));
  // A version 1 index stays one only when asked for; anything else is the server's own choice.
  if (idIndex !== undefined && Number(idIndex.get('v')) === 1) create.set('idIndex', onlyFields(idIndex, ['v', 'key', 'name', 'collation']));
  return { create, validation: new Map(options.filter(([name]) => LATER.includes(name))) };
}

/** A command with a document's fields behind its own first field. */
export function commandOf(command: string, collection: string, fields: OrderedDocument): Record<string, unknown> {
  return { [command]: collection, ...Object.fromEntries(fields) };
}

function onlyFields(document: OrderedDocument, names: readonly string[]): OrderedDocument {
  return new Map([...document].filter(([name]) => names.includes(name)));
}
