// One raw oplog entry, taken apart without decoding documents.
import { showClusterTime, type ClusterTime } from '../../../domain/cluster-time.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { asBuffer, BSON_TYPE, rawChild, rawField, rawFields, rawId, rawText, readString, type RawField } from '../../bson/index.ts';
import { joinNamespace } from '../../mongo/index.ts';

/** A change of one document. */
export interface WriteOp {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly namespace: string;
  /** 32 hex digits. */
  readonly uuid: string;
  /** Type byte and value; null for a document without `_id`. */
  readonly id: Buffer | null;
  /**
   * Of an update that keeps the value of `_id` and changes its bytes (`1` becomes `1.0`, by replacement or pipeline;
   * checked on 6.0.5): the new one; entries that follow name it. Null otherwise.
   */
  readonly newId: Buffer | null;
  /** The entry's `o`: the document of an insert, the change of an update. */
  readonly object: Buffer;
  /** Of an atomic `applyOps` that somebody issued: logged as it was asked for, whatever it met. */
  readonly asAsked?: boolean;
}

/** A change of the catalog of collections. */
export interface CommandOp {
  readonly kind: 'command';
  readonly db: string;
  readonly uuid: string | null;
  /** First field of `object`: `create`, `drop`, … */
  readonly name: string;
  readonly object: Buffer;
}

export type OplogOp = WriteOp | CommandOp;

/** Part of a transaction of several entries; the parts are linked by `previous`. */
export interface TransactionPart {
  /** Session and number, as bytes in base64. */
  readonly key: string;
  readonly previous: ClusterTime | null;
  /** `open`: more is to come; `commit`: everything before counts from here; `abort`: nothing of it ever counts. */
  readonly step: 'open' | 'commit' | 'abort';
}

export interface OplogEntry {
  readonly time: ClusterTime;
  /** Of the election of who wrote it. */
  readonly term: bigint | null;
  readonly operations: readonly OplogOp[];
  readonly transaction: TransactionPart | null;
  /** `lsid.id` as 32 hex digits, of transactions and retryable writes; worked out when it is asked for. */
  readonly session: string | null;
}

interface Fields {
  readonly bytes: Buffer;
  readonly byName: ReadonlyMap<string, RawField>;
}

const WRITES: Readonly<Record<string, WriteOp['kind']>> = { i: 'insert', u: 'update', d: 'delete' };

/** What an operation is about: `db.collection` as it was called then, of some commands the database alone. */
export function namespaceOf(op: OplogOp): string {
  if (op.kind !== 'command') return op.namespace;
  const named = rawText(op.object, op.name);
  if (named === null) return op.db;
  return op.name === 'renameCollection' ? named : joinNamespace(op.db, named);
}

/** @throws LeafvaultError BSON_MALFORMED, CAPTURE_OPERATION_UNKNOWN */
export function parseOplogEntry(raw: Uint8Array): OplogEntry {
  const fields = fieldsOf(raw);
  const time = timeOf(fields, 'ts');
  if (time === null) throw unknownOperation('an entry without a time', '', null);
  const op = textOf(fields, 'op');
  const term = longOf(fields, 't');
  if (op === 'n') return { time, term, operations: [], transaction: null, session: null };
  const found = op === 'c' && isTransactionCommand(fields) ? transactionEntry(fields, time) : { operations: operationsOf(fields, time), transaction: null };
  return { time, term, ...found, get session() { return sessionOf(fields); } };
}

/** The same for an operation inside `applyOps`, which has no time of its own. */
function operationsOf(fields: Fields, time: ClusterTime): readonly OplogOp[] {
  const op = textOf(fields, 'op');
  const namespace = textOf(fields, 'ns');
  if (op === 'n' || isInternal(namespace)) return [];
  const object = childOf(fields, 'o');
  const kind = WRITES[op];
  if (kind !== undefined && object !== null) return [writeOp(fields, kind, { namespace, object, time })];
  if (op === 'c' && object !== null) return commandOps(fields, namespace, object, time);
  throw unknownOperation(`of type "${op}"`, namespace, time);
}

function writeOp(fields: Fields, kind: WriteOp['kind'], what: { namespace: string; object: Buffer; time: ClusterTime }): WriteOp {
  const uuid = uuidOf(fields);
  if (uuid === null) throw unknownOperation(`"${kind}" without a collection UUID`, what.namespace, what.time);
  const keyed = kind === 'update' ? childOf(fields, 'o2') : what.object;
  const id = keyed === null ? null : rawId(keyed);
  const written = kind === 'update' ? writtenId(what.object) : null;
  const newId = written === null || id?.equals(written) === true ? null : written;
  return { kind, namespace: what.namespace, uuid, id, newId, object: what.object };
}

/** The `_id` that an update writes: that of a replacement, or of a diff that sets it. */
function writtenId(object: Buffer): Buffer | null {
  const replaced = rawId(object);
  const diff = replaced === null ? rawChild(object, 'diff') : null;
  if (diff === null) return replaced;
  const [updated, inserted] = [rawChild(diff, 'u'), rawChild(diff, 'i')];
  return (updated === null ? null : rawId(updated)) ?? (inserted === null ? null : rawId(inserted));
}

function commandOps(fields: Fields, namespace: string, object: Buffer, time: ClusterTime): readonly OplogOp[] {
  const name = firstName(object);
  if (name === 'applyOps') return nestedOps(object, time);
  return [{ kind: 'command', db: namespace.slice(0, namespace.indexOf('.')), uuid: uuidOf(fields), name, object }];
}

function nestedOps(object: Buffer, time: ClusterTime): readonly OplogOp[] {
  const list = rawChild(object, 'applyOps');
  if (list === null) throw unknownOperation('applyOps without a list', '', time);
  const operations = [...rawFields(list)].flatMap((field) => operationsOf(fieldsOf(list.subarray(field.valueAt, field.end)), time));
  // The whole command is logged where somebody issued it, and the list alone where the server gathered writes of its own (checked on 6.0.5).
  return rawField(object, '$db') === null ? operations : operations.map((op) => (op.kind === 'command' ? op : { ...op, asAsked: true }));
}

/** Entries of transactions carry session, number and a link, and none of the marks of a vectored insert (8.0). */
function isTransactionCommand(fields: Fields): boolean {
  const object = childOf(fields, 'o');
  if (object === null || fields.byName.get('lsid') === undefined || fields.byName.get('txnNumber') === undefined) return false;
  const name = firstName(object);
  if (name === 'commitTransaction' || name === 'abortTransaction') return true;
  return name === 'applyOps' && fields.byName.get('multiOpType') === undefined;
}

function transactionEntry(fields: Fields, time: ClusterTime): Pick<OplogEntry, 'operations' | 'transaction'> {
  const object = childOf(fields, 'o') as Buffer;
  const name = firstName(object);
  const open = isTrue(object, 'partialTxn') || isTrue(object, 'prepare');
  const step = name === 'abortTransaction' ? 'abort' : open ? 'open' : 'commit';
  return {
    operations: name === 'applyOps' ? nestedOps(object, time) : [],
    transaction: { key: transactionKey(fields), previous: linkOf(fields), step },
  };
}

function transactionKey(fields: Fields): string {
  const [session, number] = [fields.byName.get('lsid') as RawField, fields.byName.get('txnNumber') as RawField];
  return Buffer.concat([fields.bytes.subarray(session.valueAt, session.end), fields.bytes.subarray(number.valueAt, number.end)]).toString('base64');
}

function sessionOf(fields: Fields): string | null {
  const session = childOf(fields, 'lsid');
  const id = session === null ? null : rawField(session, 'id');
  return session === null || id === null ? null : readUuid(session, id);
}

function linkOf(fields: Fields): ClusterTime | null {
  const link = childOf(fields, 'prevOpTime');
  const time = link === null ? null : timeOf(fieldsOf(link), 'ts');
  return time === null || (time.t === 0 && time.i === 0) ? null : time;
}

/** `config` and `local` hold the servers' own business; it is never applied. */
function isInternal(namespace: string): boolean {
  return namespace === '' || namespace.startsWith('config.') || namespace.startsWith('local.');
}

function fieldsOf(raw: Uint8Array): Fields {
  const bytes = asBuffer(raw);
  const byName = new Map<string, RawField>();
  for (const field of rawFields(bytes)) if (!byName.has(field.name)) byName.set(field.name, field);
  return { bytes, byName };
}

function childOf({ bytes, byName }: Fields, name: string): Buffer | null {
  const field = byName.get(name);
  return field?.type === BSON_TYPE.document ? bytes.subarray(field.valueAt, field.end) : null;
}

function textOf({ bytes, byName }: Fields, name: string): string {
  const field = byName.get(name);
  return field?.type === BSON_TYPE.string ? readString(bytes, field) : '';
}

function timeOf({ bytes, byName }: Fields, name: string): ClusterTime | null {
  const field = byName.get(name);
  if (field?.type !== BSON_TYPE.timestamp) return null;
  return { i: bytes.readUInt32LE(field.valueAt), t: bytes.readUInt32LE(field.valueAt + 4) };
}

function longOf({ bytes, byName }: Fields, name: string): bigint | null {
  const field = byName.get(name);
  return field?.type === BSON_TYPE.long ? bytes.readBigInt64LE(field.valueAt) : null;
}

function uuidOf({ bytes, byName }: Fields): string | null {
  const field = byName.get('ui');
  return field === undefined ? null : readUuid(bytes, field);
}

/** A UUID value as 32 hex digits, null for anything else. */
export function readUuid(bytes: Buffer, field: RawField): string | null {
  const isUuid = field.type === BSON_TYPE.binary && field.end - field.valueAt === 21 && bytes[field.valueAt + 4] === 4;
  return isUuid ? bytes.toString('hex', field.valueAt + 5, field.end) : null;
}

function firstName(object: Buffer): string {
  for (const field of rawFields(object)) return field.name;
  return '';
}

/** True for `true` and for numbers other than zero. */
export function isTrue(object: Buffer, name: string): boolean {
  const field = rawField(object, name);
  return field !== null && object.subarray(field.valueAt, field.end).some((byte) => byte !== 0);
}

export function unknownOperation(operation: string, namespace: string, time: ClusterTime | null): LeafvaultError {
  const at = time === null ? '' : ` at ${showClusterTime(time)}`;
  return new LeafvaultError('CAPTURE_OPERATION_UNKNOWN', `Following the oplog failed${at}: operation ${operation} on ${namespace} is not known`, {
    details: { operation, namespace, time },
    hint: 'Take the snapshot when this operation is not running, and report it',
  });
}
