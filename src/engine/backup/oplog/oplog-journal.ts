// What the oplog means for a capture: entry by entry, in order, it changes the catalog and the table of touched ids.
// Pure bookkeeping; reading the oplog is the follower's.
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../../domain/cluster-time.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { isCapped, type Catalog } from '../collections/catalog.ts';
import { foldCommand } from '../collections/fold-command.ts';
import type { CollectionNumber, TouchedTable } from '../settle/touched-table.ts';
import type { CommandOp, OplogEntry, OplogOp, WriteOp } from './oplog-entry.ts';

export interface OplogJournal {
  /** Applies the next entry. */
  apply(entry: OplogEntry): void;
  /** Links of transactions that begin before anything this journal saw; to be read and given to `applyEarlier`. */
  missingLink(entry: OplogEntry): ClusterTime | null;
  /** Takes in a part of a transaction that lies before the start of the journal. */
  applyEarlier(key: string, entry: OplogEntry): void;
  /** From the next entry on every change of this collection counts; what was noted of it is forgotten. */
  track(uuid: string): void;
  /** The same for what comes behind `since`, which may lie before entries that are applied again: nothing is forgotten. */
  trackSince(uuid: string, since: ClusterTime): void;
  /** The collection was not there to be read: nothing is known of it until it is scanned or seen to be dropped. */
  untrack(uuid: string): void;
  isTracked(uuid: string): boolean;
  numberOf(uuid: string): CollectionNumber;
  /** Operations applied, for progress. */
  readonly operations: number;
}

export interface OplogJournalOptions {
  readonly catalog: Catalog;
  readonly touched: TouchedTable;
}

export function createOplogJournal({ catalog, touched }: OplogJournalOptions): OplogJournal {
  const numbers = new Map<string, CollectionNumber>();
  /** Since when; null: since it was tracked. */
  const tracked = new Map<string, ClusterTime | null>();
  /** Transactions with parts so far, and the commands in them (a transaction may create collections). */
  const open = new Map<string, CommandOp[]>();
  let operations = 0;

  const numberOf = (uuid: string): CollectionNumber => {
    const known = numbers.get(uuid);
    if (known !== undefined) return known;
    numbers.set(uuid, numbers.size + 1);
    return numbers.size;
  };
  const forget = (uuid: string): void => {
    tracked.delete(uuid);
    if (numbers.has(uuid)) touched.forget(numberOf(uuid));
  };
  /** The scan of the collection began behind this time, so it knows all about it. */
  const isKnownAt = (uuid: string, time: ClusterTime): boolean => {
    const since = tracked.get(uuid) ?? null;
    return since !== null && compareClusterTimes(time, since) <= 0;
  };
  const applyCommand = (op: CommandOp, time: ClusterTime): void => {
    const known = op.uuid !== null && catalog.has(op.uuid);
    const before = catalog.size;
    foldCommand(catalog, op, time);
    if (catalog.size < before) for (const uuid of numbers.keys()) if (!catalog.has(uuid) && !isKnownAt(uuid, time)) forget(uuid);
    // Born here: all that will ever be in it comes through this oplog.
    if (op.name === 'create' && op.uuid !== null && !known && !tracked.has(op.uuid)) tracked.set(op.uuid, null);
  };
  const applyWrite = (op: WriteOp, time: ClusterTime): void => {
    if (isVersionDocument(op)) throw versionChanged(time);
    if (!tracked.has(op.uuid) || isKnownAt(op.uuid, time)) return;
    const collection = catalog.get(op.uuid);
    if (collection !== undefined && isCapped(collection)) touched.addCappedOp(numberOf(op.uuid), op);
    else for (const id of idsOf(op)) touched.touch(numberOf(op.uuid), id);
  };
  const addPart = (key: string, op: OplogOp): void => {
    if (op.kind === 'command') open.get(key)?.push(op);
    else for (const id of idsOf(op)) touched.addPart(key, { collection: numberOf(op.uuid), id });
  };
  const applyTransaction = (entry: OplogEntry, transaction: NonNullable<OplogEntry['transaction']>): void => {
    const commands = open.get(transaction.key);
    if (transaction.step === 'open') {
      if (commands === undefined) open.set(transaction.key, []);
      for (const op of entry.operations) addPart(transaction.key, op);
      return;
    }
    const committed = transaction.step === 'commit';
    open.delete(transaction.key);
    if (committed) for (const op of commands ?? []) applyCommand(op, entry.time);
    if (commands !== undefined) touched.endParts(transaction.key, committed);
    if (committed) for (const op of entry.operations) applyOp(op, entry.time);
  };
  const applyOp = (op: OplogOp, time: ClusterTime): void => (op.kind === 'command' ? applyCommand(op, time) : applyWrite(op, time));

  return {
    numberOf,
    get operations() { return operations; },
    apply(entry) {
      operations += entry.operations.length;
      if (entry.transaction !== null) applyTransaction(entry, entry.transaction);
      else for (const op of entry.operations) applyOp(op, entry.time);
    },
    missingLink: ({ transaction }) => (transaction === null || transaction.step === 'abort' || open.has(transaction.key) ? null : transaction.previous),
    applyEarlier(key, entry) {
      if (!open.has(key)) open.set(key, []);
      for (const op of entry.operations) addPart(key, op);
    },
    track(uuid) {
      forget(uuid);
      tracked.set(uuid, null);
    },
    trackSince: (uuid, since) => void tracked.set(uuid, since),
    untrack: forget,
    isTracked: (uuid) => tracked.has(uuid),
  };
}

function idsOf({ id, newId }: WriteOp): readonly Buffer[] {
  return [id, newId].filter((each) => each !== null);
}

const VERSION_ID = Buffer.from('featureCompatibilityVersion\0');

/** The document that a change of the feature compatibility version writes. */
export function isVersionDocument(op: WriteOp): boolean {
  return op.namespace === 'admin.system.version' && op.id !== null && op.id[0] === 2 && op.id.subarray(5).equals(VERSION_ID);
}

function versionChanged(time: ClusterTime): LeafvaultError {
  return new LeafvaultError('CAPTURE_FCV_CHANGED', `Following the oplog failed at ${showClusterTime(time)}: the feature compatibility version is being changed`, {
    details: { time },
    hint: 'Take the snapshot when the upgrade or downgrade is done',
  });
}
