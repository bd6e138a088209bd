// Restores that replace nothing, under names with suffixes: on a real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { restoreSnapshot } from '../../../src/engine/restore/index.ts';
import type { RestoreOptions, RestoreResult } from '../../../src/engine/contracts.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer, restoreWorld } from '../../support/restore-world.ts';

describe('a restore beside what is there', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;

  before(async () => {
    server = await startReplicaSet();
    client = new MongoClient(server.uri);
    const shop = client.db('shop');
    await shop.collection('orders').insertMany([{ _id: 1 as never, n: 1 }, { _id: 2 as never, n: 2 }]);
    await shop.collection('carts').insertOne({ _id: 1 as never });
    await shop.createCollection('large', { viewOn: 'orders', pipeline: [{ $match: { n: { $gt: 1 } } }] });
    await shop.createCollection('alone', { viewOn: 'orders', pipeline: [] });
    repository = await openTestRepository(createMemoryStorage());
    root = await buildSnapshot(server.uri, { repository, databases: ['shop'] });
  });
  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });

  const run = async (changes: Partial<RestoreOptions>): Promise<RestoreResult> => {
    await using world = await restoreWorld(repository, root, server.uri, changes);
    // Awaited: the reader is open that long.
    return await restoreSnapshot(world.options);
  };
  const suffixes = { database: '_old', collection: '-1' };

  test('puts suffixes behind every name, renamed or not, and views follow their collection', async () => {
    const before = await contentOfServer(server.uri);
    const result = await run({ existing: 'refuse', selection: { databases: ['shop'], collections: [], renames: [{ from: 'shop.carts', to: 'store.baskets' }], suffixes } });
    assert.deepEqual(result.collections.map(({ from, to }) => `${from} ${to}`).sort(), ['shop.carts store_old.baskets-1', 'shop.orders shop_old.orders-1']);
    assert.equal(await client.db('shop_old').collection('large-1').countDocuments(), 1);
    const after = await contentOfServer(server.uri);
    for (const [name, content] of Object.entries(before)) assert.equal(after[name], content, name);
  });

  test('leaves a view upon a collection that is not restored with it', async () => {
    await run({ existing: 'refuse', selection: { databases: [], collections: ['shop.alone'], renames: [], suffixes: { database: '', collection: '_copy' } } });
    assert.equal(await client.db('shop').collection('alone_copy').countDocuments(), 2);
  });

  test('is refused by name where a name is taken, and nothing changes', async () => {
    const before = await contentOfServer(server.uri);
    await assert.rejects(run({ existing: 'refuse', selection: { databases: ['shop'], collections: [], renames: [] } }), (error: { code?: string; message: string }) => {
      assert.equal(error.code, 'RESTORE_PREFLIGHT_REFUSED');
      for (const name of ['orders', 'carts', 'large', 'alone']) assert.match(error.message, new RegExp(`shop\\.${name} is there already`));
      return true;
    });
    assert.deepEqual(await contentOfServer(server.uri), before);
  });

  test('is rolled back where a name is taken between its preflight and its swap, whatever the moment', async () => {
    for (const [at, made] of [['swap', 'late1'], ['swap:new:late1.orders', 'late1']] as const) {
      const selection = { databases: [], collections: ['shop.orders'], renames: [{ from: 'shop.orders', to: `${made}.orders` }] };
      await assert.rejects(run({ existing: 'refuse', selection, onPhase: async (phase) => { if (phase === at) await client.db(made).collection('orders').insertOne({ _id: 'mine' as never }); } }), { code: 'RESTORE_SWAP_FAILED' }, at);
      assert.deepEqual(await client.db(made).collection('orders').find().toArray(), [{ _id: 'mine' }]);
      assert.deepEqual((await client.db(made).listCollections().toArray()).map(({ name }) => name), ['orders'], 'nothing else stays');
      await client.db(made).dropDatabase();
    }
  });

  test('names two that would end under one name', async () => {
    await assert.rejects(run({ selection: { databases: ['shop'], collections: [], renames: [{ from: 'shop.carts', to: 'shop.orders' }] } }), /would both become/);
  });
});
