// Commands that take something away or change it for good, as marks. A dropped database is one mark, not one for each collection.
import type { LeaveOut } from '../../domain/leave-out.ts';
import type { Mark, MarkKind } from '../../domain/timeline.ts';
import { namespaceOf, type CommandOp } from '../backup/oplog/oplog-entry.ts';
import { rawText } from '../bson/index.ts';
import type { Counting } from './walk-operations.ts';

export interface CommandMarks {
  /** @param number which it is of its entry or transaction */
  add(op: CommandOp, number: number, at: Counting): void;
  /** Something was written to a database: drops before it are no part of a `dropDatabase` that may follow. */
  written(db: string): void;
  readonly count: number;
  finish(): readonly Mark[];
}

const KINDS: Readonly<Record<string, MarkKind>> = {
  drop: 'drop', dropDatabase: 'dropDatabase', renameCollection: 'rename', collMod: 'collMod',
  dropIndexes: 'dropIndexes', deleteIndexes: 'dropIndexes', deleteIndex: 'dropIndexes',
};
/** A `dropDatabase` drops one collection after the other, without a pause. */
const PAUSE_SECONDS = 10;

export function createCommandMarks(): CommandMarks {
  const found = new Set<Mark>();
  const drops = new Map<string, Mark[]>();

  const dropsBefore = (db: string, second: number): Mark[] => {
    const row = drops.get(db) ?? [];
    return second - (row.at(-1)?.last.t ?? second) > PAUSE_SECONDS ? [] : row;
  };
  const dropDatabase = ({ db }: CommandOp, at: Counting): void => {
    const parts = dropsBefore(db, at.time.t);
    drops.delete(db);
    for (const part of parts) found.delete(part);
    const [first, justBefore] = [parts[0]?.first ?? at.time, parts[0]?.justBefore ?? at.justBefore];
    found.add({ kind: 'dropDatabase', namespace: db, to: null, count: parts.length, first, last: at.time, justBefore, leaveOut: { namespace: db, kind: 'drop', from: first, to: at.time } });
  };
  return {
    add(op, number, at) {
      const about = aboutCommand(op);
      if (about?.kind === 'dropDatabase') return dropDatabase(op, at);
      // Whatever else happens to the database lies between drops.
      if (about?.kind !== 'drop') drops.delete(op.db);
      if (about === null) return;
      const leaveOut: LeaveOut = { at: at.time, ...(at.isTransaction ? { operation: number } : {}) };
      const mark: Mark = { ...about, count: 1, first: at.time, last: at.time, justBefore: at.justBefore, leaveOut };
      found.add(mark);
      if (about.kind !== 'drop') return;
      const row = dropsBefore(op.db, at.time.t);
      row.push(mark);
      drops.set(op.db, row);
    },
    written: (db) => void drops.delete(db),
    get count() { return found.size; },
    finish: () => [...found],
  };
}

/** What a mark says of a command; null: it takes nothing away. */
export function aboutCommand(op: CommandOp): Pick<Mark, 'kind' | 'namespace' | 'to'> | null {
  const kind = KINDS[op.name];
  return kind === undefined ? null : { kind, namespace: namespaceOf(op), to: kind === 'rename' ? rawText(op.object, 'to') : null };
}
