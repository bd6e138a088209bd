// Writes what was settled as entries of the snapshot: collections, time series, users, roles, then views.
import type { ChunkList, SnapshotEntry } from '../../repository/repository.ts';
import type { CaptureOptions, CollectionBody } from '../contracts.ts';
import { bytesOf, documentsOf, hashOf, orderedHashOf } from '../bson/index.ts';
import { joinNamespace } from '../mongo/index.ts';
import type { CaptureContext } from './capture-context.ts';
import { isCapped, isTemporary } from './collections/catalog.ts';
import type { ChosenCollection } from './collections/choose-collections.ts';
import { describeCollection, describeView } from './collections/describe-collection.ts';
import { missingNames } from './collections/missing-names.ts';
import type { Scans } from './scan/scan-pending.ts';
import type { ViewDefinition } from './settle/read-instant.ts';
import type { SettleCollection, SettledCollection, SettleInput } from './settle/store-lists.ts';

export interface EntriesInput {
  readonly chosen: readonly ChosenCollection[];
  readonly views: readonly ViewDefinition[];
  readonly scans: Scans;
  /** Null for a collection when nobody followed the oplog. */
  readonly touchedOf: (uuid: string) => SettleInput['touched'];
  readonly settle: SettleCollection;
  readonly selection: CaptureOptions['selection'];
}

export interface EntryTotals {
  readonly collections: number;
  readonly documents: number;
  readonly bytes: number;
  /** What was to be taken and is not there. */
  readonly missing: readonly string[];
}

export async function storeEntries(context: CaptureContext, input: EntriesInput): Promise<EntryTotals> {
  const named = input.chosen.filter(({ collection }) => !isTemporary(collection)).map(({ collection: { db }, name }) => ({ db, name }));
  const totals = { collections: 0, documents: 0, bytes: 0, missing: missingNames(input.selection, [...named, ...input.views]) };
  for (const chosen of input.chosen) {
    const settled = await input.settle(context, { collection: chosen.collection, scan: input.scans.get(chosen.collection.uuid) ?? null, touched: input.touchedOf(chosen.collection.uuid) });
    await context.writer.addEntry(entryOf(chosen, settled));
    if (!isTemporary(chosen.collection)) {
      totals.collections += 1;
      totals.documents += documentsOf(settled.state);
      totals.bytes += bytesOf(settled.state);
    }
    context.watch.beat();
    context.signal.throwIfAborted();
  }
  for (const view of input.views) await context.writer.addEntry(viewEntry(view));
  return totals;
}

function entryOf(chosen: ChosenCollection, settled: SettledCollection): SnapshotEntry {
  const { collection, name } = chosen;
  const capped = isCapped(collection);
  const body: CollectionBody = {
    ...describeCollection(chosen),
    ...(isTemporary(collection) ? { temporary: true } : {}),
    documents: documentsOf(settled.state),
    bytes: bytesOf(settled.state),
    hash: hashOf(settled.state),
    capped,
    orderedHash: capped ? orderedHashOf(settled.state) : null,
    cutMask: settled.mask,
  };
  const lists: Record<string, ChunkList> = { scan: settled.scan, touched: settled.touched, patch: settled.patch };
  return { name: joinNamespace(collection.db, name), body: { ...body }, lists };
}

function viewEntry(view: ViewDefinition): SnapshotEntry {
  return { name: joinNamespace(view.db, view.name), body: { ...describeView(view) }, lists: {} };
}
