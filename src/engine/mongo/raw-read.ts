// Cursor commands whose batches stay raw bytes: one view of the whole batch, no object for each document.
// The only file that knows how the driver gives raw replies (`raw: true` of `db.command`, checked with 7.9.0:
// subdocuments of the reply come as views of its bytes). `createRawReader` proves that once for each client; should a
// driver stop doing so, batches are asked for with `fieldsAsRaw` instead, and refused if that fails too.
import { BSON, Long, type ClientSession, type Document, type MongoClient, type ServerDescriptionChangedEvent, Timestamp, type TopologyVersion } from 'mongodb';
import type { ClusterTime } from '../../domain/cluster-time.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { asBuffer, rawArray, rawFields, readString } from '../bson/index.ts';
import { toClusterTime } from './cluster-times.ts';

export interface RawReply {
  /** The BSON array of the batch, raw: what `Kernel.frame` takes with `array: true`. */
  readonly batch: Buffer;
  /** Zero when the cursor is at its end. */
  readonly cursorId: bigint;
  readonly namespace: string;
  /** Raw `postBatchResumeToken`, when it was asked for. */
  readonly resumeToken: Buffer | null;
  readonly operationTime: ClusterTime | null;
}

export interface ReadOptions {
  readonly session?: ClientSession;
  readonly signal?: AbortSignal;
}

export interface RawReader {
  /** Runs a command that answers with a cursor (`find`, `listCollections`, `listIndexes`, `aggregate`). */
  open(db: string, command: Document, options?: ReadOptions): Promise<RawReply>;
  /** The next batch of a cursor. `collection` is the name in the first reply's namespace. */
  more(db: string, cursor: { readonly id: bigint; readonly collection: string }, command?: Document, options?: ReadOptions): Promise<RawReply>;
  /** Ends a cursor; a failure is no matter, the server ends idle cursors itself. */
  kill(db: string, cursor: { readonly id: bigint; readonly collection: string }): Promise<void>;
}

type Mode = 'raw' | 'fieldsAsRaw';

const RAW_OPTIONS: Readonly<Record<Mode, Document>> = {
  raw: { raw: true },
  // Values stay promoted but for longs: the driver has to recognise the numbers of errors.
  fieldsAsRaw: { fieldsAsRaw: { firstBatch: true, nextBatch: true }, promoteLongs: false },
};

/** @throws LeafvaultError SOURCE_DRIVER_UNSUITABLE */
export async function createRawReader(client: MongoClient): Promise<RawReader> {
  client.off('serverDescriptionChanged', readVersion).on('serverDescriptionChanged', readVersion);
  const mode = await chooseMode(client);
  const run = async (db: string, command: Document, options: ReadOptions = {}): Promise<RawReply> =>
    parseReply(await client.db(db).command(command, { ...RAW_OPTIONS[mode], ...options }));
  return {
    open: run,
    more: (db, cursor, command = {}, options = {}) => run(db, { getMore: Long.fromBigInt(cursor.id), collection: cursor.collection, ...command }, options),
    async kill(db, cursor) {
      await client.db(db).command({ killCursors: cursor.collection, cursors: [Long.fromBigInt(cursor.id)] }).catch(() => undefined);
    },
  };
}

/**
 * Decodes the version of a topology that came with the refusal of a raw read, and so as raw bytes. The driver keeps it and compares
 * with it (7.9.0), asks a server with it, which is refused, and when a connection of its monitor is made meanwhile it throws where
 * nobody can catch it: a member that stood still and then rolled back ended the process. Only what it keeps can be mended: such a
 * refusal still counts as newer than it is, and the member is unknown until its next heartbeat.
 */
function readVersion({ newDescription }: ServerDescriptionChangedEvent): void {
  const version: unknown = newDescription.topologyVersion;
  if (version instanceof Uint8Array) newDescription.topologyVersion = BSON.deserialize(version, { promoteLongs: false }) as TopologyVersion;
}

/** `listDatabases` of names only is run both ways on the empty cursor of a command that needs no privilege. */
async function chooseMode(client: MongoClient): Promise<Mode> {
  for (const mode of ['raw', 'fieldsAsRaw'] as const) {
    const reply = await client.db('admin').command({ hello: 1 }, RAW_OPTIONS[mode]);
    if (mode === 'raw' && Object.values(reply).some((value) => value instanceof Uint8Array)) return mode;
    if (mode === 'fieldsAsRaw' && reply.ok !== undefined) return mode;
  }
  throw new LeafvaultError('SOURCE_DRIVER_UNSUITABLE', 'Preparing raw reads failed: the MongoDB driver does not hand out raw replies', {
    hint: 'Install the driver version that Leafvault pins',
  });
}

function parseReply(reply: Document): RawReply {
  const cursor: unknown = reply.cursor;
  const operationTime = reply.operationTime instanceof Timestamp ? toClusterTime(reply.operationTime) : null;
  if (cursor instanceof Uint8Array) return { ...parseCursor(asBuffer(cursor)), operationTime };
  return { ...cursorOfFields(cursor as Document), operationTime };
}

function parseCursor(cursor: Buffer): Omit<RawReply, 'operationTime'> {
  let batch: Buffer | null = null;
  let resumeToken: Buffer | null = null;
  let cursorId = 0n;
  let namespace = '';
  for (const field of rawFields(cursor)) {
    if (field.name === 'firstBatch' || field.name === 'nextBatch') batch = cursor.subarray(field.valueAt, field.end);
    else if (field.name === 'id') cursorId = cursor.readBigInt64LE(field.valueAt);
    else if (field.name === 'ns') namespace = readString(cursor, field);
    else if (field.name === 'postBatchResumeToken') resumeToken = Buffer.from(cursor.subarray(field.valueAt, field.end));
  }
  if (batch === null) throw new LeafvaultError('SOURCE_READ_FAILED', 'Reading a batch failed: the reply holds none');
  return { batch, cursorId, namespace, resumeToken };
}

function cursorOfFields(cursor: Document): Omit<RawReply, 'operationTime'> {
  const documents = (cursor.firstBatch ?? cursor.nextBatch) as unknown;
  if (!Array.isArray(documents) || !documents.every((each) => each instanceof Uint8Array)) {
    throw new LeafvaultError('SOURCE_DRIVER_UNSUITABLE', 'Reading a batch failed: the MongoDB driver decoded its documents');
  }
  return {
    batch: rawArray(documents.map((each) => Buffer.concat([Buffer.of(3), each]))),
    cursorId: (cursor.id as Long).toBigInt(),
    namespace: cursor.ns as string,
    resumeToken: null,
  };
}

/** The documents of a raw batch, each a view. For metadata and small reads; bulk goes through the kernel. */
export function* documentsOfBatch(batch: Buffer): Generator<Buffer, void, undefined> {
  for (const field of rawFields(batch)) yield batch.subarray(field.valueAt, field.end);
}

/** Every document of a cursor command, batch by batch, closed when the consumer leaves. */
export async function* readAll(reader: RawReader, db: string, command: Document, options: ReadOptions = {}): AsyncGenerator<Buffer, void, undefined> {
  let reply = await reader.open(db, command, options);
  const collection = reply.namespace.slice(reply.namespace.indexOf('.') + 1);
  try {
    for (;;) {
      yield* documentsOfBatch(reply.batch);
      if (reply.cursorId === 0n) return;
      reply = await reader.more(db, { id: reply.cursorId, collection }, {}, options);
    }
  } finally {
    if (reply.cursorId !== 0n) await reader.kill(db, { id: reply.cursorId, collection });
  }
}
