// Goes through kept slices operation by operation, in the order in which they count: a transaction at its commit, whole.
// What is gathered of a transaction's parts is for the caller to say, so that memory stays bounded.
import { compareClusterTimes, type ClusterTime } from '../../domain/cluster-time.ts';
import type { OperationPlace } from '../../domain/leave-out.ts';
import { throwIfAborted } from '../../foundation/abort.ts';
import type { OplogEntry, OplogOp, TransactionPart } from '../backup/oplog/oplog-entry.ts';
import type { KeptSlice, KeptInstant } from '../contracts.ts';
import { splitEntries } from '../replay/split-entries.ts';

/** When and where gathered operations count. */
export interface Counting extends Omit<OperationPlace, 'number'> {
  /** Position of the entry before; of a transaction, before its commit. */
  readonly justBefore: ClusterTime;
  /** Of the entry or transaction. */
  readonly operations: number;
  readonly isTransaction: boolean;
  /** A part of the transaction was not read. */
  readonly partial: boolean;
}

/** What is made of operations: `add` for each of an entry or transaction, then `count` once. */
export interface Gathering<Gathered> {
  begin(): Gathered;
  add(into: Gathered, op: OplogOp, number: number): void;
  /** @returns true: enough, nothing more is read */
  count(gathered: Gathered, at: Counting): boolean;
}

export interface WalkOptions<Gathered> {
  readonly slices: KeptInstant['slices'];
  /** Both included. */
  readonly from: ClusterTime;
  readonly to: ClusterTime;
  readonly gathering: Gathering<Gathered>;
  readonly signal: AbortSignal;
}

interface Open<Gathered> {
  readonly gathered: Gathered;
  operations: number;
  last: ClusterTime;
  readonly partial: boolean;
}

/** Parts of transactions that end in the range lie before it: by default a server ends one after 60 seconds. */
const LOOK_BACK_SECONDS = 90;

/** @throws REPLAY_WINDOW_BROKEN, REPLAY_OPERATION_UNKNOWN, BSON_MALFORMED, REPOSITORY_CHAIN_* */
export async function walkOperations<Gathered>({ slices, from, to, gathering, signal }: WalkOptions<Gathered>): Promise<void> {
  const behind = { t: Math.max(0, from.t - LOOK_BACK_SECONDS), i: 0 };
  const walk = createWalk(gathering, from);
  for await (const slice of slices({ behind, signal })) {
    throwIfAborted(signal);
    if (compareClusterTimes(slice.from, to) >= 0 || walk(slice, to)) return;
  }
}

function createWalk<Gathered>(gathering: Gathering<Gathered>, from: ClusterTime): (slice: KeptSlice, to: ClusterTime) => boolean {
  const transactions = new Map<string, Open<Gathered>>();
  const addAll = (gathered: Gathered, operations: readonly OplogOp[], before: number): void => {
    for (const [index, op] of operations.entries()) gathering.add(gathered, op, before + index);
  };
  const open = (entry: OplogEntry, { key, previous }: TransactionPart): void => {
    const known = previous === null ? undefined : transactions.get(key);
    const of = known ?? { gathered: gathering.begin(), operations: 0, last: entry.time, partial: previous !== null };
    addAll(of.gathered, entry.operations, of.operations);
    of.operations += entry.operations.length;
    of.last = entry.time;
    transactions.set(key, of);
  };
  const end = (entry: OplogEntry, { key, previous, step }: TransactionPart, justBefore: ClusterTime): boolean => {
    const known = previous === null ? undefined : transactions.get(key);
    transactions.delete(key);
    // One that ended before the range was of use to nobody.
    if (step === 'abort' || compareClusterTimes(entry.time, from) < 0) return false;
    const gathered = known?.gathered ?? gathering.begin();
    addAll(gathered, entry.operations, known?.operations ?? 0);
    return gathering.count(gathered, {
      time: entry.time, session: entry.session, justBefore, isTransaction: true,
      operations: (known?.operations ?? 0) + entry.operations.length, partial: known?.partial ?? previous !== null,
    });
  };
  const plain = ({ time, session, operations }: OplogEntry, justBefore: ClusterTime): boolean => {
    if (operations.length === 0 || compareClusterTimes(time, from) < 0) return false;
    const gathered = gathering.begin();
    addAll(gathered, operations, 0);
    return gathering.count(gathered, { time, session, justBefore, isTransaction: false, operations: operations.length, partial: false });
  };
  return (slice, to) => {
    let before = slice.from;
    for (const entry of splitEntries(slice.raw, before)) {
      if (compareClusterTimes(entry.time, to) > 0) return true;
      const part = entry.transaction;
      if (part?.step === 'open') open(entry, part);
      else if (part === null ? plain(entry, before) : end(entry, part, before)) return true;
      before = entry.time;
    }
    return false;
  };
}
