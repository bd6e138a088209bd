// A snapshot of a server that nobody writes to, made with the repository's writer and without the capture: what the
// restore is tested with when the test has to choose what lies in the lists.
import { randomBytes } from 'node:crypto';
import { MongoClient, type Document } from 'mongodb';
import type { CollectionBody, EntryKind, SnapshotBody } from '../../src/engine/contracts.ts';
import { bytesOf, createKernel, documentsOf, hashOf, newHashState, orderedHashOf, rawChild, rawDocument, rawId } from '../../src/engine/bson/index.ts';
import { createRawReader, readAll, type RawReader } from '../../src/engine/mongo/index.ts';
import { newId } from '../../src/foundation/ids.ts';
import type { ChunkList, Repository, RepositoryWriter, SnapshotRoot } from '../../src/repository/repository.ts';

/** What a test wants to see in the lists of one collection instead of its plain documents. */
export interface ListsOfTest {
  /** As a scan would have read them. */
  readonly scan: readonly Buffer[];
  readonly touched: readonly Buffer[];
  readonly patch: readonly Buffer[];
}

export interface BuildOptions {
  readonly repository: Repository;
  /** Documents of some namespaces, changed before they are hashed: a snapshot that was like that. */
  readonly change?: Readonly<Record<string, (documents: readonly Buffer[]) => readonly Buffer[]>>;
  /** Lists of some namespaces, changed behind the hash: a snapshot that is not what it says, or settled otherwise. */
  readonly lists?: Readonly<Record<string, (documents: readonly Buffer[]) => ListsOfTest>>;
  /** Raw bytes of a chunk at least; small so that there are many. */
  readonly chunkBytes?: number;
  readonly usersAndRoles?: boolean;
  readonly databases?: readonly string[];
}

/** Reads everything that the connection string shows and commits it as one snapshot. */
export async function buildSnapshot(uri: string, options: BuildOptions): Promise<SnapshotRoot> {
  const client = new MongoClient(uri);
  const writer = await options.repository.openWriter();
  try {
    const reader = await createRawReader(client);
    const bodies: CollectionBody[] = [];
    for (const db of await databasesOf(client, options)) {
      for (const listed of await client.db(db).listCollections({}, { promoteValues: false }).toArray() as Document[]) {
        const body = await addCollection({ client, reader, writer, options }, db, listed);
        if (body !== null) bodies.push(body);
      }
    }
    if (options.usersAndRoles === true) for (const kind of ['users', 'roles'] as const) bodies.push(await addAuth({ client, reader, writer, options }, kind));
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    return await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: bodyOf(bodies, String(version)) });
  } finally {
    await writer.abort();
    await client.close();
  }
}

interface Build {
  readonly client: MongoClient;
  readonly reader: RawReader;
  readonly writer: RepositoryWriter;
  readonly options: BuildOptions;
}

async function databasesOf(client: MongoClient, options: BuildOptions): Promise<string[]> {
  if (options.databases !== undefined) return [...options.databases];
  const { databases } = await client.db('admin').command({ listDatabases: 1, nameOnly: true });
  return (databases as { name: string }[]).map(({ name }) => name).filter((name) => !['admin', 'local', 'config', '__leafvault'].includes(name));
}

async function addCollection(build: Build, db: string, listed: Document): Promise<CollectionBody | null> {
  const name = String(listed.name);
  const type = String(listed.type);
  if (name.startsWith('system.') && name !== 'system.js') return null;
  const kind: EntryKind = type === 'view' ? 'view' : type === 'timeseries' ? 'timeseries' : 'collection';
  const indexes = kind === 'view' ? [] : await collect(readAll(build.reader, db, { listIndexes: name }));
  const documents = kind === 'view' ? [] : await collect(readAll(build.reader, db, { find: kind === 'timeseries' ? `system.buckets.${name}` : name, hint: { $natural: 1 } }));
  const [raw] = await collect(readAll(build.reader, db, { listCollections: 1, filter: { name } }));
  return addEntry(build, {
    kind, db, name, documents, options: rawChild(raw as Buffer, 'options') ?? rawDocument([]), indexes: arrayOf('indexes', indexes),
    capped: listed.options?.capped === true,
  });
}

async function addAuth(build: Build, kind: 'users' | 'roles'): Promise<CollectionBody> {
  const documents = await collect(readAll(build.reader, 'admin', { find: `system.${kind}` }));
  return addEntry(build, { kind, db: 'admin', name: `system.${kind}`, documents, options: rawDocument([]), indexes: arrayOf('indexes', []), capped: false });
}

interface Part {
  readonly kind: EntryKind;
  readonly db: string;
  readonly name: string;
  readonly documents: readonly Buffer[];
  readonly options: Buffer;
  readonly indexes: Buffer;
  readonly capped: boolean;
}

async function addEntry({ writer, options }: Build, given: Part): Promise<CollectionBody> {
  const part = { ...given, documents: options.change?.[`${given.db}.${given.name}`]?.(given.documents) ?? given.documents };
  const state = newHashState();
  if (part.documents.length > 0) createKernel(options.repository.hashSeed).frame(Buffer.concat([...part.documents]), { state, onSlice: () => undefined });
  const lists = options.lists?.[`${part.db}.${part.name}`]?.(part.documents) ?? { scan: part.documents, touched: [], patch: [] };
  const body: CollectionBody = {
    kind: part.kind, db: part.db, name: part.name, uuid: part.kind === 'view' ? null : randomBytes(16).toString('hex'),
    options: part.options.toString('base64'), indexes: part.indexes.toString('base64'),
    documents: documentsOf(state), bytes: bytesOf(state), hash: hashOf(state), capped: part.capped, orderedHash: part.capped ? orderedHashOf(state) : null, cutMask: 0,
  };
  await writer.addEntry({
    name: `${part.db}.${part.name}`, body: body as unknown as Record<string, unknown>,
    lists: {
      scan: await writeList(writer, lists.scan, options.chunkBytes ?? 16 * 1024),
      touched: await writeList(writer, lists.touched.toSorted(Buffer.compare).map(asTouched), 4096),
      patch: await writeList(writer, lists.patch, options.chunkBytes ?? 16 * 1024),
    },
  });
  return body;
}

async function writeList(writer: RepositoryWriter, records: readonly Buffer[], chunkBytes: number): Promise<ChunkList> {
  const list = writer.openList();
  let run: Buffer[] = [];
  const flush = async (): Promise<void> => {
    if (run.length > 0) await list.append(await writer.putChunk(Buffer.concat(run), run.length));
    run = [];
  };
  for (const record of records) {
    run.push(record);
    if (run.reduce((sum, { length }) => sum + length, 0) >= chunkBytes) await flush();
  }
  await flush();
  return list.finish();
}

function asTouched(document: Buffer): Buffer {
  const id = rawId(document) as Buffer;
  return rawDocument([{ name: '_id', type: id[0] ?? 0, value: id.subarray(1) }]);
}

function arrayOf(name: string, documents: readonly Buffer[]): Buffer {
  const array = rawDocument(documents.map((value, index) => ({ name: String(index), type: 3, value })));
  return rawDocument([{ name, type: 4, value: array }]);
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const each of source) found.push(Buffer.from(each));
  return found;
}

function bodyOf(bodies: readonly CollectionBody[], version: string): Record<string, unknown> {
  const body: SnapshotBody = {
    engineVersion: 1,
    source: { topology: 'replicaSet', replicaSetName: 'rs0', replicaSetId: null, serverVersion: version, featureCompatibilityVersion: version.split('.').slice(0, 2).join('.'), member: '127.0.0.1:0' },
    consistency: 'point-in-time', beganAt: null, pointInTime: null, capturedAt: new Date().toISOString(), selection: { databases: [], collections: [] },
    collections: bodies.length, documents: bodies.reduce((sum, each) => sum + each.documents, 0), bytes: bodies.reduce((sum, each) => sum + each.bytes, 0),
  };
  return { ...body };
}
