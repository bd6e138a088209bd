// The lists of a settled collection, and how documents that are at hand become one.
import type { ChunkList } from '../../../repository/repository.ts';
import { chooseCutMask, rawDocument, rawIdField, type HashState } from '../../bson/index.ts';
import type { CatalogCollection } from '../collections/catalog.ts';
import type { CaptureContext } from '../capture-context.ts';
import { createChunkStream } from '../scan/chunk-stream.ts';
import type { Scan } from '../scan/scan-collection.ts';
import type { CollectionNumber, TouchedTable } from './touched-table.ts';

export interface SettledCollection {
  readonly scan: ChunkList;
  readonly touched: ChunkList;
  readonly patch: ChunkList;
  /** Of the settled set; its ordered hash means something for capped collections only. */
  readonly state: HashState;
  readonly mask: number;
}

export interface SettleInput {
  readonly collection: CatalogCollection;
  /** Null: born during the capture and never scanned; all its documents are in the patch. */
  readonly scan: Scan | null;
  /** Null: nobody followed the oplog. */
  readonly touched: { readonly table: TouchedTable; readonly number: CollectionNumber } | null;
}

/** Brings one collection to the instant. */
export type SettleCollection = (context: CaptureContext, input: SettleInput) => Promise<SettledCollection>;

const FLUSH_BYTES = 256 * 1024;

/** Nothing is left out and nothing put in: a scan is all there is. */
export async function untouched(context: CaptureContext, scan: Scan | null, mask: number): Promise<Omit<SettledCollection, 'state'>> {
  return { scan: scan?.list ?? (await emptyList(context)), touched: await emptyList(context), patch: await emptyList(context), mask };
}

export function emptyList({ writer }: CaptureContext): Promise<ChunkList> {
  return writer.openList().finish();
}

/** The list `touched`: documents `{_id}` in the order of their raw ids. */
export async function storeTouched(context: CaptureContext, ids: Iterable<Buffer>): Promise<ChunkList> {
  return (await storeDocuments(context, wrapped(ids), chooseCutMask(32))).list;
}

function* wrapped(ids: Iterable<Buffer>): Generator<Buffer> {
  for (const id of ids) yield rawDocument([rawIdField(id)]);
}

/** Stores raw documents as a list of chunks, in order, and hashes them. */
export async function storeDocuments(context: CaptureContext, documents: Iterable<Buffer>, mask: number): Promise<{ readonly list: ChunkList; readonly state: HashState }> {
  const stream = createChunkStream(context.writer, mask);
  let gathered: Buffer[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    stream.take(context.kernel, Buffer.concat(gathered));
    gathered = [];
    bytes = 0;
    await stream.drain();
    context.watch.beat();
    context.signal.throwIfAborted();
  };
  for (const document of documents) {
    gathered.push(document);
    bytes += document.length;
    if (bytes >= FLUSH_BYTES) await flush();
  }
  await flush();
  return { list: await stream.finish(), state: stream.state };
}
