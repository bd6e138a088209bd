// Loads the shadows: settled documents of the snapshot as raw inserts, several collections and inserts at once.
// Every document is hashed on the way and the sums compared with the capture's (promise 4).
import { throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { insertRaw, type RawInsertTarget } from '../mongo/raw-insert.ts';
import { checkSettled, readSettled, type Expected, type SettledBatch } from '../snapshot/index.ts';
import { majorityBarrier } from './barrier.ts';
import { COLLECTIONS_AT_ONCE, type Load, type RestoreContext } from './context.ts';
import { eachBounded } from './each-bounded.ts';
import { openFold } from './instant/open-fold.ts';
import { createInsertSlots, type InsertSlots } from './insert-slots.ts';

/** Secondaries and readers of the oplog are never further behind than this because of a load. */
const BARRIER_BYTES = 256 * 1024 * 1024;
const INSERTS_AT_ONCE = 4;
const BYTES_AT_ONCE = 64 * 1024 * 1024;

/**
 * Ends with a majority barrier: what it wrote can't be rolled back any more.
 * @throws SNAPSHOT_CONTENT_MISMATCH, REPOSITORY_CHUNK_*, RESTORE_DOCUMENT_REFUSED, RESTORE_WRITE_FAILED
 */
export async function loadShadows(context: RestoreContext): Promise<void> {
  const { target, loads, tally, plan, store } = context;
  const slots = createInsertSlots({
    inserts: INSERTS_AT_ONCE, bytes: BYTES_AT_ONCE, barrierBytes: BARRIER_BYTES,
    barrier: async () => {
      // Fenced: a worker that lost its lease would make the collections anew that another one has dropped.
      await store.hold(plan);
      await majorityBarrier(target, plan.restoreId);
    },
  });
  const electedBefore = await target.electionId();
  tally.begin('load', totalsOf(loads.map(({ entry }) => entry.body)));
  // What was taken over is committed already.
  for (const { entry, step } of loads.filter(({ loaded }) => loaded !== null)) tally.add(step.from, entry.body.documents, entry.body.bytes);
  const fresh = loads.filter(({ loaded }) => loaded === null);
  await eachBounded(largestFirst(fresh), COLLECTIONS_AT_ONCE, async (load) => {
    await loadOne(context, load, slots, false);
    load.loaded = { committed: false, electionId: electedBefore };
  });
  await majorityBarrier(target, plan.restoreId);
  if ((await target.electionId()) !== electedBefore) await loadAgain(context, slots, fresh);
  else for (const load of fresh) load.loaded = { committed: true, electionId: electedBefore };
}

export function totalsOf(contents: readonly Pick<Expected, 'documents' | 'bytes'>[]): { readonly documents: number; readonly bytes: number } {
  return { documents: contents.reduce((sum, { documents }) => sum + documents, 0), bytes: contents.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** A large collection that begins last would run alone at the end. */
export function largestFirst(loads: readonly Load[]): Load[] {
  return loads.toSorted((a, b) => b.entry.body.bytes - a.entry.body.bytes);
}

/** The primary changed: what the old one acknowledged alone may be gone. What is there is passed over. */
async function loadAgain(context: RestoreContext, slots: InsertSlots, loads: readonly Load[]): Promise<void> {
  const { tally, options, target, plan } = context;
  options.log.warn('The primary of the target changed while documents were written; writing again what may have been lost');
  const capped = loads.filter(({ entry }) => entry.body.capped);
  if (capped.length > 0) {
    throw new LeafvaultError('RESTORE_WRITE_FAILED', `Loading ${capped[0]?.step.from} failed: the primary of the target changed, and a capped collection can't be completed afterwards`, {
      retryable: true, hint: 'Try again; the next attempt begins with empty collections',
    });
  }
  tally.begin('load', totalsOf(loads.map(({ entry }) => entry.body)));
  await eachBounded(loads, COLLECTIONS_AT_ONCE, (load) => loadOne(context, load, slots, true));
  await majorityBarrier(target, plan.restoreId);
}

async function loadOne(context: RestoreContext, load: Load, slots: InsertSlots, resend: boolean): Promise<void> {
  const { options, tally } = context;
  const { entry, step } = load;
  const into = insertTarget(context, load);
  const settled = readSettled(entry, { reader: options.reader, hashSeed: options.hashSeed, tempDir: options.tempDir, signal: options.signal });
  // What is sent again was folded before.
  const fold = resend ? null : await openFold(context, load);
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const start = (batch: SettledBatch): void => {
    const one = insertRaw(into, batch, { signal: options.signal, resend })
      .then(() => tally.add(step.from, batch.documents, batch.bytes))
      .catch((error: unknown) => { failure ??= { error }; })
      .finally(() => {
        running.delete(one);
        slots.give(batch.bytes);
      });
    running.add(one);
  };
  try {
    for await (const batch of settled.batches) {
      await slots.take(batch.bytes);
      start(batch);
      fold?.take(batch);
      // The order of a capped collection is its content.
      if (entry.body.capped) await Promise.all(running);
      if (failure !== undefined) break;
      throwIfAborted(options.signal);
    }
    await Promise.all(running);
    if (failure !== undefined) throw failure.error;
    const content = checkSettled(entry, settled.state);
    step.proven = { documents: content.documents, bytes: content.bytes, hash: content.hash };
    if (fold !== null) load.expected = await fold.finish(settled.state);
  } finally {
    await Promise.all(running);
    await fold?.close();
  }
}

/** Where raw documents of a load go. */
export function insertTarget({ target, makeSequence }: RestoreContext, { entry, step, collection }: Load): RawInsertTarget {
  return {
    db: target.db(step.db), collection, label: step.from, makeSequence, ordered: entry.body.capped,
    maxDocumentBytes: target.facts.maxDocumentBytes,
  };
}
