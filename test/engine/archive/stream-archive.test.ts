import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { streamArchive, TOP_FOLDER } from '../../../src/engine/archive/index.ts';
import type { ArchiveOptions } from '../../../src/engine/contracts.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import type { Repository, RepositoryReader, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { loadDump, readDump, type DumpFile } from '../../support/load-dump.ts';
import { findMongorestore } from '../../support/mongorestore.ts';
import { startReplicaSet, startStandalone, type ReplicaSet } from '../../support/mongod.ts';
import { writeCorpus } from '../../support/odd-corpus.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer } from '../../support/restore-world.ts';

const mongorestore = await findMongorestore();
const EVERYTHING = { databases: [], collections: [], renames: [] };

describe('an archive', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let reader: RepositoryReader;
  let root: SnapshotRoot;
  let folder: string;
  let original: Record<string, string>;

  before(async () => {
    server = await startReplicaSet({ auth: true });
    client = new MongoClient(server.adminUri);
    await writeCorpus(client);
    folder = await mkdtemp(join(tmpdir(), 'leafvault-archive-'));
    repository = await openTestRepository(createMemoryStorage());
    root = await buildSnapshot(server.adminUri, { repository, usersAndRoles: true });
    reader = await repository.openReader();
    original = await contentOfServer(server.adminUri, { ordered: true });
  });

  after(async () => {
    await reader?.close();
    await repository?.close();
    await client?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const optionsWith = (changes: Partial<ArchiveOptions> = {}): ArchiveOptions => ({
    reader, hashSeed: repository.hashSeed, root, selection: EVERYTHING, tempDir: folder, signal: new AbortController().signal, ...changes,
  });

  /** Packs, unpacks with the system's tar and reads every file. */
  async function unpack(changes: Partial<ArchiveOptions> = {}): Promise<DumpFile[]> {
    const into = await mkdtemp(join(folder, 'out-'));
    await pipeline(streamArchive(optionsWith(changes)), createWriteStream(join(into, 'a.tar.gz')));
    await promisify(execFile)('tar', ['xzf', 'a.tar.gz'], { cwd: into });
    return readDump(join(into, TOP_FOLDER));
  }

  test('is a mongodump directory that loads into an empty server as it was', async () => {
    const files = await unpack();
    assert.deepEqual(files.filter(({ db }) => db === 'admin').map(({ name }) => name).sort(), ['system.roles', 'system.users', 'system.version']);
    const version = files.find(({ name }) => name === 'system.version');
    assert.equal(version?.documents?.length, 2);
    assert.equal(files.find(({ name }) => name === 'system.users')?.documents?.length, 1);
    for (const db of ['shop', 'odd']) await client.db(db).dropDatabase();
    await loadDump(client, files);
    assert.deepEqual(await contentOfServer(server.adminUri, { ordered: true }), original);
  });

  test('is loaded by mongorestore as it was, odd names and odd documents included, but for zero timestamps', { skip: typeof mongorestore === 'string' ? mongorestore : false }, async () => {
    assert.ok(typeof mongorestore !== 'string');
    const into = await mkdtemp(join(folder, 'tool-'));
    await pipeline(streamArchive(optionsWith()), createWriteStream(join(into, 'a.tar.gz')));
    await promisify(execFile)('tar', ['xzf', 'a.tar.gz'], { cwd: into });
    await using empty = await startStandalone();
    const told = await mongorestore.load(empty.uri, join(into, TOP_FOLDER));
    assert.match(told, /0 document\(s\) failed to restore/);
    const { 'odd.documents': _loaded, ...loaded } = await contentOfServer(empty.uri, { ordered: true });
    const { 'odd.documents': _original, ...expected } = original;
    assert.deepEqual(loaded, expected);
    // A plain insert cannot store a zero timestamp: the server puts the time in its place. Leafvault's own restore can.
    const withoutZeroTimestamps = async (from: MongoClient): Promise<Buffer[]> =>
      (await from.db('odd').collection('documents').find({ _id: { $nin: [101, 102, 103] } } as never, { raw: true }).toArray()) as unknown as Buffer[];
    await using there = new MongoClient(empty.uri);
    assert.deepEqual(await withoutZeroTimestamps(there), await withoutZeroTimestamps(client));
  });

  test('holds what was chosen under its new names, and no users', async () => {
    const files = await unpack({ selection: { databases: ['odd'], collections: ['shop.log'], renames: [{ from: 'shop.log', to: 'shop.diary' }, { from: 'odd', to: 'even' }] } });
    assert.deepEqual([...new Set(files.map(({ db }) => db))].sort(), ['even', 'shop']);
    assert.deepEqual(files.filter(({ db }) => db === 'shop').map(({ name }) => name), ['diary']);
    assert.equal(files.length, Object.keys(original).filter((name) => name.startsWith('odd.')).length + 1);
  });

  test('has the same bytes each time', async () => {
    const digest = async (): Promise<string> => {
      const hash = createHash('sha1');
      for await (const bytes of streamArchive(optionsWith())) hash.update(bytes as Buffer);
      return hash.digest('hex');
    };
    assert.equal(await digest(), await digest());
  });

  test('ends with the named error when a chunk is damaged, and is never short', async () => {
    const damage = new Error('REPOSITORY_CHUNK_DAMAGED of the test');
    const breaking: RepositoryReader = {
      ...reader,
      readChunk: (id) => reader.readChunk(id), refs: (list) => reader.refs(list), entries: (of) => reader.entries(of), close: () => reader.close(),
      async *chunks(list, options) {
        let count = 0;
        for await (const chunk of reader.chunks(list, options)) {
          if (count++ === 3) throw damage;
          yield chunk;
        }
      },
    };
    let ended = false;
    const stream = streamArchive(optionsWith({ reader: breaking })).on('end', () => { ended = true; });
    await assert.rejects(async () => {
      for await (const _bytes of stream);
    }, (error) => error === damage);
    assert.ok(!ended);
  });

  test('ends with an error when the snapshot holds other documents than it states', async () => {
    const other = await openTestRepository(createMemoryStorage());
    for (const lists of [(documents: readonly Buffer[]) => documents.slice(1), (documents: readonly Buffer[]) => [...documents, ...documents.slice(0, 1)]]) {
      const wrong = await buildSnapshot(server.adminUri, { repository: other, lists: { 'shop.orders': (documents) => ({ scan: lists(documents), touched: [], patch: [] }) } });
      const itsReader = await other.openReader();
      await assert.rejects(async () => {
        for await (const _bytes of streamArchive(optionsWith({ reader: itsReader, hashSeed: other.hashSeed, root: wrong })));
      }, (error) => isLeafvaultError(error, 'SNAPSHOT_CONTENT_MISMATCH'));
      await itsReader.close();
    }
    await other.close();
  });

  test('stops at once when it is cancelled or its reader goes away', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled by the test');
    await assert.rejects(async () => {
      for await (const _bytes of streamArchive(optionsWith({ signal: controller.signal }))) controller.abort(reason);
    }, (error) => error === reason);
    const stream = streamArchive(optionsWith());
    for await (const _bytes of stream) break;
    assert.ok(stream.destroyed);
  });
});
