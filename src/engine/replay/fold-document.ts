// Brings one document to the border: its base, then its operations in their order.
// The base stands for exactly the window's begin and every operation comes once, so each meets what it met at the source.
import { showClusterTime } from '../../domain/cluster-time.ts';
import { LeafvaultError, isLeafvaultError } from '../../foundation/errors.ts';
import { rawDocument, rawId, rawIdField } from '../bson/index.ts';
import { showNamespace } from '../mongo/index.ts';
import type { Misfit, OnMisfit } from './apply-diff.ts';
import { applyUpdate } from './apply-update.ts';
import type { ReplayOperation } from './operations-table.ts';

/** Whose operations are folded. */
export interface FoldSubject {
  /** In messages. */
  readonly namespace: string;
  /** It is a bucket of a time series. */
  readonly buckets?: boolean;
  /** Raw `_id`: type byte and value, as its first operation names it. */
  readonly id: Buffer;
}

/**
 * The document at the border, null when there is none.
 * @param base raw, null when the base has no document of this `_id`
 * @param onSkipped told of an operation that depends on something left out and does not fit: it is passed over
 * @throws LeafvaultError REPLAY_OPERATION_MISSED where an operation meets something else than at the source;
 * REPLAY_UPDATE_UNKNOWN, REPLAY_FIELD_AMBIGUOUS, with namespace, `_id` and position
 */
export function foldDocument(base: Buffer | null, operations: Iterable<ReplayOperation>, subject: FoldSubject, onSkipped: OnSkipped = () => undefined): Buffer | null {
  let document = base;
  for (const operation of operations) {
    if (operation.asAsked === true) document = foldAsAsked(document, operation, subject);
    else document = operation.dependent ? foldDependent(document, operation, subject, onSkipped) : foldOperation(document, operation, subject);
  }
  return document;
}

/** What a server makes of it, whatever is there: an insert replaces, a delete that misses does nothing, an update that misses starts from the `_id` (6.0.5). */
function foldAsAsked(document: Buffer | null, operation: ReplayOperation, subject: FoldSubject): Buffer | null {
  if (operation.kind !== 'update') return operation.kind === 'insert' ? operation.object : null;
  return keepingId(update(document ?? rawDocument([rawIdField(operation.id)]), operation, subject, () => undefined), operation, subject);
}

export type OnSkipped = (operation: ReplayOperation) => void;

/** It meets what it never met at the source; `settleLeftOut` has seen to it that it meets a document where it needs one. */
function foldDependent(document: Buffer | null, operation: ReplayOperation, subject: FoldSubject, onSkipped: OnSkipped): Buffer | null {
  if (operation.kind === 'insert') return operation.object;
  if (document === null || operation.kind === 'delete') return foldOperation(document, operation, subject);
  let fits = true;
  const updated = update(document, operation, subject, ({ alike }) => { fits &&= alike; });
  if (fits) return updated;
  onSkipped(operation);
  return document;
}

function foldOperation(document: Buffer | null, operation: ReplayOperation, subject: FoldSubject): Buffer | null {
  const { kind, object } = operation;
  if (kind === 'insert') {
    if (document !== null) throw missed('the document is there already', operation, subject);
    return object;
  }
  if (document === null) throw missed('there is no document', operation, subject);
  if (kind === 'delete') return null;
  return keepingId(update(document, operation, subject, (misfit) => {
    if (!isNewExtreme(misfit, subject)) throw missed(`at ${misfit.path}: ${misfit.reason}`, operation, subject);
  }), operation, subject);
}

function keepingId(updated: Buffer, operation: ReplayOperation, subject: FoldSubject): Buffer {
  if (rawId(updated)?.equals(operation.newId ?? operation.id) !== true) throw missed('the update changes _id', operation, subject);
  return updated;
}

/**
 * The first measurement of a bucket that has a field adds its smallest and largest value by an update, where any other
 * collection would insert them; so does a field within the field's value (checked on 6.0.5, fold-real-oplog.test.ts).
 */
function isNewExtreme({ path, added }: Misfit, { buckets = false }: FoldSubject): boolean {
  return buckets && added && /^"control"\."(?:min|max)"\./.test(path);
}

function update(document: Buffer, operation: ReplayOperation, subject: FoldSubject, onMisfit: OnMisfit): Buffer {
  try {
    return applyUpdate(document, operation.object, onMisfit);
  } catch (error) {
    if (!isLeafvaultError(error) || error.code === 'REPLAY_OPERATION_MISSED') throw error;
    throw new LeafvaultError(error.code, `${describe(operation, subject)} failed: ${error.message}`, {
      cause: error, details: { ...error.details, ...detailsOf(operation, subject) }, ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

function missed(reason: string, operation: ReplayOperation, subject: FoldSubject): LeafvaultError {
  return new LeafvaultError('REPLAY_OPERATION_MISSED', `${describe(operation, subject)} failed: ${reason}`, {
    details: detailsOf(operation, subject),
    hint: 'The base or the window is not what the source held: restore from another snapshot, and report it',
  });
}

function describe({ kind, time }: ReplayOperation, { namespace, id }: FoldSubject): string {
  return `Replaying the ${kind} at ${showClusterTime(time)} on ${showNamespace(namespace)}, _id ${showId(id)},`;
}

function detailsOf({ kind, time }: ReplayOperation, { namespace, id }: FoldSubject): Readonly<Record<string, unknown>> {
  return { namespace, id: showId(id), position: time, kind };
}

/** Type byte and value in hex, cut where it is long. */
function showId(id: Buffer): string {
  const hex = id.toString('hex', 1, 33);
  return `${id.toString('hex', 0, 1)}:${hex}${id.length > 33 ? '…' : ''}`;
}
