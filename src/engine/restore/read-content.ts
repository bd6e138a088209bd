// Reads a collection of the target raw, with majority, and adds up its content.
import { createKernel, newHashState, type HashState } from '../bson/index.ts';
import type { Target } from './open-target.ts';
import { readAgain } from './read-again.ts';

export interface ReadContentOptions {
  readonly db: string;
  readonly collection: string;
  readonly hashSeed: Uint8Array;
  readonly signal?: AbortSignal;
  /** Average of a document, for batches of a size that bounds memory; 1 KiB when it isn't known. */
  readonly documentBytes?: number;
  readonly onBatch?: (documents: number, bytes: number) => void;
  /** What `onBatch` told counts for nothing: it is read again. */
  readonly onAgain?: () => void;
  /** Gets each batch of documents, side by side; the view ends with the call. Waited for. */
  readonly onDocuments?: (documents: Uint8Array, count: number) => Promise<void>;
}

/** Large enough to keep a server busy, small enough for several collections at once within a worker's memory. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** Every document in natural order. What was only added up is read again from its beginning where a cursor was lost. */
export function readContent(target: Target, options: ReadContentOptions): Promise<HashState> {
  if (options.onDocuments !== undefined) return readOnce(target, options);
  return readAgain(() => readOnce(target, options), { signal: options.signal, onAgain: options.onAgain });
}

/** The next batch is under way while one is hashed. */
async function readOnce(target: Target, options: ReadContentOptions): Promise<HashState> {
  const { db, collection } = options;
  const reader = await target.reader();
  const kernel = createKernel(options.hashSeed);
  const state = newHashState();
  const session = target.client.startSession({ causalConsistency: false });
  const read = { session, ...(options.signal === undefined ? {} : { signal: options.signal }) };
  const batchSize = Math.max(1, Math.min(100_000, Math.ceil(BATCH_BYTES / (options.documentBytes ?? 1024))));
  try {
    let reply = await reader.open(db, { find: collection, hint: { $natural: 1 }, readConcern: { level: 'majority' }, batchSize, noCursorTimeout: true }, read);
    for (;;) {
      const next = reply.cursorId === 0n ? null : reader.more(db, { id: reply.cursorId, collection }, { batchSize }, read);
      // Its failure is seen where it is awaited, also when hashing fails first.
      next?.catch(() => undefined);
      const slices: { readonly bytes: Uint8Array; readonly documents: number }[] = [];
      let documents = 0;
      let bytes = 0;
      kernel.frame(reply.batch, {
        array: true,
        state,
        onSlice: (slice) => {
          documents += slice.documents;
          bytes += slice.bytes.length;
          if (options.onDocuments !== undefined) slices.push({ bytes: slice.bytes.slice(), documents: slice.documents });
        },
      });
      for (const slice of slices) await options.onDocuments?.(slice.bytes, slice.documents);
      options.onBatch?.(documents, bytes);
      if (next === null) return state;
      reply = await next;
    }
  } finally {
    await session.endSession().catch(() => undefined);
  }
}
