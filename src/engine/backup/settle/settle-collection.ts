// From a scan and what was touched to the settled set: the lists `touched` and `patch`, and the exact hash of what
// is left of the scan plus the patch. docs/design/consistency.md, "Settled hash", gives the reasons.
import { addToHashState, chooseCutMask, copyHashState, createKernel, newHashState, type HashState, type Kernel } from '../../bson/index.ts';
import { isCapped } from '../collections/catalog.ts';
import type { CaptureContext } from '../capture-context.ts';
import type { RecordFile } from '../scan/record-file.ts';
import { settleCapped } from './settle-capped.ts';
import { emptyList, storeDocuments, storeTouched, untouched, type SettleCollection } from './store-lists.ts';
import type { CollectionNumber, TouchedTable } from './touched-table.ts';

/** Ids that one pass over the records takes out: 16 MiB of kernel memory. */
const IDS_AT_ONCE = 1_000_000;

export const settleCollection: SettleCollection = async (context, input) => {
  if (isCapped(input.collection)) return settleCapped(context, input);
  const mask = input.scan?.mask ?? chooseCutMask(1024);
  const state = input.scan === null ? newHashState() : copyHashState(input.scan.state);
  if (input.touched === null) return { ...(await untouched(context, input.scan, mask)), state };
  const { table, number } = input.touched;
  if (input.scan?.records !== null && input.scan !== null && table.touchedCount(number) > 0) {
    await subtractTouched(context, { records: input.scan.records, table, number, state });
  }
  const touched = await storeTouched(context, table.touched(number));
  const patch = await storeDocuments(context, table.patch(number), mask);
  addToHashState(state, patch.state);
  return { scan: input.scan?.list ?? (await emptyList(context)), touched, patch: patch.list, state, mask };
};

interface Subtraction {
  readonly records: RecordFile;
  readonly table: TouchedTable;
  readonly number: CollectionNumber;
  readonly state: HashState;
}

/** Takes every scanned document whose `_id` was touched, each time it came, out of the sums. */
async function subtractTouched(context: CaptureContext, subtraction: Subtraction): Promise<void> {
  const parts = Math.ceil(subtraction.table.touchedCount(subtraction.number) / IDS_AT_ONCE);
  const capacity = Math.ceil(subtraction.table.touchedCount(subtraction.number) / parts) + 64;
  for (let part = 0; part < parts; part += 1) {
    // Parts are by hash, so that ids of one hash are in one part and no record is taken out twice.
    const kernel = createKernel(context.hashSeed, parts === 1 ? capacity : capacity * 2);
    fillSet(kernel, subtraction, { part, parts });
    for await (const block of subtraction.records.blocks()) {
      kernel.subtractMembers(block, subtraction.state);
      context.watch.beat();
      context.signal.throwIfAborted();
    }
  }
}

function fillSet(kernel: Kernel, { table, number }: Subtraction, { part, parts }: { readonly part: number; readonly parts: number }): void {
  for (const id of table.touched(number)) {
    if (parts === 1 || Number(kernel.idHash(id) % BigInt(parts)) === part) kernel.addToSet(id);
  }
}
