// What is left out while a window is read: which choices met something, and the commands that are not folded.
import { means, showChoice, type LeaveOut, type LeftOutKind, type LeftOutReport, type OperationPlace } from '../../domain/leave-out.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { CommandOp, WriteOp } from '../backup/oplog/oplog-entry.ts';
import { showClusterTime, showNamespace } from '../mongo/index.ts';

export interface LeftOut {
  /** Whether a write is left out. @throws RESTORE_LEAVE_OUT_UNSUITABLE where it can't be */
  takesWrite(kind: WriteOp['kind'], namespace: string, place: OperationPlace, about: { readonly capped: boolean; readonly movesId: boolean }): boolean;
  /** Whether a command is left out. @param namespace of its collection @throws RESTORE_LEAVE_OUT_UNSUITABLE */
  takesCommand(op: CommandOp, namespace: string, place: OperationPlace): boolean;
  readonly commands: LeftOutReport['commands'];
  /** Choices that nothing answered to. */
  unmatched(): readonly LeaveOut[];
}

/** The catalog without them is a catalog. */
const COMMANDS = new Set(['drop', 'renameCollection', 'collMod', 'createIndexes', 'commitIndexBuild', 'dropIndexes', 'deleteIndexes', 'deleteIndex', 'convertToCapped', 'dbCheck', 'startIndexBuild', 'abortIndexBuild']);
const BUCKETS = 'system.buckets.';

export function createLeftOut(choices: readonly LeaveOut[]): LeftOut {
  const met = new Set<LeaveOut>();
  const commands: LeftOutReport['commands'][number][] = [];
  const takes = (kind: LeftOutKind | 'command', namespace: string, place: OperationPlace): boolean => {
    const meaning = choices.filter((choice) => means(choice, kind, namespace, place));
    for (const choice of meaning) met.add(choice);
    return meaning.length > 0;
  };
  return {
    commands,
    takesWrite(kind, namespace, place, { capped, movesId }) {
      if (!takes(kind, namespace, place)) return false;
      const reason = capped ? 'the order of a capped collection is its content'
        : namespace.slice(namespace.indexOf('.') + 1).startsWith(BUCKETS) ? 'it is a piece of a bucket of a time series'
          : movesId ? 'it changes the bytes of _id' : null;
      if (reason !== null) throw unsuitable(`the ${kind}`, namespace, place, reason);
      return true;
    },
    takesCommand(op, namespace, place) {
      if (!takes(op.name === 'drop' ? 'drop' : 'command', namespace, place)) return false;
      // It closes a row of drops, one for each collection, and means nothing by itself.
      if (op.name === 'dropDatabase' && choices.every((choice) => !('at' in choice) || !means(choice, 'command', namespace, place))) return true;
      if (!COMMANDS.has(op.name)) {
        throw unsuitable(op.name, namespace, place, op.name === 'dropDatabase' ? 'each collection was dropped by an operation of its own: leave out every drop of the database' : 'everything later hangs on it: choose what to restore instead');
      }
      commands.push({ position: place.time, name: op.name, namespace });
      return true;
    },
    unmatched: () => choices.filter((choice) => !met.has(choice)),
  };
}

/** @throws RESTORE_LEAVE_OUT_UNMATCHED: a restore that leaves nothing out must not look like one that does */
export function refuseUnmatched({ unmatched }: LeftOut): void {
  const missing = unmatched();
  if (missing.length === 0) return;
  throw new LeafvaultError('RESTORE_LEAVE_OUT_UNMATCHED', `Leaving out ${missing.map(showChoice).join(', ')} failed: there is no such operation between the base and the instant`, {
    details: { unmatched: missing }, hint: 'Look the operation up in the time line; a transaction is found at its commit',
  });
}

function unsuitable(what: string, namespace: string, { time }: OperationPlace, reason: string): LeafvaultError {
  return new LeafvaultError('RESTORE_LEAVE_OUT_UNSUITABLE', `Leaving out ${what} at ${showClusterTime(time)} on ${showNamespace(namespace)} failed: ${reason}`, {
    details: { position: time, namespace, reason }, hint: 'Restore an instant just before it, or leave out something else',
  });
}
