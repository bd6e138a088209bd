import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BSONRegExp, Double, MongoClient } from 'mongodb';
import { restoreSnapshot, settleRestore } from '../../../src/engine/restore/index.ts';
import { planIndexes } from '../../../src/engine/restore/index-plan.ts';
import { encodeOrdered } from '../../../src/engine/snapshot/index.ts';
import type { CollectionBody } from '../../../src/engine/contracts.ts';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { restoreWorld, type MemoryJournal } from '../../support/restore-world.ts';

const CHOICE = { selection: { databases: ['shop'], collections: [], renames: [] } };

describe('a restore of what others touch meanwhile', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;

  before(async () => {
    server = await startReplicaSet();
    client = new MongoClient(server.uri);
    repository = await openTestRepository(createMemoryStorage());
  });

  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    await client.db('shop').dropDatabase();
    await client.db('shop').collection('c').insertOne({ _id: 1 as never, at: new Date(), pattern: new BSONRegExp('(?i)abc', '') });
    await client.db('shop').collection('c').createIndex({ at: 1 }, { name: 'ttl', expireAfterSeconds: 86_400 });
  });

  const snapshot = (): ReturnType<typeof buildSnapshot> => buildSnapshot(server.uri, { repository, databases: ['shop'] });

  test('warns of documents that expire without reading what stands beside their date', async () => {
    await client.db('shop').collection('c').insertOne({ _id: 2 as never, at: new Date(0), pattern: new BSONRegExp('(?i)abc', '') });
    await using world = await restoreWorld(repository, await snapshot(), server.uri, CHOICE);
    const { warnings } = await restoreSnapshot(world.options);
    assert.match((warnings ?? []).join(), /shop\.c 1 of the first 2 documents are older than the TTL index ttl/);
  });

  test('shows in its last phases what it did before', async () => {
    const told = new Map<string, number>();
    await using world = await restoreWorld(repository, await snapshot(), server.uri, { ...CHOICE, onProgress: ({ phase, documentsDone }) => void told.set(phase, documentsDone) });
    await restoreSnapshot(world.options);
    assert.deepEqual(['prove', 'swap', 'finish'].map((phase) => told.get(phase)), [1, 1, 1]);
  });

  test('finishes with a warning when somebody drops the TTL index right after the swap', async () => {
    await using world = await restoreWorld(repository, await snapshot(), server.uri, {
      ...CHOICE, onPhase: async (phase) => void (phase === 'finish:expiries' && (await client.db('shop').collection('c').dropIndex('ttl'))),
    });
    const { warnings } = await restoreSnapshot(world.options);
    assert.match((warnings ?? []).join(), /Setting the expiry of shop\.c was refused by the target/);
    assert.equal(world.journal.saved.at(-1)?.['state'], 'finished');
  });

  for (const end of ['rolled back', 'finished']) {
    test(`keeps what an application wrote under a name that was free, when ${end}`, async () => {
      const root = await snapshot();
      await client.db('shop').dropDatabase();
      await using world = await restoreWorld(repository, root, server.uri, {
        ...CHOICE, oldCollections: 'keep', onPhase: async (phase) => {
          if (phase === 'swap:new:shop.c') await client.db('shop').collection('c').insertOne({ _id: 99 as never });
          if (phase === 'swap:commit' && end === 'rolled back') throw new Error('boom');
        },
      });
      const outcome = await restoreSnapshot(world.options).catch((error: unknown) => error as Error);
      if (end === 'rolled back') {
        assert.equal((outcome as Error).message, 'boom');
        assert.equal(await client.db('shop').collection('c').countDocuments({ _id: 99 as never }), 1);
        return;
      }
      const [kept] = (outcome as Awaited<ReturnType<typeof restoreSnapshot>>).movedAside;
      assert.match(kept ?? '', /^shop\.__lv_.*\.gap1$/);
      assert.equal(await client.db('shop').collection((kept ?? '').slice('shop.'.length)).countDocuments({ _id: 99 as never }), 1);
      await client.db('__leafvault').collection('plans').deleteMany({});
    });
  }

  test('goes on after a roll back that kept an intruder, and still names it', async () => {
    let boom = true;
    await using world = await restoreWorld(repository, await snapshot(), server.uri, {
      ...CHOICE, onPhase: async (phase) => {
        if (!boom) return;
        if (phase === 'swap:new:shop.c') await client.db('shop').collection('c').insertOne({ _id: 99 as never });
        if (phase === 'swap:commit') throw new LeafvaultError('RESTORE_SWAP_FAILED', 'boom', { hint: 'look' });
      },
    });
    await assert.rejects(restoreSnapshot(world.options), (error: LeafvaultError) => {
      assert.match(error.message, /^boom\. Kept, because applications wrote to them meanwhile: shop\.__lv_[0-9a-f]{12}\.gap\d+$/);
      assert.deepEqual([error.code, error.hint], ['RESTORE_SWAP_FAILED', 'look']);
      return true;
    });
    boom = false;
    const { movedAside } = await restoreSnapshot(world.options);
    assert.equal(movedAside.length, 1);
    assert.equal(await client.db('shop').collection((movedAside[0] ?? '').slice('shop.'.length)).countDocuments({ _id: 99 as never }), 1);
  });

  for (const [seed, kept] of [['with', 1], ['without', 2]] as const) {
    test(`keeps a collection that was updated while it was live for a moment, rolled back ${seed} the hash seed`, async () => {
      await client.db('shop').collection('quiet').insertOne({ _id: 1 as never });
      const root = await snapshot();
      // Of the same size as what it replaces, so that only the content tells of it.
      const acknowledged = { at: new Date(4e12) };
      await using world = await restoreWorld(repository, root, server.uri, {
        ...CHOICE, onPhase: async (phase) => {
          if (phase !== 'swap:commit') return;
          await client.db('shop').collection('c').updateOne({ _id: 1 as never }, { $set: acknowledged });
          throw new Error('boom');
        },
      });
      const { hashSeed, ...rest } = world.options;
      await assert.rejects(restoreSnapshot({ ...world.options, ...(seed === 'with' ? {} : { journal: { ...world.journal, save: onlyUntilSwapped(world.journal) } }) }), /boom/);
      if (seed === 'without') assert.equal(await settleRestore(rest), 'old');
      const names = (world.journal.saved.at(-1)?.['kept'] ?? []) as string[];
      assert.equal(names.length, kept);
      const found = await Promise.all(names.map(async (name) => await client.db('shop').collection(name.slice('shop.'.length)).countDocuments(acknowledged)));
      assert.equal(found.reduce((sum, n) => sum + n, 0), 1);
      assert.equal(await client.db('shop').collection('c').countDocuments(acknowledged), 0);
    });
  }

  test('plans no expiry for a TTL that is not a number', () => {
    const index = new Map<string, unknown>([['v', 2], ['key', new Map([['at', 1]])], ['name', 'at'], ['expireAfterSeconds', new Double(NaN)]]);
    const body = { options: '', indexes: encodeOrdered(new Map([['indexes', [index]]])).toString('base64') } as CollectionBody;
    const { indexes, expiries } = planIndexes(body, 'ALL');
    assert.deepEqual(expiries, []);
    assert.equal(Number(indexes[0]?.get('expireAfterSeconds')), 2_147_483_647);
  });
});

/** Fails from the roll back on, so that another worker has to do it. */
function onlyUntilSwapped(journal: MemoryJournal): MemoryJournal['save'] {
  return async (plan) => {
    if ((plan['wereLive'] as unknown[]).length > 0) throw new LeafvaultError('CATALOG_LEASE_LOST', 'of the test');
    await journal.save(plan);
  };
}
