// Capped collections: order is part of what they hold, and they can't be read at a past time. Their settled set is
// the scan without everything that was written since it began, then what was inserted since, in the oplog's order.
import { LeafvaultError } from '../../../foundation/errors.ts';
import { chooseCutMask, createKernel, newHashState, type HashState } from '../../bson/index.ts';
import { joinNamespace, showNamespace } from '../../mongo/index.ts';
import type { CaptureContext } from '../capture-context.ts';
import type { Scan } from '../scan/scan-collection.ts';
import { emptyList, storeDocuments, storeTouched, untouched, type SettledCollection, type SettleInput } from './store-lists.ts';
import type { CollectionNumber, TouchedTable } from './touched-table.ts';

export async function settleCapped(context: CaptureContext, input: SettleInput): Promise<SettledCollection> {
  const mask = input.scan?.mask ?? chooseCutMask(1024);
  const { touched } = input;
  if (touched === null || touched.table.cappedCount(touched.number) === 0) {
    return { ...(await untouched(context, input.scan, mask)), state: input.scan?.state ?? newHashState() };
  }
  if (touched.table.hasCappedUpdate(touched.number)) throw cappedBusy(input);
  const ids = writtenIds(touched.table, touched.number);
  const state = newHashState();
  if (input.scan !== null) await keepUnwritten(context, { scan: input.scan, ids, state });
  const patch = await storeDocuments(context, remaining(touched.table, touched.number), mask);
  // The order of the whole is that of the scan, then that of the patch: hash it as one stream.
  await foldPatch(context, { state, documents: remaining(touched.table, touched.number) });
  return { scan: input.scan?.list ?? (await emptyList(context)), touched: await storeTouched(context, ids), patch: patch.list, state, mask };
}

/** Ids that were inserted or deleted since the scan began, sorted by their bytes. */
function writtenIds(table: TouchedTable, number: CollectionNumber): readonly Buffer[] {
  const ids = new Map<string, Buffer>();
  for (const op of table.cappedOps(number)) if (op.id.length > 0) ids.set(op.id.toString('latin1'), op.id);
  return [...ids.values()].sort(Buffer.compare);
}

/** Documents inserted since the scan began that nobody deleted again, in the order of their insertion. */
function* remaining(table: TouchedTable, number: CollectionNumber): Generator<Buffer> {
  const lastInsert = new Map<string, number>();
  for (const op of table.cappedOps(number)) {
    const key = op.id.toString('latin1');
    if (op.kind === 'insert') lastInsert.set(key, op.sequence);
    else lastInsert.delete(key);
  }
  for (const op of table.cappedOps(number)) {
    if (op.document !== null && lastInsert.get(op.id.toString('latin1')) === op.sequence) yield op.document;
  }
}

async function keepUnwritten(context: CaptureContext, kept: { readonly scan: Scan; readonly ids: readonly Buffer[]; readonly state: HashState }): Promise<void> {
  const kernel = createKernel(context.hashSeed, kept.ids.length + 1);
  for (const id of kept.ids) kernel.addToSet(id);
  for await (const block of kept.scan.records?.blocks() ?? []) {
    kernel.addNonMembers(block, kept.state);
    context.signal.throwIfAborted();
  }
}

async function foldPatch(context: CaptureContext, fold: { readonly state: HashState; readonly documents: Iterable<Buffer> }): Promise<void> {
  for (const document of fold.documents) {
    context.kernel.frame(document, { state: fold.state, onSlice: () => undefined });
    context.signal.throwIfAborted();
  }
}

export function cappedBusy({ collection }: Pick<SettleInput, 'collection'>): LeafvaultError {
  const namespace = showNamespace(joinNamespace(collection.db, collection.name));
  return new LeafvaultError('CAPTURE_CAPPED_BUSY', `Settling ${namespace} failed: documents of this capped collection are updated in place all the time`, {
    details: { namespace },
    retryable: true,
    hint: 'Take the snapshot when this collection is only appended to',
  });
}
