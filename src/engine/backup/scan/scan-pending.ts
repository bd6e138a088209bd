// Scans every wanted collection that is not there yet, several at once: the largest first, capped ones last (what is
// written to them while they wait need not be kept).
import { joinNamespace, showNamespace } from '../../mongo/index.ts';
import { bytesOf, documentsOf, newHashState, type HashState } from '../../bson/index.ts';
import { decodeState } from '../rest/rest-document.ts';
import { isCapped, type CatalogCollection } from '../collections/catalog.ts';
import type { ChosenCollection } from '../collections/choose-collections.ts';
import { uuidOf } from '../collections/list-catalog.ts';
import type { CaptureContext } from '../capture-context.ts';
import { runAtOnce } from '../run-at-once.ts';
import type { PreviousSnapshot } from '../previous-snapshot.ts';
import { isPrivilegeMissing } from '../source.ts';
import { estimateSize, type SizeEstimate } from './estimate-size.ts';
import { scanCollection, type KeptBefore, type Scan, type ScanOptions, type ScanUnderWay } from './scan-collection.ts';

export type Scans = Map<string, Scan>;

export interface ScanPendingOptions {
  readonly scans: Scans;
  /** What the snapshot before has of a collection. */
  readonly before: PreviousSnapshot['collection'];
  readonly begin: (uuid: string) => ReturnType<ScanOptions['begin']>;
  /** The collection was gone when it was to be read, though its drop may not be part of the majority's oplog yet. */
  readonly gone: (uuid: string) => void;
  readonly keepRecords: boolean;
  /** Users and roles that the account may not read: left out, and said so. */
  readonly refused: Set<string>;
  /** Of an attempt before this one. */
  readonly kept?: KeptScans | null;
  /** Scans that read now; what ended in the middle stays. */
  readonly underWay?: Map<string, ScanUnderWay>;
}

export interface KeptScans extends Omit<KeptBefore, 'kept'> {
  /** Those that were not taken over yet. */
  readonly scans: Map<string, KeptBefore['kept']>;
}

interface Task {
  readonly chosen: ChosenCollection;
  readonly size: SizeEstimate;
}

export async function scanPending(context: CaptureContext, pending: readonly ChosenCollection[], options: ScanPendingOptions): Promise<void> {
  const tasks: Task[] = [];
  await runAtOnce(pending, context.collectionsAtOnce, async (chosen) => {
    tasks.push({ chosen, size: await estimateSize(context, chosen.collection) });
    context.watch.beat();
  });
  const documents = (task: Task): number => documentsOf(keptOf(task, options));
  const bytes = (task: Task): number => bytesOf(keptOf(task, options));
  context.watch.expectTotals(
    total(tasks, (task) => Math.max(task.size.documents, documents(task))), total(tasks, (task) => Math.max(task.size.bytes, bytes(task))),
    { documents: total(tasks, documents), bytes: total(tasks, bytes) },
  );
  tasks.sort((a, b) => rank(a) - rank(b) || b.size.bytes - a.size.bytes);
  await runAtOnce(tasks, context.collectionsAtOnce, async (task) => scanOne(context, task, options));
}

async function scanOne(context: CaptureContext, { chosen, size }: Task, options: ScanPendingOptions): Promise<void> {
  const { collection } = chosen;
  const before = options.before(collection.uuid, joinNamespace(collection.db, chosen.name));
  const mask = keepMask(before?.mask ?? null, size);
  await options.scans.get(collection.uuid)?.records?.clear();
  options.scans.delete(collection.uuid);
  try {
    const scan = await scanCollection(context, {
      uuid: uuidOf(collection),
      db: collection.db,
      name: collection.name,
      label: showNamespace(joinNamespace(collection.db, chosen.name)),
      mask,
      old: mask === null || !context.deltas ? null : (before?.chunks ?? null),
      averageBytes: size.averageBytes,
    }, {
      begin: () => {
        // Not good any more, or the scan was interrupted where it can't go on.
        options.kept?.scans.delete(collection.uuid);
        options.underWay?.delete(collection.uuid);
        return options.begin(collection.uuid);
      },
      keepRecords: options.keepRecords,
      kept: keptBefore(options.kept ?? null, collection.uuid),
      onReading: (reading) => void options.underWay?.set(collection.uuid, reading),
    });
    options.underWay?.delete(collection.uuid);
    options.kept?.scans.delete(collection.uuid);
    if (scan === null) options.gone(collection.uuid);
    else options.scans.set(collection.uuid, scan);
  } catch (error) {
    if (!isPrivilegeMissing(error) || (chosen.kind !== 'users' && chosen.kind !== 'roles')) throw error;
    options.refused.add(collection.uuid);
    context.log.warn({ kind: chosen.kind }, 'the account may not read these: the snapshot is without them');
  }
}

function keptBefore(kept: KeptScans | null, uuid: string): KeptBefore | null {
  const scan = kept?.scans.get(uuid);
  return kept === null || scan === undefined ? null : { kept: scan, reader: kept.reader, generation: kept.generation };
}

/** What of it need not be read. */
function keptOf({ chosen }: Task, { kept }: ScanPendingOptions): HashState {
  const scan = kept?.scans.get(chosen.collection.uuid);
  return scan === undefined ? newHashState() : decodeState(scan.state);
}

/**
 * The mask of the snapshot before stays, however the average size drifts, because a new one moves every boundary; only
 * where chunks would be out of all proportion it is chosen anew.
 */
function keepMask(mask: number | null, { averageBytes }: SizeEstimate): number | null {
  if (mask === null || averageBytes === null) return mask;
  const expected = (mask + 1) * averageBytes;
  const least = mask === 0 ? 0 : 4 * 1024;
  return expected >= least && (expected <= 1024 * 1024 || mask === 0) ? mask : null;
}

function rank({ chosen }: Task): number {
  return isCapped(chosen.collection as CatalogCollection) ? 1 : 0;
}

function total(tasks: readonly Task[], of: (task: Task) => number): number {
  return tasks.reduce((sum, task) => sum + of(task), 0);
}
