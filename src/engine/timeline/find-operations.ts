// Single operations out of kept slices, as they are told to people.
import { BSON } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../domain/cluster-time.ts';
import type { OperationFilter, OperationPage, OperationView, TimelineRange } from '../../domain/timeline.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { namespaceOf, type OplogOp } from '../backup/oplog/oplog-entry.ts';
import { rawId } from '../bson/index.ts';
import type { KeptInstant } from '../contracts.ts';
import { equalityClass, equalityKey, hasEquals } from '../mongo/equality-key.ts';
import { isScratchDatabase, splitNamespace } from '../mongo/namespaces.ts';
import { describeRawId } from '../mongo/raw-insert-inspect.ts';
import { walkOperations } from './walk-operations.ts';

export interface FindOperationsOptions extends TimelineRange {
  readonly slices: KeptInstant['slices'];
  readonly filter: OperationFilter;
  /** Go on behind this one. */
  readonly after: { readonly position: ClusterTime; readonly number: number } | null;
  readonly limit: number;
  /** Larger operations are told without their content. */
  readonly bytesShown: number;
  readonly signal: AbortSignal;
  /** Of operations gone through; then the page ends, however little it holds. 1 GiB by default. */
  readonly bytesRead?: number;
}

const BYTES_READ = 1024 * 1024 * 1024;

type Found = Pick<OperationView, 'number' | 'kind' | 'namespace' | 'command' | 'id' | 'object' | 'bytes'>;

/** Of one transaction: what any page may need, and what the page needs that goes on within it. */
interface Gathered {
  readonly first: Found[];
  readonly later: Found[];
}

/** @throws FILTER_ID_MALFORMED, and what `walkOperations` throws */
export async function findOperations({ slices, from, to, filter, after, limit, bytesShown, signal, bytesRead = BYTES_READ }: FindOperationsOptions): Promise<OperationPage> {
  const matches = createMatcher(filter);
  const operations: OperationView[] = [];
  let next: OperationPage['next'] = null;
  let bytes = 0;
  const isBehind = (time: ClusterTime, number: number): boolean => after === null || compareClusterTimes(time, after.position) > 0 || (compareClusterTimes(time, after.position) === 0 && number > after.number);
  await walkOperations<Gathered>({
    slices, signal, to, from: after === null || compareClusterTimes(after.position, from) < 0 ? from : after.position,
    gathering: {
      begin: () => ({ first: [], later: [] }),
      add({ first, later }, op, number) {
        bytes += op.object.length;
        if (!matches(op)) return;
        if (first.length <= limit) first.push(found(op, number, bytesShown));
        else if (after !== null && number > after.number && later.length <= limit) later.push(found(op, number, bytesShown));
      },
      count({ first, later }, { time, session, justBefore, operations: ofTransaction, isTransaction, partial }) {
        for (const each of [...first, ...later]) {
          if (!isBehind(time, each.number)) continue;
          if (operations.length === limit) {
            const last = operations[limit - 1] as OperationView;
            next = { position: last.position, number: last.number };
            return true;
          }
          operations.push({ ...each, position: time, session, justBefore, partial, ofTransaction: isTransaction || ofTransaction > 1 ? ofTransaction : null });
        }
        if (bytes < bytesRead) return false;
        next = { position: time, number: ofTransaction - 1 };
        return true;
      },
    },
  });
  return { operations, next };
}

/** Whether a namespace is the collection, or lies in the database, that was asked for. */
export function isWithin(namespace: string, asked: string): boolean {
  return namespace === asked || (!asked.includes('.') && namespace.startsWith(`${asked}.`));
}

/** Whether it was a drill that wrote there: nobody looks for that unless it is asked for by name. */
export function isOfDrill(namespace: string, asked: string | undefined): boolean {
  return asked === undefined && isScratchDatabase(splitNamespace(namespace).db);
}

function found(op: OplogOp, number: number, bytesShown: number): Found {
  const bytes = op.object.length;
  return {
    number, bytes, kind: op.kind,
    namespace: namespaceOf(op),
    command: op.kind === 'command' ? op.name : null,
    id: op.kind === 'command' || op.id === null ? null : describeRawId(op.id),
    object: bytes > bytesShown ? null : shown(op.object),
  };
}

/** Null for what JSON can't say: invalid UTF-8, a regular expression of another kind, a field that the driver takes for a type. */
function shown(object: Buffer): unknown {
  try {
    return BSON.EJSON.serialize(BSON.deserialize(object, { promoteValues: false, bsonRegExp: true }), { relaxed: true });
  } catch {
    // Only what people see depends on it; the operation itself stays raw.
    return null;
  }
}

function createMatcher({ namespace, kind, id }: OperationFilter): (op: OplogOp) => boolean {
  const isWanted = id === undefined ? null : idMatcher(id);
  return (op) => {
    if (kind !== undefined && op.kind !== kind) return false;
    if ((namespace !== undefined && !isWithin(namespaceOf(op), namespace)) || isOfDrill(namespaceOf(op), namespace)) return false;
    return isWanted === null || (op.kind !== 'command' && op.id !== null && isWanted(op.id));
  };
}

/** As a server compares: `7` finds an int, a long and a double. */
function idMatcher(text: string): (id: Buffer) => boolean {
  const wanted = readId(text);
  const type = wanted[0] ?? 0;
  const key = equalityKey(wanted);
  const mayEqual = (id: Buffer): boolean => (id[0] === type ? hasEquals(id) : equalityClass(id[0] ?? 0) === equalityClass(type));
  // Most ids are told by their bytes or type: every operation of the range comes by here.
  return (id) => id.equals(wanted) || (mayEqual(id) && equalityKey(id) === key);
}

/** Raw: type byte and value. */
function readId(text: string): Buffer {
  try {
    return rawId(BSON.serialize({ _id: BSON.EJSON.parse(text, { relaxed: false }) as unknown })) ?? Buffer.alloc(0);
  } catch (cause) {
    throw new LeafvaultError('FILTER_ID_MALFORMED', 'Reading the _id that is looked for failed: it is no Extended JSON', {
      cause, details: { value: text }, hint: 'A text stands in quotes, an ObjectId is {"$oid": "…"}',
    });
  }
}
