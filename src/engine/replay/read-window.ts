// Reads the oplog between two positions once: folds its commands into the catalog of collections, and keeps what it
// does to documents in the table of operations (docs/design/continuous-backup.md, "Restoring to an instant").
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../domain/cluster-time.ts';
import type { OperationPlace } from '../../domain/leave-out.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { throwIfAborted } from '../../foundation/abort.ts';
import { EMPTY_DOCUMENT, isCapped, isTemporary, limitsIn, type Catalog, type CatalogCollection } from '../backup/collections/catalog.ts';
import { foldCommand } from '../backup/collections/fold-command.ts';
import { namespaceOf, type CommandOp, type OplogEntry, type WriteOp } from '../backup/oplog/oplog-entry.ts';
import { isVersionDocument } from '../backup/oplog/oplog-journal.ts';
import { rawText } from '../bson/index.ts';
import { joinNamespace, splitNamespace } from '../mongo/index.ts';
import type { LeftOut } from './left-out.ts';
import { operationOfWrite } from './operation-of-write.ts';
import type { CollectionNumber, OperationsTable } from './operations-table.ts';
import { createReplayTransactions } from './replay-transactions.ts';
import { orUnknown, splitEntries, unknownReplay } from './split-entries.ts';

/** Where a database keeps its views. */
const VIEWS = 'system.views';
/** Beyond so many combinations no new one is noted: they serve a warning only. */
const COMBINATIONS = 10_000;

export interface ReadWindowOptions {
  /** Raw oplog entries side by side, slice by slice; they may begin before `after` and go on behind `border`. */
  readonly slices: AsyncIterable<Uint8Array>;
  /** The instant of the base: entries up to and including it are in the base already. */
  readonly after: ClusterTime;
  /** Entries up to and including it count. */
  readonly border: ClusterTime;
  /** The base's collections; copied, not changed. One whose `uuid` is its namespace gets its UUID from the first operation that names it. */
  readonly base: Iterable<CatalogCollection>;
  readonly table: OperationsTable;
  /** What doesn't count although it lies before the border. */
  readonly leftOut?: LeftOut;
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

export interface WrittenTogether {
  readonly uuids: ReadonlySet<string>;
  transactions: number;
  /** When the first of them was committed. */
  readonly first: ClusterTime;
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
  /** Those of them that are there at the border, and others that only a rename told of; `bornAt`: when they were met. */
  readonly strangers: readonly CatalogCollection[];
  /** Which collections transactions wrote to together, each combination once. */
  readonly together: readonly WrittenTogether[];
  /** Transactions with parts up to the border and no end by then; nothing of them counts. */
  readonly openTransactions: number;
  /** UUIDs of capped collections of which a `collMod` lowered a limit. */
  readonly lowered: ReadonlySet<string>;
  /** Time of the last entry that counts. */
  readonly last: ClusterTime | null;
}

/**
 * Reads slices until the border.
 * @throws LeafvaultError RESTORE_LEAVE_OUT_UNSUITABLE, REPLAY_WINDOW_BROKEN, REPLAY_TRANSACTION_CUT, REPLAY_FCV_CHANGED, REPLAY_OPERATION_UNKNOWN, BSON_MALFORMED
 */
export async function readWindow(options: ReadWindowOptions): Promise<ReplayWindow> {
  const { after, border, table, signal, onProgress } = options;
  const catalog: Catalog = new Map([...options.base].map((each) => [each.uuid, { ...each, indexes: new Map(each.indexes) }]));
  const state = createWindowState(catalog, table, options.leftOut ?? null);
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
    counts: state.counts, unlisted: state.unlisted, strangers: [...state.strangers.values()], together: [...state.together.values()], openTransactions: state.openTransactions(), lowered: state.lowered, last: state.last(),
  };
}

function createWindowState(catalog: Catalog, table: OperationsTable, leftOut: LeftOut | null) {
  const numbers = new Map<string, CollectionNumber>();
  const uuids = new Map<CollectionNumber, string>();
  /** Last name of collections that transactions wrote to, as they called them. */
  const names = new Map<string, string>();
  const unlisted = new Map<string, number>();
  const counts: WindowCounts = { entries: 0, insert: 0, update: 0, delete: 0, command: 0, committed: 0, aborted: 0 };
  const strangers: Catalog = new Map();
  const together = new Map<string, WrittenTogether>();
  const lowered = new Set<string>();
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
    names.set(op.uuid, op.namespace);
    return numberOf(op.uuid);
  };
  const transactions = createReplayTransactions(table, numberOfWrite);

  /** A collection that the base lists by its name only: system.views, of which a base keeps the definitions. */
  const adopt = (uuid: string, namespace: string): void => {
    const listed = catalog.get(namespace);
    const { db, name } = splitNamespace(namespace);
    if (listed === undefined && name !== VIEWS) return;
    catalog.delete(namespace);
    catalog.set(uuid, { ...(listed ?? { db, name, options: EMPTY_DOCUMENT, indexes: new Map(), bornAt: null }), uuid });
  };
  const meetStranger = (uuid: string, namespace: string, time: ClusterTime): void => {
    if (!strangers.has(uuid)) strangers.set(uuid, { uuid, ...splitNamespace(namespace), options: EMPTY_DOCUMENT, indexes: new Map(), bornAt: time });
  };
  /** Where something is left out, every collection's own drop says whether it is there: what closes their row says nothing. */
  const isLeftOut = (op: CommandOp, place: OperationPlace): boolean =>
    leftOut !== null && (leftOut.takesCommand(op, namespaceOf(op), place, catalog.get(op.uuid ?? '')) || op.name === 'dropDatabase');
  const applyCommand = (op: CommandOp, place: OperationPlace): void => {
    const { time } = place;
    counts.command += 1;
    if (isLeftOut(op, place)) return;
    if (op.uuid !== null && !catalog.has(op.uuid) && op.name === 'drop') adopt(op.uuid, joinNamespace(op.db, rawText(op.object, 'drop') ?? ''));
    const before = catalog.size;
    if (op.uuid !== null && !catalog.has(op.uuid) && op.name === 'renameCollection') meetStranger(op.uuid, rawText(op.object, 'to') ?? '', time);
    if (strangers.size > 0 && op.name !== 'create') orUnknown(() => foldCommand(strangers, op, time));
    const options = catalog.get(op.uuid ?? '')?.options;
    orUnknown(() => foldCommand(catalog, op, time));
    if (options !== undefined && op.uuid !== null && lowersLimit(options, catalog.get(op.uuid)?.options ?? options)) lowered.add(op.uuid);
    if (catalog.size >= before) return;
    for (const [uuid, number] of numbers) if (!catalog.has(uuid)) table.forget(number);
  };
  const addUnlisted = (namespace: string, operations: number): void => void unlisted.set(namespace, (unlisted.get(namespace) ?? 0) + operations);
  const applyWrite = (op: WriteOp, place: OperationPlace): void => {
    const { time } = place;
    if (isVersionDocument(op)) throw versionChanged(time);
    counts[op.kind] += 1;
    if (!catalog.has(op.uuid)) adopt(op.uuid, op.namespace);
    const collection = catalog.get(op.uuid);
    if (collection === undefined) {
      addUnlisted(op.namespace, 1);
      meetStranger(op.uuid, op.namespace, time);
      return;
    }
    const ordered = isCapped(collection);
    if (op.id === null && !ordered) throw unknownReplay({ operation: `"${op.kind}" without an _id`, namespace: op.namespace, time });
    const isOut = leftOut?.takesWrite(op.kind, op.namespace, place, { capped: ordered, movesId: op.newId !== null }) ?? false;
    table.add(numberOf(op.uuid), operationOfWrite(op), { time, ordered, leftOut: isOut });
  };
  const applyOperations = ({ operations, time, session }: OplogEntry, before = 0): void => {
    for (const [index, op] of operations.entries()) {
      const place = { time, session, number: before + index };
      if (op.kind === 'command') applyCommand(op, place);
      else applyWrite(op, place);
    }
  };
  const commitParts = (number: CollectionNumber, key: string, { time, session }: OplogEntry): void => {
    const uuid = uuids.get(number) ?? '';
    const collection = catalog.get(uuid);
    const tally = table.tallyParts(key, number);
    for (const kind of ['insert', 'update', 'delete'] as const) counts[kind] += tally[kind];
    if (collection === undefined) {
      addUnlisted(names.get(uuid) ?? uuid, tally.insert + tally.update + tally.delete);
      meetStranger(uuid, names.get(uuid) ?? uuid, time);
      return;
    }
    const [capped, namespace] = [isCapped(collection), names.get(uuid) ?? ''];
    table.commitParts(key, number, {
      time, ordered: capped,
      ...(leftOut === null ? {} : { isLeftOut: (part) => leftOut.takesWrite(part.kind, namespace, { time, session, number: part.number }, { capped, movesId: part.movesId }) }),
    });
  };
  const noteTogether = (uuids: ReadonlySet<string>, time: ClusterTime): void => {
    const key = [...uuids].sort().join();
    const known = together.get(key);
    if (known !== undefined) known.transactions += 1;
    else if (uuids.size > 1 && together.size < COMBINATIONS) together.set(key, { uuids, transactions: 1, first: time });
  };
  return {
    counts, numbers, unlisted, strangers, together, lowered,
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
        const touched = new Set<string>();
        const before = transactions.commit(entry, part, {
          command: (op, number) => applyCommand(op, { time: entry.time, session: entry.session, number }),
          collection: (number) => {
            touched.add(uuids.get(number) ?? '');
            commitParts(number, part.key, entry);
          },
        });
        for (const op of entry.operations) if (op.kind !== 'command') touched.add(op.uuid);
        noteTogether(touched, entry.time);
        applyOperations(entry, before);
      }
    },
  };
}

function lowersLimit(before: Buffer, after: Buffer): boolean {
  if (before === after) return false;
  const [old, now] = [limitsIn(before), limitsIn(after)];
  return (now.size ?? Infinity) < (old.size ?? Infinity) || (now.max ?? Infinity) < (old.max ?? Infinity);
}

function versionChanged(position: ClusterTime): LeafvaultError {
  return new LeafvaultError('REPLAY_FCV_CHANGED', `Reading the window failed at ${showClusterTime(position)}: the feature compatibility version is being changed`, {
    details: { position },
    hint: 'Restore an instant before the upgrade or downgrade, or from a snapshot taken after it',
  });
}
