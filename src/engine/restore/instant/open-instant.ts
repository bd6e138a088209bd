// What a restore to an instant knows before it writes a byte: that base and kept oplog reach the border without a gap,
// what exists there, and every operation that leads to it, in a private table.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { isLeafvaultError } from '../../../foundation/errors.ts';
import type { KeptInstant, RestoreOptions, SnapshotBody } from '../../contracts.ts';
import { createLeftOut, createOperationsTable, readWindow, refuseBeforeBase, refuseUnmatched, settleLeftOut, type CollectionLeftOut, type LeftOutCommand, type CollectionNumber, type OperationsTable, type ReplayWindow } from '../../replay/index.ts';
import type { CollectionEntry } from '../../snapshot/index.ts';
import type { ProgressTally } from '../progress-tally.ts';
import { baseCatalog } from './base-catalog.ts';
import { borderEntries, type BorderEntries } from './border-entries.ts';
import { checkBase, type Base } from './check-base.ts';
import { followSlices } from './follow-slices.ts';
import { createMetIds, type MetIds } from './met-ids.ts';
import { capturedSelection } from '../select-entries.ts';

/** What a restore leaves out. */
export interface InstantLeftOut {
  readonly collections: ReadonlyMap<CollectionNumber, CollectionLeftOut>;
  readonly commands: readonly LeftOutCommand[];
  /** Operations that were taken for applicable and did not fit when their document was seen. */
  skippedLater: number;
}

export interface Instant extends BorderEntries {
  readonly border: ClusterTime;
  readonly table: OperationsTable;
  readonly window: ReplayWindow;
  readonly met: MetIds;
  readonly leftOut: InstantLeftOut | null;
  /** Private; removed by `close`. */
  readonly folder: string;
  /** Where the table has the operations on an entry's documents; null when there are none. */
  numberOf(entry: CollectionEntry): CollectionNumber | null;
  /** Removes what lies on disk. Safe to call twice. */
  close(): Promise<void>;
}

type InstantOptions = Pick<RestoreOptions, 'root' | 'tempDir' | 'signal'> & { readonly instant: KeptInstant; readonly tally: ProgressTally };

/**
 * @param entries of the base
 * @throws RESTORE_BASE_UNSUITABLE, RESTORE_INSTANT_OUTSIDE, REPLAY_*, REPOSITORY_CHAIN_*
 */
export async function openInstant(options: InstantOptions, entries: readonly CollectionEntry[]): Promise<Instant> {
  const body = options.root.body as unknown as SnapshotBody;
  const base = checkBase(body, entries, options.instant);
  refuseBeforeBase(options.instant.leaveOut?.what ?? [], base.at);
  try {
    return await readInstant(options, entries, { base, behind: base.beganAt });
  } catch (error) {
    // It began before the snapshot did; its parts may lie further back.
    if (!isLeafvaultError(error, 'REPLAY_TRANSACTION_CUT')) throw error;
    return readInstant(options, entries, { base, behind: null });
  }
}

async function readInstant(options: InstantOptions, entries: readonly CollectionEntry[], { base, behind }: { readonly base: Base; readonly behind: ClusterTime | null }): Promise<Instant> {
  const { instant: { border }, signal } = options;
  const folder = await mkdtemp(join(options.tempDir, 'instant-'));
  const table = createOperationsTable(join(folder, 'operations'));
  const met = createMetIds(join(folder, 'met'));
  let open = true;
  const close = async (): Promise<void> => {
    if (open) for (const each of [table, met]) each.close();
    open = false;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { leaveOut } = options.instant;
    const leftOut = leaveOut === undefined ? null : createLeftOut(leaveOut.what);
    const window = await readWindow({
      slices: told(followSlices(options.instant.slices({ behind, signal }), { base: base.at, border }), options.tally),
      after: base.at, border, base: baseCatalog(entries), table, signal, ...(leftOut === null ? {} : { leftOut }),
    });
    if (leftOut !== null) refuseUnmatched(leftOut);
    const body = options.root.body as unknown as SnapshotBody;
    const collections = leftOut === null ? null : await settleLeftOut(table, signal);
    return {
      ...borderEntries(entries, capturedSelection(body), window, table), border, table, window, met, folder, close,
      leftOut: collections === null || leftOut === null ? null : { collections, commands: leftOut.commands, skippedLater: 0 },
      numberOf: ({ body: { uuid } }) => (uuid === null ? null : window.numberOf(uuid)),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function* told(slices: AsyncIterable<Uint8Array>, tally: ProgressTally): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const slice of slices) {
    tally.add('local.oplog.rs', 0, slice.length);
    yield slice;
  }
}
