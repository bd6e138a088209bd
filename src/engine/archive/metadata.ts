// The `.metadata.json` file of a collection: options, indexes, UUID, name and type, as mongodump writes it.
import type { CollectionBody } from '../contracts.ts';
import { indexesOf, optionsOf, type OrderedDocument } from '../snapshot/index.ts';
import { canonicalJson } from './canonical-json.ts';

/** @param name under which it is archived, which a rename may have changed */
export function metadataOf(body: CollectionBody, name: string): Buffer {
  const options = optionsOf(body);
  const fields = new Map<string, unknown>();
  if (options.size > 0) fields.set('options', options);
  fields.set('indexes', indexesOf(body));
  if (body.uuid !== null && body.kind !== 'timeseries') fields.set('uuid', body.uuid);
  fields.set('collectionName', name);
  fields.set('type', typeOf(body));
  return Buffer.from(canonicalJson(fields satisfies OrderedDocument));
}

function typeOf({ kind }: CollectionBody): 'collection' | 'timeseries' | 'view' {
  return kind === 'view' || kind === 'timeseries' ? kind : 'collection';
}
