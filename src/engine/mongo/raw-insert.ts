// Writes raw documents into a collection exactly as they are: one document sequence for each insert, no decoding.
// What a server changes on the way is put back; what it can't take is named. Order and number of inserts under way
// are the caller's affair.
import { BSON, MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError, UUID, type Db, type Document } from 'mongodb';
import { sleep, throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { asBuffer, documentLength } from '../bson/index.ts';
import { describeId, inspectDocuments, type RefusedDocument, type ZeroTimestamps } from './raw-insert-inspect.ts';
import type { SequenceMaker } from './raw-insert-sequence.ts';
import { repairZeroTimestamps } from './raw-insert-timestamps.ts';

/** Whole documents, several in a piece or not; pieces in order. At most 100,000 documents and 40 MB together. */
export interface RawBatch {
  readonly pieces: readonly Uint8Array[];
  readonly documents: number;
  readonly bytes: number;
}

export interface RawInsertTarget {
  readonly db: Db;
  readonly collection: string;
  /** What messages call it: the namespace in the snapshot. */
  readonly label: string;
  /** Null: the public API is used, which decodes and encodes; what it would change is refused. */
  readonly makeSequence: SequenceMaker | null;
  /** The server's maxBsonObjectSize. */
  readonly maxDocumentBytes: number;
  /** Stop at the first failure (capped collections). */
  readonly ordered: boolean;
  /** 32 hex digits: written only while the collection has this UUID. Servers know that from 6.0 on. */
  readonly collectionUuid?: string;
}

export interface RawInsertOptions {
  readonly signal?: AbortSignal;
  /** The batch may be there already: documents whose `_id` is there are passed over. */
  readonly resend?: boolean;
}

const TRIES = 8;
const REFUSED_NAMED = 20;

/**
 * Inserts a batch with `w: 1`, past a validator; a barrier with majority is the caller's. A lost connection or a change of primary
 * is survived by sending again and passing over what is there.
 * @throws LeafvaultError RESTORE_DOCUMENT_REFUSED with `details.documents`, RESTORE_COLLECTION_REPLACED, RESTORE_WRITE_FAILED
 */
export async function insertRaw(target: RawInsertTarget, batch: RawBatch, options: RawInsertOptions = {}): Promise<void> {
  const zeroTimestamps = inspect(target, batch);
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(options.signal);
    try {
      await sendInsert(target, batch, options.resend === true || attempt > 1);
      if (zeroTimestamps.length > 0) await putBackTimestamps(target, zeroTimestamps);
      return;
    } catch (cause) {
      throwIfAborted(options.signal);
      if (attempt === TRIES || !isTransient(cause)) throw asWriteFailure(target, cause);
      await sleep(100 * attempt, options.signal);
    }
  }
}

/** True for a lost connection or a change of primary: the same call may work on the next one. */
export function isTransient(error: unknown): boolean {
  if (error instanceof MongoServerSelectionError) return true;
  if (error instanceof MongoNetworkError) return true;
  return error instanceof MongoError && (error.hasErrorLabel('RetryableWriteError') || (error instanceof MongoServerError && TRANSIENT_CODES.has(Number(error.code))));
}

// InterruptedAtShutdown, InterruptedDueToReplStateChange, NotWritablePrimary, NotPrimaryNoSecondaryOk,
// NotPrimaryOrSecondary, PrimarySteppedDown, ShutdownInProgress, HostUnreachable, HostNotFound, NetworkTimeout
const TRANSIENT_CODES: ReadonlySet<number> = new Set([11600, 11602, 10107, 13435, 13436, 189, 91, 6, 7, 89]);

const COLLECTION_UUID_MISMATCH = 361;

function inspect(target: RawInsertTarget, batch: RawBatch): readonly ZeroTimestamps[] {
  const found = batch.pieces.map((piece) => inspectDocuments(piece, target.maxDocumentBytes));
  const refused = found.flatMap((each) => each.refused);
  if (refused.length > 0) throw refuse(target, refused);
  return found.flatMap((each) => each.zeroTimestamps);
}

async function sendInsert(target: RawInsertTarget, batch: RawBatch, passOver: boolean): Promise<void> {
  const documents = target.makeSequence === null ? decode(target, batch) : target.makeSequence('documents', batch.pieces);
  // A resend is unordered: the rest goes on behind a document that is there. The server keeps the order anyway.
  const ordered = target.ordered && !passOver;
  const answer = await target.db.command({
    insert: target.collection, documents, ordered, bypassDocumentValidation: true, writeConcern: { w: 1 },
    ...(target.collectionUuid === undefined ? {} : { collectionUUID: new UUID(target.collectionUuid) }),
  });
  const failures = writeErrorsOf(answer).filter((each) => !(passOver && each.code === 11000));
  throwTransient(failures);
  if (failures.some(({ code }) => code === COLLECTION_UUID_MISMATCH)) {
    throw new LeafvaultError('RESTORE_COLLECTION_REPLACED', `Writing to ${target.label} failed: somebody dropped it, or put another collection in its place`);
  }
  if (failures.length > 0) throw refuse(target, failures.map((each) => ({ id: idAt(batch, each.index), reason: each.message })));
}

/** Gives stored documents their zero timestamps back. @throws RESTORE_DOCUMENT_REFUSED where no update can say it, RESTORE_WRITE_FAILED */
export async function putBackTimestamps(target: RawInsertTarget, documents: readonly ZeroTimestamps[]): Promise<void> {
  const refused: RefusedDocument[] = [];
  const updates: Buffer[] = [];
  for (const each of documents) {
    const repair = repairZeroTimestamps(each);
    if ('update' in repair) updates.push(repair.update);
    else refused.push({ id: describeId(each.document), reason: repair.impossible });
  }
  if (refused.length > 0) throw refuse(target, refused);
  if (target.makeSequence === null) throw refuse(target, documents.map((each) => ({ id: describeId(each.document), reason: 'it holds Timestamp(0, 0) and raw writing is not available' })));
  for (const run of runsOf(updates)) {
    const answer = await target.db.command({ update: target.collection, updates: target.makeSequence('updates', run), bypassDocumentValidation: true, writeConcern: { w: 1 } });
    const failures = writeErrorsOf(answer);
    throwTransient(failures);
    const [failure] = failures;
    if (failure !== undefined || answer.n !== run.length) {
      throw new LeafvaultError('RESTORE_WRITE_FAILED', `Putting Timestamp(0, 0) back in ${target.label} failed: ${failure?.message ?? `${answer.n} of ${run.length} documents were found`}`);
    }
  }
}

/** Updates in runs that fit into one message. */
function* runsOf(updates: readonly Buffer[]): Generator<Buffer[]> {
  let run: Buffer[] = [];
  let bytes = 0;
  for (const update of updates) {
    if (run.length > 0 && (bytes + update.length > 40_000_000 || run.length === 1000)) {
      yield run;
      run = [];
      bytes = 0;
    }
    run.push(update);
    bytes += update.length;
  }
  if (run.length > 0) yield run;
}

/** The way around the driver's inside. @throws RESTORE_DOCUMENT_REFUSED where decoding and encoding changes a document */
function decode(target: RawInsertTarget, batch: RawBatch): Document[] {
  const documents: Document[] = [];
  const refused: RefusedDocument[] = [];
  for (const raw of documentsOf(batch)) {
    const decoded = BSON.deserialize(raw, { promoteValues: false, promoteBuffers: false, bsonRegExp: true });
    if (raw.equals(BSON.serialize(decoded))) documents.push(decoded);
    else refused.push({ id: describeId(raw), reason: 'the driver would change it, and raw writing is not available' });
  }
  if (refused.length > 0) throw refuse(target, refused);
  return documents;
}

function* documentsOf(batch: RawBatch): Generator<Buffer> {
  for (const piece of batch.pieces) {
    const bytes = asBuffer(piece);
    for (let at = 0; at < bytes.length; ) {
      const length = documentLength(bytes, at);
      yield bytes.subarray(at, at + length);
      at += length;
    }
  }
}

function idAt(batch: RawBatch, index: number): string | null {
  let at = 0;
  for (const raw of documentsOf(batch)) if (at++ === index) return describeId(raw);
  return null;
}

interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly message: string;
}

function writeErrorsOf(answer: Document): WriteError[] {
  const errors: unknown = answer.writeErrors;
  if (!Array.isArray(errors)) return [];
  return (errors as Document[]).map((each) => ({ index: Number(each.index), code: Number(each.code), message: `${each.errmsg} (${each.code})` }));
}

/** An election in the middle of a batch is told for each document that it cut off (checked on 6.0.5: 189); no document is to blame. */
function throwTransient(failures: readonly WriteError[]): void {
  const election = failures.find(({ code }) => TRANSIENT_CODES.has(code));
  if (election !== undefined) throw new MongoServerError({ message: election.message, code: election.code });
}

function refuse(target: RawInsertTarget, documents: readonly RefusedDocument[]): LeafvaultError {
  const [first] = documents;
  const more = documents.length > 1 ? ` and ${documents.length - 1} more` : '';
  return new LeafvaultError('RESTORE_DOCUMENT_REFUSED', `Restoring ${target.label} failed: the document with _id ${first?.id ?? 'missing'}${more} can't be stored as it is: ${first?.reason}`, {
    hint: 'Restore the other collections by choosing them, and take this document out of a download of the snapshot',
    details: { namespace: target.label, count: documents.length, documents: documents.slice(0, REFUSED_NAMED) },
  });
}

function asWriteFailure(target: RawInsertTarget, cause: unknown): unknown {
  if (cause instanceof LeafvaultError) return cause;
  return new LeafvaultError('RESTORE_WRITE_FAILED', `Writing to ${target.label} failed`, { cause, retryable: isTransient(cause) });
}
