// Compares what a snapshot holds of a collection with what its capture counted and hashed (promise 4).
import { LeafvaultError } from '../../foundation/errors.ts';
import { bytesOf, documentsOf, hashOf, orderedHashOf, type HashState } from '../bson/index.ts';
import type { CollectionBody } from '../contracts.ts';
import type { CollectionEntry } from './collection-entry.ts';
import { readSettled, type ReadSettledOptions } from './read-settled.ts';

export interface Content {
  readonly documents: number;
  readonly bytes: number;
  readonly hash: string;
  readonly orderedHash: string;
}

export function contentOf(state: HashState): Content {
  return { documents: documentsOf(state), bytes: bytesOf(state), hash: hashOf(state), orderedHash: orderedHashOf(state) };
}

/** What a collection has to hold. */
export type Expected = Pick<CollectionBody, 'documents' | 'bytes' | 'hash' | 'capped' | 'orderedHash'>;

/** What differs between content and what is expected (a collection's body, for one), in words; null when nothing does. */
export function findDifference(body: Expected, content: Content): string | null {
  if (content.documents !== body.documents) return `${content.documents} documents instead of ${body.documents}`;
  if (content.bytes !== body.bytes) return `${content.bytes} bytes instead of ${body.bytes}`;
  if (content.hash !== body.hash) return 'the same number of documents and bytes, but other content';
  if (body.capped && body.orderedHash !== null && content.orderedHash !== body.orderedHash) return 'the same documents in another order';
  return null;
}

/** @throws LeafvaultError SNAPSHOT_CONTENT_MISMATCH */
export function checkSettled(entry: CollectionEntry, state: HashState): Content {
  const content = contentOf(state);
  const difference = findDifference(entry.body, content);
  if (difference === null) return content;
  throw new LeafvaultError('SNAPSHOT_CONTENT_MISMATCH', `Reading ${entry.namespace} from the snapshot failed: it holds ${difference}`, {
    hint: 'Check the repository with `leafvault check --read-data`, and restore from another snapshot',
    details: { namespace: entry.namespace, expected: { documents: entry.body.documents, bytes: entry.body.bytes, hash: entry.body.hash }, found: content },
  });
}

/**
 * Reads an entry whole and compares it with its body.
 * @throws LeafvaultError SNAPSHOT_CONTENT_MISMATCH, and what reading throws
 */
export async function verifyEntry(entry: CollectionEntry, options: ReadSettledOptions & { readonly onBatch?: (documents: number, bytes: number) => void }): Promise<Content> {
  const { state, batches } = readSettled(entry, options);
  for await (const batch of batches) options.onBatch?.(batch.documents, batch.bytes);
  return checkSettled(entry, state);
}
