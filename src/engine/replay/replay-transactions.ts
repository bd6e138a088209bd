// Transactions in a window: their parts lie in the table until their last entry counts them or drops them.
// Parts are linked by `prevOpTime`, so a part that was not read is seen (docs/design/continuous-backup.md).
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../domain/cluster-time.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { CommandOp, OplogEntry, OplogOp, TransactionPart, WriteOp } from '../backup/oplog/oplog-entry.ts';
import { operationOfWrite } from './operation-of-write.ts';
import type { CollectionNumber, OperationsTable } from './operations-table.ts';

export interface ReplayTransactions {
  /** A part that doesn't count yet. */
  open(entry: OplogEntry, part: TransactionPart): void;
  /** Ends a transaction without counting it: an abort, or a commit before the window. */
  drop(part: TransactionPart): void;
  /** The last entry of a transaction; its earlier parts are handed to `count`, the entry's own operations are not. @returns how many operations came before those */
  commit(entry: OplogEntry, part: TransactionPart, count: CountParts): number;
  /** Transactions that have parts and no end yet. */
  readonly pending: number;
}

export interface CountParts {
  /** Commands come first: a transaction may create the collections that it fills. @param number which it is of the transaction, from 0 */
  command(op: CommandOp, number: number): void;
  collection(collection: CollectionNumber): void;
}

interface OpenTransaction {
  /** Time of the part that was met last. */
  last: ClusterTime;
  /** A part before the first that was met is missing; fatal only if the transaction comes to count. */
  readonly missing: ClusterTime | null;
  readonly commands: { readonly op: CommandOp; readonly number: number }[];
  /** Operations met so far. */
  operations: number;
}

/** @param numberOf the number of a write's collection */
export function createReplayTransactions(table: OperationsTable, numberOf: (op: WriteOp) => CollectionNumber): ReplayTransactions {
  const transactions = new Map<string, OpenTransaction>();
  const drop = ({ key }: TransactionPart): void => {
    if (transactions.delete(key)) table.dropParts(key);
  };
  const missingBefore = ({ key, previous }: TransactionPart): ClusterTime | null => {
    const known = transactions.get(key);
    if (previous === null) return null;
    return known !== undefined && known.missing === null && compareClusterTimes(known.last, previous) === 0 ? null : previous;
  };
  const addPart = (key: string, into: OpenTransaction, op: OplogOp): void => {
    const number = into.operations;
    into.operations += 1;
    if (op.kind === 'command') into.commands.push({ op, number });
    else table.addPart(key, numberOf(op), { ...operationOfWrite(op), number });
  };
  return {
    open(entry, part) {
      const missing = missingBefore(part);
      // A number is taken again after an abort: what begins without a link begins anew.
      if (part.previous === null) drop(part);
      const known = transactions.get(part.key);
      const transaction = missing === null && known !== undefined ? known : { last: entry.time, missing, commands: [], operations: 0 };
      transaction.last = entry.time;
      transactions.set(part.key, transaction);
      for (const op of entry.operations) addPart(part.key, transaction, op);
    },
    drop,
    commit(entry, part, count) {
      const missing = missingBefore(part);
      if (missing !== null) throw cut(entry.time, missing);
      const known = part.previous === null ? undefined : transactions.get(part.key);
      for (const { op, number } of known?.commands ?? []) count.command(op, number);
      if (known !== undefined) for (const collection of table.partsOf(part.key)) count.collection(collection);
      drop(part);
      return known?.operations ?? 0;
    },
    get pending() { return transactions.size; },
  };
}

function cut(position: ClusterTime, previous: ClusterTime): LeafvaultError {
  return new LeafvaultError('REPLAY_TRANSACTION_CUT', `Reading the window failed at ${showClusterTime(position)}: the transaction has a part at ${showClusterTime(previous)} that was not read`, {
    details: { position, previous },
    hint: 'Restore an instant before this transaction, or from a snapshot taken after it',
  });
}
