// What becomes of operations that build on something left out: gone through document by document, before anything is
// written (docs/design/continuous-backup.md, "Leaving something out"). Whether a document exists needs no look at the base.
import type { Dependent, DependentOutcome } from '../../domain/leave-out.ts';
import { breathe } from '../../foundation/abort.ts';
import { describeRawId } from '../mongo/raw-insert-inspect.ts';
import { updateForm } from './apply-update.ts';
import { refuseEqualIds } from './equal-ids.ts';
import type { CollectionNumber, MarkedOperation, OperationsTable } from './operations-table.ts';

/** What was left out of one collection. */
export interface CollectionLeftOut {
  operations: number;
  readonly dependents: Record<DependentOutcome, number>;
  /** The first `EXAMPLES`, in the order of documents. */
  readonly examples: Omit<Dependent, 'namespace'>[];
}

export const EXAMPLES = 50;
/** Documents between two looks at the signal. */
const AT_ONCE = 500;

/**
 * Marks what is skipped and what depends; the table then gives what is to be done.
 * @throws RESTORE_LEAVE_OUT_UNSUITABLE where two documents would have ids that are equal to a server; the signal's reason
 */
export async function settleLeftOut(table: OperationsTable, signal: AbortSignal): Promise<ReadonlyMap<CollectionNumber, CollectionLeftOut>> {
  const found = new Map<CollectionNumber, CollectionLeftOut>();
  const ids = table.leftOutIds();
  for (let next = ids.next(); next.done !== true; ) {
    table.together(() => {
      for (let taken = 0; taken < AT_ONCE && next.done !== true; taken += 1, next = ids.next()) {
        const { collection, id } = next.value;
        const of = found.get(collection) ?? { operations: 0, dependents: { applied: 0, overwrites: 0, skipped: 0, moot: 0 }, examples: [] };
        found.set(collection, of);
        settleDocument(table, table.wholeStoryOf(collection, id), of);
      }
    });
    await breathe(signal);
  }
  for (const collection of found.keys()) await refuseEqualIds(table, collection, signal);
  return found;
}

function settleDocument(table: OperationsTable, story: Iterable<MarkedOperation>, into: CollectionLeftOut): void {
  // At the source, and with what is left out.
  let was: boolean | null = null;
  let exists = false;
  let differs = false;
  for (const operation of story) {
    if (was === null) exists = operation.kind !== 'insert';
    was = operation.kind !== 'delete';
    if (operation.isLeftOut) {
      into.operations += 1;
      differs = true;
      continue;
    }
    if (!differs) {
      exists = was;
      continue;
    }
    const outcome = outcomeOf(operation, exists);
    if (outcome === 'skipped' || outcome === 'moot') table.mark(operation, 'skipped');
    else table.mark(operation, 'dependent');
    if (outcome !== 'skipped') {
      differs = outcome === 'applied';
      exists = was;
    }
    if (outcome !== null) note(into, operation, outcome);
  }
}

/** Null for what does what it did at the source, whatever was there. */
function outcomeOf({ kind, object }: MarkedOperation, exists: boolean): DependentOutcome | null {
  if (kind === 'insert') return exists ? 'overwrites' : null;
  if (kind === 'delete') return exists ? null : 'moot';
  if (!exists) return 'skipped';
  return updateForm(object) === 'diff' ? 'applied' : 'overwrites';
}

function note({ dependents, examples }: CollectionLeftOut, { kind, id, time }: MarkedOperation, outcome: DependentOutcome): void {
  dependents[outcome] += 1;
  if (examples.length >= EXAMPLES) return;
  examples.push({ position: time, id: describeRawId(id) ?? '', kind, outcome });
}
