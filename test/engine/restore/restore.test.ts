import assert from 'node:assert/strict';
import { readdir, readFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BSON, MongoClient, type Document } from 'mongodb';
import { restoreSnapshot } from '../../../src/engine/restore/index.ts';
import type { RestoreOptions } from '../../../src/engine/contracts.ts';
import { isLeafvaultError, type LeafvaultError } from '../../../src/foundation/errors.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createLocalStorage, createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { SOON_MS } from '../../support/patience.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer, restoreWorld, type RestoreWorld } from '../../support/restore-world.ts';

const DOCUMENTS = 4_000;

describe('a restore that does not go well', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;
  let live: Record<string, string>;

  before(async () => {
    server = await startReplicaSet();
    client = new MongoClient(server.uri);
    await client.db('shop').collection('orders').insertMany(Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i as never, i, text: `${i} `.repeat(300) })));
    await client.db('shop').collection('orders').createIndexes([{ key: { i: 1 } }, { key: { text: 1 } }]);
    await client.db('shop').createCollection('log', { capped: true, size: 1 << 20 });
    await client.db('shop').collection('log').insertMany(Array.from({ length: 200 }, (_, i) => ({ _id: ((i * 37) % 200) as never })));
    repository = await openTestRepository(createMemoryStorage());
    root = await buildSnapshot(server.uri, { repository, chunkBytes: 64 * 1024 });
    await client.db('shop').collection('orders').deleteMany({ i: { $lt: 100 } });
    live = await contentOfServer(server.uri);
  });

  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });

  beforeEach(async () => assert.deepEqual(await contentOfServer(server.uri), live, 'the test before left everything as it was'));

  const world = (changes: Partial<RestoreOptions> = {}, from: { repository: Repository; root: SnapshotRoot } = { repository, root }): Promise<RestoreWorld> => restoreWorld(from.repository, from.root, server.uri, changes);

  /** Runs a restore that must fail, and checks that the target is as it was and nothing is left. */
  async function failure(options: RestoreOptions): Promise<LeafvaultError> {
    const error = await restoreSnapshot(options).then(() => assert.fail('the restore succeeded'), (reason: unknown) => reason);
    assert.ok(isLeafvaultError(error), String(error));
    assert.deepEqual(await contentOfServer(server.uri), live);
    assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0);
    return error;
  }

  for (const phase of ['preflight', 'prepare', 'load', 'indexes', 'prove', 'swap', 'swap:new:shop.log', 'swap:commit']) {
    for (const delayMs of [0, 30]) {
      test(`ends within 2 s when cancelled ${delayMs} ms into ${phase}`, async () => {
        const controller = new AbortController();
        const reason = new Error('cancelled by the test');
        let cancelledAt = NaN;
        const cancel = (): void => {
          cancelledAt = performance.now();
          controller.abort(reason);
        };
        await using w = await world({
          signal: controller.signal,
          onPhase: async (name) => void (name === phase && (delayMs === 0 ? cancel() : setTimeout(cancel, delayMs))),
        });
        const error = await restoreSnapshot(w.options).then(() => null, (caught: unknown) => caught);
        if (!Number.isNaN(cancelledAt)) assert.ok(performance.now() - cancelledAt < SOON_MS, `${performance.now() - cancelledAt} ms`);
        if (error === null) {
          // It was faster than the delay; then all is new, and is made old again.
          assert.equal(await client.db('shop').collection('orders').countDocuments(), DOCUMENTS);
          await client.db('shop').collection('orders').deleteMany({ i: { $lt: 100 } });
        } else assert.equal(error, reason);
        assert.deepEqual(await contentOfServer(server.uri), live);
        assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0);
      });
    }
  }

  test('finishes when it is cancelled after the point of no return', async () => {
    const controller = new AbortController();
    await using w = await world({ signal: controller.signal, onPhase: async (name) => void (name === 'finish' && controller.abort(new Error('too late'))) });
    await restoreSnapshot(w.options);
    assert.equal(await client.db('shop').collection('orders').countDocuments(), DOCUMENTS);
    await client.db('shop').collection('orders').deleteMany({ i: { $lt: 100 } });
  });

  test('names the altered document of a shadow by its collection and replaces nothing', async () => {
    for (const change of [{ $set: { i: -1 } }, null]) {
      const w: RestoreWorld = await world({
        onPhase: async (name) => {
          if (name !== 'prove') return;
          const shadow = shadowOf(w, 'shop.orders');
          if (change === null) await client.db('shop').collection(shadow).deleteOne({});
          else await client.db('shop').collection(shadow).updateOne({ i: 17 }, change);
        },
      });
      const error = await failure(w.options);
      await w[Symbol.asyncDispose]();
      assert.equal(error.code, 'RESTORE_PROOF_FAILED');
      assert.equal(error.details['namespace'], 'shop.orders');
    }
  });

  test('notices a capped shadow whose documents stand in another order', async () => {
    const w: RestoreWorld = await world({
      onPhase: async (name) => {
        if (name !== 'prove') return;
        const shadow = client.db('shop').collection(shadowOf(w, 'shop.log'));
        const documents = await shadow.find().toArray();
        await shadow.deleteMany({});
        await shadow.insertMany(documents.reverse());
      },
    });
    const error = await failure(w.options);
    await w[Symbol.asyncDispose]();
    assert.equal(error.code, 'RESTORE_PROOF_FAILED');
    assert.match(error.message, /order/);
  });

  test('notices an index that somebody dropped from a shadow', async () => {
    const w: RestoreWorld = await world({ onPhase: async (name) => void (name === 'prove' && await client.db('shop').collection(shadowOf(w, 'shop.orders')).dropIndex('i_1')) });
    const error = await failure(w.options);
    await w[Symbol.asyncDispose]();
    assert.match(error.message, /i_1/);
  });

  test('notices an index that somebody built anew with another option', async () => {
    const w: RestoreWorld = await world({ onPhase: async (name) => {
      if (name !== 'prove') return;
      const shadow = client.db('shop').collection(shadowOf(w, 'shop.orders'));
      await shadow.dropIndex('i_1');
      await shadow.createIndex({ i: 1 }, { name: 'i_1', sparse: true });
    } });
    const error = await failure(w.options);
    await w[Symbol.asyncDispose]();
    assert.match(error.message, /the index i_1 has another sparse/);
  });

  test('reports a unique index that can not be built by name, key and reason, and goes on', async () => {
    await client.db('twin').collection<Document & { _id: number }>('c').insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 2 }, { _id: 3, b: 5 }]);
    await client.db('twin').collection('c').createIndexes([{ key: { a: 1 }, unique: true, name: 'one a', expireAfterSeconds: 60 }, { key: { b: 1 }, name: 'fine' }]);
    const other = await openTestRepository(createMemoryStorage());
    // As a fuzzy snapshot of a standalone may be: a value moved while the scan ran and was read twice.
    const twice = await buildSnapshot(server.uri, { repository: other, databases: ['twin'], change: { 'twin.c': (documents) => [...documents, Buffer.from(BSON.serialize({ _id: 4, a: 1 }))] } });
    await client.db('twin').dropDatabase();
    const w = await world({ selection: { databases: ['twin'], collections: [], renames: [] } }, { repository: other, root: twice });
    const { collections } = await restoreSnapshot(w.options);
    assert.equal(await client.db('twin').collection('c').countDocuments(), 4);
    assert.deepEqual((await client.db('twin').collection('c').indexes()).map(({ name }) => name), ['_id_', 'fine']);
    await w[Symbol.asyncDispose]();
    assert.equal(collections[0]?.indexes, 1);
    const [failed] = collections[0]?.failedIndexes ?? [];
    assert.equal(failed?.name, 'one a');
    assert.match(failed?.reason ?? '', /^key \{a: 1\}: .*E11000/);
    await client.db('twin').dropDatabase();
    await other.close();
  });

  test('ends with the pack and the chunk when one byte of the repository was altered', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'leafvault-tamper-'));
    const storage = createLocalStorage(folder);
    const first = await openTestRepository(storage);
    const altered = await buildSnapshot(server.uri, { repository: first, databases: ['shop'] });
    await first.close();
    await alterLargestPack(folder);
    const again = await openTestRepository(createLocalStorage(folder));
    const w = await world({}, { repository: again, root: await again.loadSnapshot(altered.id) });
    const error = await failure(w.options);
    await w[Symbol.asyncDispose]();
    assert.equal(error.code, 'REPOSITORY_CHUNK_DAMAGED');
    assert.match(error.message, /packs\//);
    await again.close();
    await rm(folder, { recursive: true });
  });

  test('ends when the snapshot holds other documents than its capture hashed', async () => {
    const other = await openTestRepository(createMemoryStorage());
    const short = await buildSnapshot(server.uri, { repository: other, lists: { 'shop.orders': (documents) => ({ scan: documents.slice(1), touched: [], patch: [] }) } });
    const w = await world({}, { repository: other, root: short });
    const error = await failure(w.options);
    await w[Symbol.asyncDispose]();
    assert.equal(error.code, 'SNAPSHOT_CONTENT_MISMATCH');
    assert.equal(error.details['namespace'], 'shop.orders');
    await other.close();
  });

  test('puts everything back when a rename fails in the middle', async () => {
    const w: RestoreWorld = await world({
      onPhase: async (name) => void (name === 'swap:new:shop.orders' && await client.db('shop').collection(shadowOf(w, 'shop.orders')).drop()),
    });
    const error = await failure(w.options);
    await w[Symbol.asyncDispose]();
    assert.equal(error.code, 'RESTORE_SWAP_FAILED');
  });

  test('names every document that a server would change', async () => {
    const { rawDocument } = await import('../../../src/engine/bson/index.ts');
    const odd = [rawDocument([{ name: 'a', type: 0x10, value: Buffer.alloc(4) }]), rawDocument([{ name: 'a', type: 0x10, value: Buffer.alloc(4) }, { name: '_id', type: 0x10, value: Buffer.alloc(4) }])];
    const other = await openTestRepository(createMemoryStorage());
    const strange = await buildSnapshot(server.uri, { repository: other, lists: { 'shop.orders': (documents) => ({ scan: [...documents, ...odd], touched: [], patch: [] }) } });
    const w = await world({}, { repository: other, root: strange });
    const error = await failure(w.options);
    await w[Symbol.asyncDispose]();
    assert.equal(error.code, 'RESTORE_DOCUMENT_REFUSED');
    assert.deepEqual((error.details['documents'] as Document[]).map(({ id, reason }) => [id, reason]), [
      [null, 'it has no _id and the server would add one'], ['{"$numberInt":"0"}', '_id is not its first field and the server would move it'],
    ]);
    await other.close();
  });
});

function shadowOf(world: RestoreWorld, from: string): string {
  const swaps = world.journal.saved.at(-1)?.['swaps'] as { from: string; shadow: string }[];
  return swaps.find((step) => step.from === from)?.shadow ?? assert.fail(`no shadow of ${from}`);
}

async function alterLargestPack(folder: string): Promise<void> {
  const names = (await readdir(join(folder, 'packs'), { recursive: true })).map((name) => join(folder, 'packs', name));
  const sizes = await Promise.all(names.map(async (name) => ({ name, info: await stat(name) })));
  const [largest] = sizes.filter(({ info }) => info.isFile()).sort((a, b) => b.info.size - a.info.size);
  const bytes = await readFile(largest?.name ?? '');
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await rm(largest?.name ?? '');
  await writeFile(largest?.name ?? '', bytes);
}
