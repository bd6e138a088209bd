// One batch of operations, applied by the server itself with `applyOps` to shadows, and its answer looked at.
import { BSON, MongoServerError, type Document } from 'mongodb';
import { showClusterTime } from '../../../domain/cluster-time.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { describeRawId } from '../../mongo/raw-insert-inspect.ts';
import type { RawArrayMaker } from '../../mongo/raw-array.ts';
import { isTransient } from '../../mongo/raw-insert.ts';
import { BSON_TYPE, rawDocument, rawFields, rawIdField, type RawValue } from '../../bson/index.ts';
import { showNamespace } from '../../mongo/index.ts';
import { updateForm, type ReplayOperation } from '../../replay/index.ts';
import type { Target } from '../open-target.ts';
import { textValue } from './base-catalog.ts';

export interface ShadowOperation {
  /** `db.collection` of the shadow. */
  readonly shadow: string;
  /** Namespace at the border, for messages. */
  readonly label: string;
  readonly operation: ReplayOperation;
}

/**
 * In order, each by itself: an atomic batch would hold the server's global lock. Never sent twice.
 * @throws RESTORE_REPLAY_REFUSED naming the first operation that was not applied, RESTORE_REPLAY_INTERRUPTED
 */
export async function applyOperations(target: Target, makeArray: RawArrayMaker | null, operations: readonly ShadowOperation[]): Promise<void> {
  const documents = operations.map(entryOf);
  let answer: Document;
  try {
    answer = await target.admin({
      applyOps: makeArray === null ? documents.map((document, index) => decode(document, operations[index])) : makeArray('applyOps', arrayOf(documents)),
      allowAtomic: false, alwaysUpsert: operations.some(mayMiss), bypassDocumentValidation: true, writeConcern: { w: 1 },
    });
  } catch (cause) {
    if (isTransient(cause)) throw interrupted(cause);
    if (!(cause instanceof MongoServerError) || !Array.isArray(cause.errorResponse.results)) throw cause;
    throw refused(operations, cause.errorResponse.results as unknown[], cause.message, cause);
  }
  const results = answer.results as unknown[];
  if (results.length !== operations.length || results.includes(false)) throw refused(operations, results, 'it was not applied');
}

/** An update that has to make its document where there is none: it is sent alone, as no other may. */
export function mayMiss({ operation: { kind, asAsked } }: ShadowOperation): boolean {
  return kind === 'update' && asAsked === true;
}

/** RESTORE_REPLAY_INTERRUPTED */
export function interrupted(cause?: unknown): LeafvaultError {
  return new LeafvaultError('RESTORE_REPLAY_INTERRUPTED', 'Replaying failed: the target was lost or changed its primary, and what was applied last is not known', {
    ...(cause === undefined ? {} : { cause }), retryable: true, hint: 'Try again; the next attempt begins with empty collections',
  });
}

/** The entry as `applyOps` takes it: without `ui`, under the shadow's name. */
function entryOf({ shadow, operation }: ShadowOperation): Buffer {
  const { kind, id } = operation;
  const key: RawValue = { name: kind === 'update' ? 'o2' : 'o', type: BSON_TYPE.document, value: rawDocument([rawIdField(id)]) };
  const change: RawValue = { name: 'o', type: BSON_TYPE.document, value: kind === 'update' ? withId(operation) : operation.object };
  return rawDocument([
    { name: 'op', type: BSON_TYPE.string, value: textValue(kind === 'insert' ? 'i' : kind === 'update' ? 'u' : 'd') },
    { name: 'ns', type: BSON_TYPE.string, value: textValue(shadow) },
    ...(kind === 'insert' ? [] : [key]), ...(kind === 'delete' ? [] : [change]),
  ]);
}

/** A replacement that doesn't name the `_id` that it keeps is refused by servers (6.0.5). */
function withId({ object, id }: ReplayOperation): Buffer {
  const fields = [...rawFields(object)];
  if (updateForm(object) !== 'withoutId') return object;
  return rawDocument([rawIdField(id), ...fields.map((field) => ({ name: object.subarray(field.at + 1, field.valueAt - 1), type: field.type, value: object.subarray(field.valueAt, field.end) }))]);
}

function arrayOf(documents: readonly Buffer[]): Buffer {
  return rawDocument(documents.map((value, index) => ({ name: String(index), type: BSON_TYPE.document, value })));
}

/** The way around the serializer's inside. @throws RESTORE_REPLAY_REFUSED where decoding and encoding changes an operation */
function decode(document: Buffer, operation: ShadowOperation | undefined): Document {
  const decoded = BSON.deserialize(document, { promoteValues: false, promoteBuffers: false, bsonRegExp: true });
  if (operation === undefined || document.equals(BSON.serialize(decoded))) return decoded;
  throw refused([operation], [false], 'the driver would change it, and raw writing is not available');
}

function refused(operations: readonly ShadowOperation[], results: readonly unknown[], reason: string, cause?: unknown): LeafvaultError {
  const failed = operations[Math.max(0, results.indexOf(false))] ?? operations[0];
  const { kind, time, id } = failed?.operation ?? { kind: 'update', time: { t: 0, i: 0 }, id: Buffer.alloc(0) };
  const named = describeRawId(id);
  return new LeafvaultError('RESTORE_REPLAY_REFUSED', `Replaying the ${kind} at ${showClusterTime(time)} on ${showNamespace(failed?.label ?? '')}, _id ${named ?? 'missing'}, failed: ${reason}`, {
    ...(cause === undefined ? {} : { cause }), details: { namespace: failed?.label, id: named, position: time, kind },
    hint: 'Nothing was replaced. Restore the other collections by choosing them, or an instant before this operation',
  });
}
