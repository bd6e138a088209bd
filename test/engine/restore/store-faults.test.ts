// A store that fails, or gives other bytes than it was given, at any call of a restore: the target is as it was, or holds the snapshot, byte by byte.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { restoreSnapshot } from '../../../src/engine/restore/index.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import type { SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { createFaultyStorage, isOutlived, ODD_MODES, strikeCalls, strikeInTurn, type FaultMode } from '../../support/faulty-storage.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer, restoreWorld } from '../../support/restore-world.ts';

const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const MODES = LONG ? (['stop', 'stop after', 'fail once', 'lose answer', 'alter'] as const) : (['stop', 'lose answer', 'alter'] as const);

/** What that call reads has one bit flipped. */
function altering(inner: Storage, at: number): Storage & { readonly struck: boolean } {
  let calls = 0;
  let struck = false;
  const count = (): boolean => (calls += 1) === at;
  return {
    ...inner,
    get struck() { return struck; },
    async get(...args) {
      const bytes = await inner.get(...args);
      if (!count()) return bytes;
      struck = true;
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      return bytes;
    },
  };
}

describe('a restore over a store that fails', { timeout: 900_000 }, () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let root: SnapshotRoot;
  let wanted: Record<string, string>;
  let live: Record<string, string>;
  const storage = createMemoryStorage();

  before(async () => {
    server = await startReplicaSet();
    client = new MongoClient(server.uri);
    await client.db('shop').collection('orders').createIndex({ i: 1 });
    await fill(900);
    const repository = await openTestRepository(storage);
    root = await buildSnapshot(server.uri, { repository, chunkBytes: 16 * 1024 });
    await repository.close();
    wanted = await contentOfServer(server.uri);
    await fill(40);
    live = await contentOfServer(server.uri);
  });
  after(async () => {
    await client?.close();
    await server?.stop();
  });

  const fill = async (documents: number): Promise<void> => {
    const orders = client.db('shop').collection('orders');
    await orders.deleteMany({});
    await orders.insertMany(Array.from({ length: documents }, (_, i) => ({ _id: i as never, i, text: `${documents} ${i} `.repeat(40) })));
  };

  for (const mode of MODES) {
    test(`at any call ends on one side, and the next one brings the snapshot (${mode})`, async (context) => {
      let failed = 0;
      await strikeCalls(context, async (call) => {
        const outcome = await strikeAt(call, mode);
        if (outcome === 'failed') failed += 1;
        return outcome !== 'through';
      });
      context.diagnostic(`${failed} restores failed`);
      assert.ok(isOutlived(mode) || failed > 0);
      assert.equal(await restore(storage), true);
      assert.deepEqual(await contentOfServer(server.uri), wanted);
      await fill(40);
    });
  }

  test('at any write or list, which comes twice, late, in another order or in part, ends on one side, and the next one brings the snapshot', async (context) => {
    await strikeInTurn(context, ODD_MODES, 2, async (call, mode) => (await strikeAt(call, mode)) !== 'through');
    assert.equal(await restore(storage), true);
    assert.deepEqual(await contentOfServer(server.uri), wanted);
    await fill(40);
  });

  /** @returns `through` where it was so before the call came */
  async function strikeAt(call: number, mode: FaultMode | 'alter'): Promise<'through' | 'failed' | 'done'> {
    const late = mode === 'alter' ? null : createFaultyStorage(storage, call, mode);
    const faulty = late ?? altering(storage, call);
    const done = await restore(faulty);
    const where = `call ${call}, ${mode}`;
    if (faulty.struck) {
      assert.ok(done || !isOutlived(mode), `${where}: a try that may be repeated was given up`);
      assert.deepEqual(await contentOfServer(server.uri), done ? wanted : live, where);
      assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0, `${where}: nothing is left`);
    }
    await late?.arrive();
    if (done) await fill(40);
    return !faulty.struck ? 'through' : done ? 'done' : 'failed';
  }

  /** False where it failed, by name. */
  async function restore(from: Storage): Promise<boolean> {
    try {
      const repository = await openTestRepository(from);
      try {
        await using world = await restoreWorld(repository, await repository.loadSnapshot(root.id), server.uri);
        await restoreSnapshot(world.options);
        return true;
      } finally {
        await repository.close();
      }
    } catch (error) {
      assert.ok(isLeafvaultError(error) && /^(?:REPOSITORY|STORAGE|SNAPSHOT)_/.test(error.code), error instanceof Error ? error.stack : String(error));
      return false;
    }
  }
});
