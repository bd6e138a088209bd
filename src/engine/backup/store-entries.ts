// Writes what was settled as entries of the snapshot: collections, time series, users, roles, then views.
import type { ChunkList, SnapshotEntry } from '../../repository/repository.ts';
import type { CollectionBody } from '../contracts.ts';
import { bytesOf, documentsOf, filterFields, hashOf, newHashState, orderedHashOf, rawArray, rawDocument } from '../bson/index.ts';
import { joinNamespace } from '../mongo/index.ts';
import type { CaptureContext } from './capture-context.ts';
import { EMPTY_DOCUMENT, isCapped } from './collections/catalog.ts';
import type { ChosenCollection } from './collections/choose-collections.ts';
import { uuidOf } from './collections/list-catalog.ts';
import { seriesIndex } from './collections/time-series-indexes.ts';
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
}

export interface EntryTotals {
  readonly collections: number;
  readonly documents: number;
  readonly bytes: number;
}

export async function storeEntries(context: CaptureContext, input: EntriesInput): Promise<EntryTotals> {
  const totals = { collections: 0, documents: 0, bytes: 0 };
  for (const chosen of input.chosen) {
    const settled = await input.settle(context, { collection: chosen.collection, scan: input.scans.get(chosen.collection.uuid) ?? null, touched: input.touchedOf(chosen.collection.uuid) });
    await context.writer.addEntry(entryOf(chosen, settled));
    totals.collections += 1;
    totals.documents += documentsOf(settled.state);
    totals.bytes += bytesOf(settled.state);
    context.watch.beat();
    context.signal.throwIfAborted();
  }
  for (const view of input.views) await context.writer.addEntry(viewEntry(view));
  return totals;
}

function entryOf({ collection, kind, name }: ChosenCollection, settled: SettledCollection): SnapshotEntry {
  const options = kind === 'timeseries' ? timeSeriesOptions(collection.options) : collection.options;
  const specifications = [...collection.indexes.values()];
  const indexes = kind === 'timeseries' ? specifications.map((each) => seriesIndex(each, collection.options)) : specifications;
  const capped = isCapped(collection);
  const body: CollectionBody = {
    kind,
    db: collection.db,
    name,
    uuid: uuidOf(collection),
    options: options.toString('base64'),
    indexes: indexesDocument(indexes).toString('base64'),
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

function viewEntry({ db, name, options }: ViewDefinition): SnapshotEntry {
  const body: CollectionBody = {
    kind: 'view', db, name, uuid: null, options: options.toString('base64'), indexes: indexesDocument([]).toString('base64'),
    documents: 0, bytes: 0, hash: hashOf(newHashState()), capped: false, orderedHash: null, cutMask: 0,
  };
  return { name: joinNamespace(db, name), body: { ...body }, lists: {} };
}

/** As `listCollections` states them for the time series: what belongs to the buckets only is left out. */
function timeSeriesOptions(buckets: Buffer): Buffer {
  return filterFields(buckets ?? EMPTY_DOCUMENT, (field) => field.name !== 'validator' && field.name !== 'clusteredIndex');
}

function indexesDocument(specifications: readonly Buffer[]): Buffer {
  return rawDocument([{ name: 'indexes', type: 4, value: rawArray(specifications.map((each) => Buffer.concat([Buffer.of(3), each]))) }]);
}
