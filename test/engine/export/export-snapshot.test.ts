// Exports of a real server's snapshot: what they hold, and what a second try does.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { MongoClient } from 'mongodb';
import type { ExportOptions, ExportResult } from '../../../src/engine/contracts.ts';
import { exportSnapshot } from '../../../src/engine/export/index.ts';
import { documentJson } from '../../../src/engine/export/raw-json.ts';
import { createRawReader, readAll } from '../../../src/engine/mongo/index.ts';
import type { Repository, RepositoryReader, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { writeCorpus } from '../../support/odd-corpus.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';

describe('an export', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let reader: RepositoryReader;
  let root: SnapshotRoot;
  let folder: string;

  before(async () => {
    server = await startReplicaSet({ auth: true });
    client = new MongoClient(server.adminUri);
    await writeCorpus(client);
    await client.db('shop').createCollection('empty');
    folder = await mkdtemp(join(tmpdir(), 'leafvault-export-'));
    repository = await openTestRepository(createMemoryStorage());
    root = await buildSnapshot(server.adminUri, { repository, usersAndRoles: true });
    reader = await repository.openReader();
  });
  after(async () => {
    await reader?.close();
    await repository?.close();
    await client?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (objects: Map<string, Buffer>, changes: Partial<ExportOptions> = {}): Promise<ExportResult> => exportSnapshot({
    reader, root, hashSeed: repository.hashSeed, tempDir: folder, signal: new AbortController().signal, partName: 'rs0', documents: null, bytes: null, onProgress: () => undefined, onCollection: () => Promise.resolve(),
    sink: { put: async (key, bytes) => void objects.set(key, Buffer.from(bytes)), has: async (key) => objects.has(key) }, ...changes,
  });
  const partsOf = (objects: ReadonlyMap<string, Buffer>, place: string): string[] => {
    const found: string[] = [];
    for (let number = 0; objects.has(`${place}/rs0.${number}.json.gz`); number += 1) found.push(gunzipSync(objects.get(`${place}/rs0.${number}.json.gz`)!).toString());
    return found;
  };

  test('holds every document of every collection, in order, and the metadata of each', async () => {
    const objects = new Map<string, Buffer>();
    const seen: [number, number][] = [];
    const result = await run(objects, { partBytes: 20_000, onCollection: async (exported, total) => void seen.push([exported, total]) });
    const raw = await createRawReader(client);
    let documents = 0;
    for (const { name: db } of ((await client.db('admin').command({ listDatabases: 1, nameOnly: true })).databases as { name: string }[]).filter(({ name }) => !['admin', 'config', 'local'].includes(name))) {
      for (const { name, type } of await client.db(db).listCollections().toArray()) {
        if (name.startsWith('system.') && name !== 'system.js') continue;
        const metadata = [...objects].find(([key, bytes]) => key.startsWith(`${db}/`) && key.endsWith('/metadata.json') && (JSON.parse(bytes.toString()) as { collectionName: string }).collectionName === name);
        assert.ok(metadata, `${db}.${name} has its metadata`);
        if (type === 'view') continue;
        const expected: string[] = [];
        for await (const document of readAll(raw, db, { find: type === 'timeseries' ? `system.buckets.${name}` : name, hint: { $natural: 1 } })) expected.push(documentJson(document));
        const place = metadata[0].slice(0, -'/metadata.json'.length);
        const lines = partsOf(objects, type === 'timeseries' ? place.replace(/\/([^/]*)$/, '/system.buckets.$1') : place).join('').split('\n').slice(0, -1);
        assert.deepEqual(lines, expected, `${db}.${name}`);
        documents += lines.length;
      }
    }
    assert.ok(documents > 20);
    assert.equal(result.documents, documents);
    assert.deepEqual(seen[0], [0, result.collections]);
    assert.deepEqual(seen.at(-1), [result.collections, result.collections]);
    assert.ok([...objects.keys()].every((key) => /^[A-Za-z0-9._~%-]+(\/[A-Za-z0-9._~%-]+){2}$/.test(key)), 'odd names are encoded');
    assert.equal([...objects.keys()].filter((key) => key.startsWith('admin/')).length, 0, 'no users and roles');
    assert.equal(result.files, [...objects.keys()].filter((key) => key.endsWith('.json.gz')).length);
    assert.deepEqual([objects.has('shop/empty/metadata.json'), objects.has('shop/empty/rs0.0.json.gz')], [true, false]);
  });

  test('that broke off is gone on with: what is done stays as it is, what is not is written anew', async () => {
    const [whole, broken] = [new Map<string, Buffer>(), new Map<string, Buffer>()];
    const first = await run(whole);
    let puts = 0;
    const failing = { put: async (key: string, bytes: Uint8Array) => {
      puts += 1;
      if (puts === 9) throw new Error('the power went');
      broken.set(key, Buffer.from(bytes));
    }, has: async (key: string) => broken.has(key) };
    await assert.rejects(run(broken, { sink: failing }), /the power went/);
    const [done, unfinished] = [[...broken.keys()].find((key) => key.endsWith('/metadata.json'))!, [...broken.keys()]];
    broken.set(done, Buffer.from('untouched'));
    const written: string[] = [];
    const second = await run(broken, { sink: { put: async (key, bytes) => { written.push(key); broken.set(key, Buffer.from(bytes)); }, has: async (key) => broken.has(key) } });
    assert.equal(broken.get(done)?.toString(), 'untouched');
    assert.ok(!written.some((key) => key.startsWith(done.slice(0, -'metadata.json'.length))));
    assert.deepEqual([...broken.keys()].sort(), [...whole.keys()].sort());
    for (const [key, bytes] of whole) if (key !== done) assert.deepEqual(broken.get(key), bytes, key);
    assert.deepEqual([second.files, second.documents, second.collections], [first.files, first.documents, first.collections]);
    assert.ok(unfinished.length < whole.size);
  });

  test('of a snapshot that holds something else than it says fails by name, without metadata', async () => {
    const other = await buildSnapshot(server.adminUri, { repository, databases: ['shop'], lists: { 'shop.orders': (documents) => ({ scan: documents.slice(1), touched: [], patch: [] }) } });
    const objects = new Map<string, Buffer>();
    await assert.rejects(run(objects, { root: other }), { code: 'SNAPSHOT_CONTENT_MISMATCH' });
    assert.equal(objects.has('shop/orders/metadata.json'), false);
  });

  test('ends at once when it is told to', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled');
    await assert.rejects(run(new Map(), { signal: abort.signal, onCollection: async (exported) => { if (exported === 1) abort.abort(reason); } }), reason);
  });
});
