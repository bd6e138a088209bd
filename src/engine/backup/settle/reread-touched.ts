// Reads touched documents again by `_id` and keeps what is there as the patch; what is not there has none.
import type { Document } from 'mongodb';
import { throwIfAborted } from '../../../foundation/abort.ts';
import { rawId } from '../../bson/index.ts';
import { documentsOfBatch } from '../../mongo/index.ts';
import type { CatalogCollection } from '../collections/catalog.ts';
import type { CaptureContext } from '../capture-context.ts';
import { uuidBinary } from '../scan/scan-collection.ts';
import { isTransient, serverCode } from '../source.ts';
import { idFilter } from './id-query.ts';
import type { CollectionNumber, TouchedTable } from './touched-table.ts';

export interface RereadOptions {
  readonly touched: TouchedTable;
  /** Null: dropped since, or not wanted; its ids are passed over. */
  readonly collectionOf: (number: CollectionNumber) => CatalogCollection | null;
  /** `majority` after the follower's position, or `snapshot` at an exact time. Asked for each batch. */
  readonly readConcern: () => Document;
}

interface Batch {
  readonly number: CollectionNumber;
  readonly collection: CatalogCollection;
  readonly ids: readonly Buffer[];
}

const IDS_AT_ONCE = 500;
const ID_BYTES_AT_ONCE = 1024 * 1024;
const NAMESPACE_NOT_FOUND = 26;
const TRIES = 10;

/**
 * One pass over all ids that must be read again. Ids touched while it runs are for the next pass.
 * @returns collections that the server no longer has; their ids stay to be read
 */
export async function rereadTouched(context: CaptureContext, options: RereadOptions): Promise<ReadonlySet<CollectionNumber>> {
  const gone = new Set<CollectionNumber>();
  let after: { readonly collection: CollectionNumber; readonly id: Uint8Array } | null = null;
  for (;;) {
    throwIfAborted(context.signal);
    const found = options.touched.fresh(after, IDS_AT_ONCE);
    if (found === null) return gone;
    const ids = firstWithin(found.ids, ID_BYTES_AT_ONCE);
    after = { collection: found.collection, id: ids[ids.length - 1] as Buffer };
    const collection = options.collectionOf(found.collection);
    if (collection === null) options.touched.together(() => options.touched.setFresh(found.collection, ids, false));
    if (collection === null || gone.has(found.collection)) continue;
    const there = await rereadBatch(context, options, { number: found.collection, collection, ids });
    if (!there) gone.add(found.collection);
    context.watch.beat();
  }
}

/** False when the collection is gone. */
async function rereadBatch(context: CaptureContext, options: RereadOptions, batch: Batch): Promise<boolean> {
  const { touched } = options;
  // Before the read: what touches them again from here on marks them again.
  touched.together(() => touched.setFresh(batch.number, batch.ids, false));
  for (let attempt = 1; ; attempt += 1) {
    const { generation } = context.source;
    try {
      await readBatch(context, options, batch);
      return true;
    } catch (error) {
      throwIfAborted(context.signal);
      if (isTransient(error) && attempt < TRIES) {
        await context.source.recover(generation);
        continue;
      }
      touched.together(() => touched.setFresh(batch.number, batch.ids, true));
      if (serverCode(error) === NAMESPACE_NOT_FOUND) return false;
      throw error;
    }
  }
}

async function readBatch({ source }: CaptureContext, options: RereadOptions, batch: Batch): Promise<void> {
  const { collection } = batch;
  const missing = new Map(batch.ids.map((id) => [id.toString('latin1'), id]));
  let reply = await source.open(collection.db, {
    find: uuidBinary(collection.uuid),
    filter: idFilter(batch.ids),
    readConcern: options.readConcern(),
    batchSize: IDS_AT_ONCE,
  });
  const cursor = { id: reply.cursorId, collection: reply.namespace.slice(reply.namespace.indexOf('.') + 1) };
  for (;;) {
    const documents = [...documentsOfBatch(reply.batch)];
    options.touched.together(() => {
      for (const document of documents) keep(options.touched, { batch, document, missing });
    });
    if (reply.cursorId === 0n) break;
    reply = await source.more(collection.db, cursor, { batchSize: IDS_AT_ONCE });
  }
  options.touched.together(() => {
    for (const id of missing.values()) options.touched.setPatch(batch.number, id, null);
  });
}

/**
 * A query finds equals: 1 and 1.0, or `a` and `A` under a collation. Only the same bytes are the same document; an
 * equal one that was written since T0 is touched under its own bytes.
 */
function keep(touched: TouchedTable, found: { readonly batch: Batch; readonly document: Buffer; readonly missing: Map<string, Buffer> }): void {
  const id = rawId(found.document);
  const key = id?.toString('latin1') ?? '';
  if (id === null || !found.missing.delete(key)) return;
  touched.setPatch(found.batch.number, id, found.document);
}

function firstWithin(ids: readonly Buffer[], bytes: number): readonly Buffer[] {
  let sum = 0;
  const end = ids.findIndex((id) => (sum += id.length) > bytes);
  return end <= 0 ? (end === 0 ? ids.slice(0, 1) : ids) : ids.slice(0, end);
}
