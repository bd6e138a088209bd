// Reads the oplog between two positions once: folds its commands into the catalog of collections, and keeps what it
// does to documents in the table of operations (docs/design/continuous-backup.md, "Restoring to an instant").
import { compareClusterTimes, type ClusterTime } from '../../domain/cluster-time.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { throwIfAborted } from '../../foundation/abort.ts';
import { isCapped, isTemporary, type Catalog, type CatalogCollection } from '../backup/collections/catalog.ts';
import { foldCommand } from '../backup/collections/fold-command.ts';
import type { CommandOp, OplogEntry, WriteOp } from '../backup/oplog/oplog-entry.ts';
import { isVersionDocument } from '../backup/oplog/oplog-journal.ts';
import { showClusterTime } from '../mongo/index.ts';
import { operationsOfWrite } from './operations-of-write.ts';
import type { CollectionNumber, OperationsTable } from './operations-table.ts';
import { createReplayTransactions } from './replay-transactions.ts';
import { orUnknown, splitEntries, unknownReplay } from './split-entries.ts';

export interface ReadWindowOptions {
  /** Raw oplog entries side by side, slice by slice; they may begin before `after` and go on behind `border`. */
  readonly slices: AsyncIterable<Uint8Array>;
  /** The instant of the base: entries up to and including it are in the base already. */
  readonly after: ClusterTime;
  /** Entries up to and including it count. */
  readonly border: ClusterTime;
  /** The base's collections; copied, not changed. */
  readonly base: Iterable<CatalogCollection>;
  readonly table: OperationsTable;
  readonly signal?: AbortSignal;
  /** Told after each slice. */
  readonly onProgress?: (counts: WindowCounts) => void;
}

export interface WindowCounts {
  /** Entries that count, of any kind. */
  entries: number;
  insert: number;
  update: number;
  delete: number;
  command: number;
  committed: number;
  aborted: number;
}

/** What a window makes of its base. */
export interface ReplayWindow {
  /** Collections that exist at the border, those that a server had for a while only left out. */
  readonly collections: readonly CatalogCollection[];
  /** Where the table keeps the operations of a collection; null when none of it was touched. */
  numberOf(uuid: string): CollectionNumber | null;
  readonly counts: Readonly<WindowCounts>;
  /** Writes on collections that are neither in the base nor created in the window, by namespace. */
  readonly unlisted: ReadonlyMap<string, number>;
  /** Transactions with parts up to the border and no end by then; nothing of them counts. */
  readonly openTransactions: number;
  /** Time of the last entry that counts. */
  readonly last: ClusterTime | null;
}

/**
 * Reads slices until the border.
 * @throws LeafvaultError REPLAY_WINDOW_BROKEN, REPLAY_TRANSACTION_CUT, REPLAY_FCV_CHANGED, REPLAY_OPERATION_UNKNOWN, BSON_MALFORMED
 */
export async function readWindow(options: ReadWindowOptions): Promise<ReplayWindow> {
  const { after, border, table, signal, onProgress } = options;
  const catalog: Catalog = new Map([...options.base].map((each) => [each.uuid, { ...each, indexes: new Map(each.indexes) }]));
  const state = createWindowState(catalog, table);
  let before: ClusterTime | null = null;
  for await (const slice of options.slices) {
    throwIfAborted(signal);
    let ended = false;
    table.together(() => {
      for (const entry of splitEntries(slice, before)) {
        before = entry.time;
        ended = compareClusterTimes(entry.time, border) > 0;
        if (ended) return;
        if (compareClusterTimes(entry.time, after) > 0) state.count(entry);
        else state.passBy(entry);
      }
    });
    onProgress?.(state.counts);
    if (ended) break;
  }
  return {
    collections: [...catalog.values()].filter((collection) => !isTemporary(collection)),
    numberOf: (uuid) => state.numbers.get(uuid) ?? null,
    counts: state.counts, unlisted: state.unlisted, openTransactions: state.openTransactions(), last: state.last(),
  };
}

function createWindowState(catalog: Catalog, table: OperationsTable) {
  const numbers = new Map<string, CollectionNumber>();
  const uuids = new Map<CollectionNumber, string>();
  /** Last name of collections that are not in the catalog, for the report. */
  const names = new Map<string, string>();
  const unlisted = new Map<string, number>();
  const counts: WindowCounts = { entries: 0, insert: 0, update: 0, delete: 0, command: 0, committed: 0, aborted: 0 };
  let last: ClusterTime | null = null;

  const numberOf = (uuid: string): CollectionNumber => {
    const known = numbers.get(uuid);
    if (known !== undefined) return known;
    const number = numbers.size + 1;
    numbers.set(uuid, number);
    uuids.set(number, uuid);
    return number;
  };
  const numberOfWrite = (op: WriteOp): CollectionNumber => {
    if (!catalog.has(op.uuid)) names.set(op.uuid, op.namespace);
    return numberOf(op.uuid);
  };
  const transactions = createReplayTransactions(table, numberOfWrite);

  const applyCommand = (op: CommandOp, time: ClusterTime): void => {
    counts.command += 1;
    const before = catalog.size;
    orUnknown(() => foldCommand(catalog, op, time));
    if (catalog.size >= before) return;
    for (const [uuid, number] of numbers) if (!catalog.has(uuid)) table.forget(number);
  };
  const addUnlisted = (namespace: string, operations: number): void => void unlisted.set(namespace, (unlisted.get(namespace) ?? 0) + operations);
  const applyWrite = (op: WriteOp, time: ClusterTime): void => {
    if (isVersionDocument(op)) throw versionChanged(time);
    counts[op.kind] += 1;
    const collection = catalog.get(op.uuid);
    if (collection === undefined) {
      addUnlisted(op.namespace, 1);
      return;
    }
    const ordered = isCapped(collection);
    if (op.id === null && !ordered) throw unknownReplay({ operation: `"${op.kind}" without an _id`, namespace: op.namespace, time });
    // What a capped collection holds keeps its place, so there a change of bytes of `_id` stays an update, and is refused.
    const operations = ordered ? [{ kind: op.kind, id: op.id ?? Buffer.alloc(0), object: op.object }] : operationsOfWrite(op);
    for (const operation of operations) table.add(numberOf(op.uuid), operation, { time, ordered });
  };
  const applyOperations = ({ operations, time }: OplogEntry): void => {
    for (const op of operations) if (op.kind === 'command') applyCommand(op, time); else applyWrite(op, time);
  };
  const commitParts = (number: CollectionNumber, key: string, time: ClusterTime): void => {
    const uuid = uuids.get(number) ?? '';
    const collection = catalog.get(uuid);
    const tally = table.tallyParts(key, number);
    for (const kind of ['insert', 'update', 'delete'] as const) counts[kind] += tally[kind];
    if (collection === undefined) addUnlisted(names.get(uuid) ?? uuid, tally.insert + tally.update + tally.delete);
    else table.commitParts(key, number, { time, ordered: isCapped(collection) });
  };
  return {
    counts, numbers, unlisted,
    last: () => last,
    openTransactions: () => transactions.pending,
    /** An entry that the base holds already: only what it says of transactions that end later matters. */
    passBy(entry: OplogEntry): void {
      if (entry.transaction?.step === 'open') transactions.open(entry, entry.transaction);
      else if (entry.transaction !== null) transactions.drop(entry.transaction);
    },
    count(entry: OplogEntry): void {
      counts.entries += 1;
      last = entry.time;
      const part = entry.transaction;
      if (part === null) applyOperations(entry);
      else if (part.step === 'open') transactions.open(entry, part);
      else if (part.step === 'abort') {
        counts.aborted += 1;
        transactions.drop(part);
      } else {
        counts.committed += 1;
        transactions.commit(entry, part, {
          command: (op) => applyCommand(op, entry.time),
          collection: (number) => commitParts(number, part.key, entry.time),
        });
        applyOperations(entry);
      }
    },
  };
}

function versionChanged(position: ClusterTime): LeafvaultError {
  return new LeafvaultError('REPLAY_FCV_CHANGED', `Reading the window failed at ${showClusterTime(position)}: the feature compatibility version is being changed`, {
    details: { position },
    hint: 'Restore an instant before the upgrade or downgrade, or from a snapshot taken after it',
  });
}
