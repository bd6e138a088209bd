// An entry of a snapshot as the engine reads it back: its body checked, its BSON parts unpacked.
import { LeafvaultError } from '../../foundation/errors.ts';
import type { ChunkList, RepositoryReader, SnapshotEntry, SnapshotRoot } from '../../repository/repository.ts';
import type { CollectionBody, EntryKind } from '../contracts.ts';
import { decodeOrderedText, type OrderedDocument } from './ordered-document.ts';

export interface CollectionEntry {
  readonly body: CollectionBody;
  /** Names in messages: `db.collection`. */
  readonly namespace: string;
  /** Scan, then patch: the documents; `touched`: the ids to leave out of the scan. */
  readonly scan: ChunkList;
  readonly touched: ChunkList;
  readonly patch: ChunkList;
}

const KINDS: readonly EntryKind[] = ['collection', 'timeseries', 'view', 'users', 'roles'];
const EMPTY: ChunkList = { root: null, height: 0, chunks: 0, records: 0, rawBytes: 0 };

/** @throws LeafvaultError SNAPSHOT_ENTRY_INVALID */
export function readCollectionEntry(entry: SnapshotEntry): CollectionEntry {
  const body = entry.body as Partial<CollectionBody>;
  const texts = [body.db, body.name, body.options, body.indexes, body.hash];
  const numbers = [body.documents, body.bytes, body.cutMask];
  if (!KINDS.includes(body.kind as EntryKind) || texts.some((each) => typeof each !== 'string') || numbers.some((each) => !Number.isSafeInteger(each))) {
    throw new LeafvaultError('SNAPSHOT_ENTRY_INVALID', `Reading the snapshot's entry ${entry.name} failed: its body has an unknown form`, {
      hint: 'Read this snapshot with the version of Leafvault that made it, or a newer one',
    });
  }
  return {
    body: body as CollectionBody,
    namespace: `${body.db}.${body.name}`,
    scan: entry.lists.scan ?? EMPTY,
    touched: entry.lists.touched ?? EMPTY,
    patch: entry.lists.patch ?? EMPTY,
  };
}

/** The entries of a snapshot, in its order. @param options `temporaries`: also those that only an instant behind it may need */
export async function* collectionEntries(reader: RepositoryReader, root: SnapshotRoot, { temporaries = false } = {}): AsyncGenerator<CollectionEntry> {
  for await (const entry of reader.entries(root)) {
    const read = readCollectionEntry(entry);
    if (temporaries || read.body.temporary !== true) yield read;
  }
}

/** Options as `listCollections` gave them. */
export function optionsOf(body: CollectionBody): OrderedDocument {
  return decodeOrderedText(body.options);
}

/** Index specifications as `listIndexes` gave them, `_id` included. */
export function indexesOf(body: CollectionBody): OrderedDocument[] {
  const indexes = decodeOrderedText(body.indexes).get('indexes');
  return Array.isArray(indexes) ? (indexes as OrderedDocument[]) : [];
}
