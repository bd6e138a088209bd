// What is left out while a window is read: which choices met something, and the commands that are not folded.
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../domain/cluster-time.ts';
import { beginOf, means, showChoice, type LeaveOut, type LeftOutKind, type LeftOutReport, type OperationPlace } from '../../domain/leave-out.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { isTemporary, type CatalogCollection } from '../backup/collections/catalog.ts';
import type { CommandOp, WriteOp } from '../backup/oplog/oplog-entry.ts';
import { rawField } from '../bson/index.ts';
import { showNamespace } from '../mongo/index.ts';

export interface LeftOut {
  /** Whether a write is left out. @param namespace as the collection was called then @throws RESTORE_LEAVE_OUT_UNSUITABLE where it can't be */
  takesWrite(kind: WriteOp['kind'], namespace: string, place: OperationPlace, about: { readonly capped: boolean; readonly movesId: boolean }): boolean;
  /** Whether a command is left out. @param namespace as its collection was called then @throws RESTORE_LEAVE_OUT_UNSUITABLE */
  takesCommand(op: CommandOp, namespace: string, place: OperationPlace, collection: CatalogCollection | undefined): boolean;
  readonly commands: readonly LeftOutCommand[];
  /** Choices that nothing answered to. */
  unmatched(): readonly LeaveOut[];
}

/** With the collection that it was about. */
export type LeftOutCommand = LeftOutReport['commands'][number] & { readonly uuid: string | null };

/** The catalog without them is a catalog. */
const COMMANDS = new Set(['drop', 'renameCollection', 'collMod', 'createIndexes', 'commitIndexBuild', 'dropIndexes', 'deleteIndexes', 'deleteIndex']);
const BUCKETS = 'system.buckets.';

export function createLeftOut(choices: readonly LeaveOut[]): LeftOut {
  const met = new Set<LeaveOut>();
  const commands: LeftOutCommand[] = [];
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
    takesCommand(op, namespace, place, collection) {
      if (!takes(op.name === 'drop' ? 'drop' : 'command', namespace, place)) return false;
      const reason = whyNot(op, collection);
      if (reason !== null) throw unsuitable(op.name, namespace, place, reason);
      commands.push({ position: place.time, name: op.name, namespace, uuid: op.uuid });
      return true;
    },
    unmatched: () => choices.filter((choice) => !met.has(choice)),
  };
}

/** Null: it can be left out. */
function whyNot(op: CommandOp, collection: CatalogCollection | undefined): string | null {
  if (op.name === 'create') return 'everything later hangs on it: choose what to restore instead';
  if (op.name === 'dropDatabase') return 'each collection was dropped by an operation of its own: leave out every drop of the database';
  if (!COMMANDS.has(op.name)) return 'by itself it changes nothing';
  if (op.name !== 'renameCollection') return null;
  // $out, convertToCapped and renames over a collection: what was written to the name from then on was written to the one that came.
  if (rawField(op.object, 'dropTarget') !== null) return 'another collection took the name, and all later writes went to it: restore to just before it, under another name';
  return collection !== undefined && isTemporary(collection) ? 'the collection would be one that a server has for a while only: restore to just before it' : null;
}

/** @throws RESTORE_LEAVE_OUT_UNMATCHED: a restore that leaves nothing out must not look like one that does */
export function refuseUnmatched({ unmatched }: LeftOut): void {
  const missing = unmatched();
  if (missing.length === 0) return;
  throw new LeafvaultError('RESTORE_LEAVE_OUT_UNMATCHED', `Leaving out ${missing.map(showChoice).join(', ')} failed: there is no such operation between the base and the instant`, {
    details: { unmatched: missing }, hint: 'Look the operation up in the time line; a transaction is found at its commit',
  });
}

/** @throws RESTORE_LEAVE_OUT_UNSUITABLE for what the base holds already, in part or whole */
export function refuseBeforeBase(choices: readonly LeaveOut[], base: ClusterTime): void {
  for (const choice of choices) {
    const begin = beginOf(choice);
    if (begin === null || compareClusterTimes(begin, base) > 0) continue;
    throw new LeafvaultError('RESTORE_LEAVE_OUT_UNSUITABLE', `Leaving out ${showChoice(choice)} failed: it begins at ${showClusterTime(begin)}, and the snapshot of ${showClusterTime(base)} holds what happened by then`, {
      details: { position: begin, base }, hint: 'Let the base be chosen by the instant and what is left out, or begin the choice behind the snapshot',
    });
  }
}

function unsuitable(what: string, namespace: string, { time }: OperationPlace, reason: string): LeafvaultError {
  return new LeafvaultError('RESTORE_LEAVE_OUT_UNSUITABLE', `Leaving out ${what} at ${showClusterTime(time)} on ${showNamespace(namespace)} failed: ${reason}`, {
    details: { position: time, namespace, reason }, hint: 'Restore an instant just before it, or leave out something else',
  });
}
