// The pieces of work that are measured. Each runs in a process of its own, so that CPU and memory are its own.
import { createReadStream } from 'node:fs';
import { open, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient, type Db, type Document } from 'mongodb';
import { captureSnapshot, restoreSnapshot } from '../src/engine/index.ts';
import { systemClock } from '../src/foundation/clock.ts';
import { createLogger } from '../src/foundation/logger.ts';
import { newId } from '../src/foundation/ids.ts';
import { openOrInitRepository, type Repository } from '../src/repository/index.ts';
import { openStorage } from '../src/storage/index.ts';
import { DATABASE, INDEXES, SMALL } from './data-set.ts';
import { insertRawSequence } from './raw-sequence.ts';

export interface WorkOptions {
  readonly uri: string;
  /** Of the repository. */
  readonly repository: string;
  /** Private, empty. */
  readonly folder: string;
  /** A flat file of raw documents, for the stand-in of a restore. */
  readonly flatFile: string;
}

export interface WorkResult {
  /** Raw BSON bytes that went through. */
  readonly bytes: number;
  /** Bytes that the repository grew by, where it did. */
  readonly storedBytes?: number;
  /** Where only a part of the work counts. */
  readonly seconds?: number;
}

export type Work = (options: WorkOptions) => Promise<WorkResult>;

const MASTER_KEY = Buffer.alloc(32, 7);
const INSERT_BYTES = 4 * 1024 * 1024;
const INSERTS_AT_ONCE = 4;

export const WORKS: Readonly<Record<string, Work>> = {
  /** Stand-in: the same data read raw to nowhere, two collections after the other. */
  rawRead: ({ uri }) => withClient(uri, async (client) => {
    const db = client.db(DATABASE);
    let bytes = 0;
    for (const { name } of await db.listCollections().toArray()) bytes += await readRaw(db, String(name), () => undefined);
    return { bytes };
  }),

  /** Not a row: makes the file that `rawInsert` reads. */
  dump: ({ uri, flatFile }) => withClient(uri, async (client) => {
    const file = await open(flatFile, 'w');
    const pieces: Promise<unknown>[] = [];
    const bytes = await readRaw(client.db(DATABASE), 'orders', (batch) => void pieces.push(file.write(Buffer.from(batch))));
    await Promise.all(pieces);
    await file.close();
    return { bytes };
  }),

  /** Stand-in: raw inserts out of a flat file, then the indexes; no proof, no swap. */
  rawInsert: ({ uri, flatFile }) => withClient(uri, async (client) => {
    const db = client.db('bench_raw');
    await db.dropDatabase();
    const bytes = await insertFile(db, 'orders', flatFile);
    await db.collection('orders').createIndexes([...INDEXES]);
    return { bytes };
  }),

  snapshot: ({ uri, repository: folder, folder: tempDir }) => withRepository(folder, tempDir, async (repository) => {
    const signal = new AbortController().signal;
    const previous = await newest(repository);
    const reader = previous === null ? null : await repository.openReader();
    const writer = await repository.openWriter({ signal });
    const { body } = await captureSnapshot({
      // `0`: what they save and cost, beside a run with them.
      deltas: process.env['LEAFVAULT_BENCH_DELTAS'] !== '0',
      uri, writer, hashSeed: repository.hashSeed, previous: previous === null || reader === null ? null : { root: previous, reader },
      selection: { databases: [DATABASE], collections: [] }, tempDir: await fresh(tempDir), signal, onProgress: () => undefined, log, clock: systemClock,
    });
    const root = await writer.commit({ id: newId(), createdAt: systemClock.now().toISOString(), series: 'bench', body: { ...body } });
    await reader?.close();
    return { bytes: body.bytes, storedBytes: root.stats.storedBytes };
  }),

  restore: (options) => restore(options, [], 'bench_restored'),
  /** The first snapshot, which holds no deltas: what these cost the other one. */
  restoreFull: (options) => restore(options, [], 'bench_full', 'oldest'),
  /** One small collection out of the large snapshot. */
  restoreOne: (options) => restore(options, [`${DATABASE}.${SMALL}`], 'bench_one'),
};

const log = createLogger('error');

async function restore({ uri, repository: folder, folder: tempDir }: WorkOptions, collections: readonly string[], into: string, which: 'newest' | 'oldest' = 'newest'): Promise<WorkResult> {
  await withClient(uri, (client) => client.db(into).dropDatabase());
  return withRepository(folder, tempDir, async (repository) => {
    const root = which === 'newest' ? await newest(repository) : await oldest(repository);
    if (root === null) throw new Error('There is no snapshot to restore');
    const reader = await repository.openReader();
    let plan: Readonly<Record<string, unknown>> | null = null;
    const result = await restoreSnapshot({
      restoreId: newId(), reader, root, hashSeed: repository.hashSeed, target: { uri },
      selection: { databases: collections.length === 0 ? [DATABASE] : [], collections, renames: [{ from: DATABASE, to: into }] },
      indexStrategy: 'ALL', usersAndRoles: false, timeSeries: 'refuse', oldCollections: 'drop',
      journal: { load: async () => plan, save: async (next) => { plan = next; } },
      tempDir: await fresh(tempDir), signal: new AbortController().signal, onProgress: () => undefined, log, clock: systemClock,
    });
    await reader.close();
    return { bytes: result.bytes };
  });
}

export async function withRepository<T>(folder: string, tempDir: string, use: (repository: Repository) => Promise<T>): Promise<T> {
  const storage = openStorage(`file:${folder}`);
  const { repository } = await openOrInitRepository({ storage, masterKey: MASTER_KEY, tempDir: join(tempDir, 'index'), log });
  try {
    return await use(repository);
  } finally {
    await repository.close();
    await storage.close();
  }
}

async function newest(repository: Repository): Promise<Awaited<ReturnType<Repository['loadSnapshot']>> | null> {
  let found = null;
  for await (const root of repository.listSnapshots()) if (found === null || root.createdAt > found.createdAt) found = root;
  return found;
}

async function oldest(repository: Repository): Promise<Awaited<ReturnType<Repository['loadSnapshot']>> | null> {
  let found = null;
  for await (const root of repository.listSnapshots()) if (found === null || root.createdAt < found.createdAt) found = root;
  return found;
}

export async function fresh(folder: string): Promise<string> {
  const path = join(folder, 'work');
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  return path;
}

export async function withClient<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** `find` and `getMore` with `fieldsAsRaw`, on one session. `onDocuments` gets the content of each batch. */
async function readRaw(db: Db, collection: string, onDocuments: (bytes: Uint8Array) => void): Promise<number> {
  // A cursor's id has to go back as the long that it is.
  const options = { fieldsAsRaw: { firstBatch: true, nextBatch: true }, promoteLongs: false };
  let bytes = 0;
  const take = (batch: readonly Uint8Array[]): void => {
    for (const document of batch) {
      bytes += document.length;
      onDocuments(document);
    }
  };
  let { cursor } = await db.command({ find: collection, hint: { $natural: 1 } }, options);
  take(batchOf(cursor as Document, 'firstBatch'));
  while (String((cursor as Document).id) !== '0') {
    ({ cursor } = await db.command({ getMore: (cursor as Document).id, collection }, options));
    take(batchOf(cursor as Document, 'nextBatch'));
  }
  return bytes;
}

function batchOf(cursor: Document, field: string): readonly Uint8Array[] {
  return cursor[field] as readonly Uint8Array[];
}

async function insertFile(db: Db, collection: string, path: string): Promise<number> {
  const underWay = new Set<Promise<void>>();
  let rest: Buffer = Buffer.alloc(0);
  let batch: Buffer[] = [];
  let batchBytes = 0;
  let total = 0;
  const send = async (): Promise<void> => {
    const sending: Promise<void> = insertRawSequence(db, collection, batch).finally(() => underWay.delete(sending));
    underWay.add(sending);
    [batch, batchBytes] = [[], 0];
    if (underWay.size >= INSERTS_AT_ONCE) await Promise.race(underWay);
  };
  for await (const part of createReadStream(path, { highWaterMark: INSERT_BYTES })) {
    const bytes: Buffer = rest.length === 0 ? (part as Buffer) : Buffer.concat([rest, part as Buffer]);
    let at = 0;
    while (at + 4 <= bytes.length && at + bytes.readInt32LE(at) <= bytes.length) {
      const size = bytes.readInt32LE(at);
      batch.push(bytes.subarray(at, at + size));
      at += size;
      batchBytes += size;
      total += size;
      if (batchBytes >= INSERT_BYTES) await send();
    }
    rest = bytes.subarray(at);
  }
  if (batch.length > 0) await send();
  await Promise.all(underWay);
  return total;
}
