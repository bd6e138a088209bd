// A connection string that leads to other servers than those where a restore was interrupted, or keeps what it replaced.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { RESTORE_ROLE } from '../../../src/engine/mongo/roles.ts';
import { freePort } from '../../support/free-port.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { dropKept, restoreSnapshot, settleRestore, standsElsewhere, undoRestore } from '../../../src/engine/restore/index.ts';
import type { RestoreOptions } from '../../../src/engine/contracts.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { interrupted, restoreWorld } from '../../support/restore-world.ts';

/** As the role was before it could see the id of a replica set. */
const BLIND_ROLE = {
  ...RESTORE_ROLE, createRole: 'blindRestore',
  privileges: (RESTORE_ROLE['privileges'] as { readonly actions: readonly string[] }[]).map((each) => ({ ...each, actions: each.actions.filter((action) => action !== 'replSetGetConfig') })),
};

describe('a restore whose target was exchanged', () => {
  let own: ReplicaSet;
  let other: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;
  const uris: Record<'seen' | 'blind', { own: string; other: string }> = { seen: { own: '', other: '' }, blind: { own: '', other: '' } };

  before(async () => {
    [own, other] = await Promise.all([startReplicaSet({ auth: true }), startReplicaSet({ auth: true })]);
    for (const [place, server] of [['own', own], ['other', other]] as const) {
      for (const [sight, role] of [['seen', RESTORE_ROLE], ['blind', BLIND_ROLE]] as const) {
        await server.createRole(role);
        uris[sight][place] = await server.createUser({ user: sight, password: 'restores', roles: [String(role['createRole'])] });
      }
    }
    client = new MongoClient(own.adminUri);
    repository = await openTestRepository(createMemoryStorage());
    await client.db('shop').collection('orders').insertMany([{ n: 1 }, { n: 2 }]);
    root = await buildSnapshot(own.adminUri, { repository, databases: ['shop'] });
  });
  after(async () => {
    await client?.close();
    await repository?.close();
    await Promise.all([own?.stop(), other?.stop()]);
  });
  beforeEach(async () => {
    await client.db('__leafvault').dropDatabase();
    await client.db('shop').dropDatabase();
    await client.db('shop').collection('orders').insertOne({ n: 'damaged' });
  });

  const numbers = (): Promise<unknown[]> => client.db('shop').collection('orders').distinct('n');
  const at = (options: RestoreOptions, uri: string): RestoreOptions => ({ ...options, target: { uri } });
  const refused = { code: 'RESTORE_TARGET_EXCHANGED' };

  for (const sight of ['seen', 'blind'] as const) {
    describe(`by an account that has the id of the replica set ${sight}`, () => {
      for (const phase of ['swap:old:shop.orders', 'swap:commit']) {
        test(`is settled on its own servers alone, interrupted at ${phase}`, async () => {
          await using world = await restoreWorld(repository, root, uris[sight].own, { oldCollections: 'keep' });
          await interrupted(phase, restoreSnapshot, world.options);
          const before = await world.journal.load();
          await assert.rejects(settleRestore(at(world.options, uris[sight].other)), refused);
          await assert.rejects(restoreSnapshot(at(world.options, uris[sight].other)), refused);
          assert.deepEqual(await world.journal.load(), before, 'the plan stays open, as it was');
          assert.equal(await settleRestore(world.options), 'old');
          assert.deepEqual(await numbers(), ['damaged']);
        });
      }

      test('is undone, and what it keeps is dropped, on its own servers alone', async () => {
        await using world = await restoreWorld(repository, root, uris[sight].own, { oldCollections: 'keep' });
        await restoreSnapshot(world.options);
        const elsewhere = at(world.options, uris[sight].other);
        await assert.rejects(undoRestore({ ...elsewhere, undoId: newId() }), refused);
        await assert.rejects(dropKept(elsewhere), refused);
        await undoRestore({ ...world.options, undoId: newId() });
        assert.deepEqual(await numbers(), ['damaged']);
        assert.deepEqual(await dropKept(world.options), []);
      });
    });
  }

  test('that was rolled back, and left nothing, begins anew on the other servers', async () => {
    await using world = await restoreWorld(repository, root, own.adminUri);
    await assert.rejects(restoreSnapshot({ ...world.options, onPhase: async (name) => {
      if (name === 'prove') throw new Error('boom');
    } }), /boom/);
    const { documents } = await restoreSnapshot(at(world.options, other.adminUri));
    assert.equal(documents, 2);
  });

  test('that had touched no live name is over on the other servers, as on a target that was built anew, and begins anew there', async () => {
    await using world = await restoreWorld(repository, root, uris.seen.own, { oldCollections: 'keep' });
    await interrupted('prove', restoreSnapshot, world.options);
    assert.equal((await world.journal.load())?.['state'], 'preparing');
    const elsewhere = at(world.options, uris.seen.other);
    assert.equal(await settleRestore(elsewhere), 'old');
    assert.equal((await world.journal.load())?.['state'], 'undone');
    assert.equal((await restoreSnapshot(elsewhere)).documents, 2);
  });

  test('is not settled on a set that was cloned from the disks of its own before it began, and has the same id', async () => {
    await using world = await restoreWorld(repository, root, uris.seen.own, { oldCollections: 'keep' });
    await interrupted('swap:old:shop.orders', restoreSnapshot, world.options);
    const before = await world.journal.load();
    // The same servers, put back to what they were: the same id, the same collections, nothing that the plan made.
    const [step] = before?.['swaps'] as { readonly old: string; readonly shadow: string }[];
    const shop = client.db('shop');
    if ((await shop.listCollections({ name: step?.old ?? '' }).toArray()).length > 0) await shop.renameCollection(step?.old ?? '', 'orders');
    await shop.dropCollection(step?.shadow ?? '');
    await client.db('__leafvault').dropDatabase();
    assert.deepEqual(await numbers(), ['damaged']);
    await assert.rejects(settleRestore(world.options), refused);
    assert.deepEqual(await world.journal.load(), before, 'the plan stays open, as it was');
  });

  for (const sight of ['seen', 'blind'] as const) {
    test(`stands elsewhere on other servers alone, and nobody knows where none answer; the id is ${sight}`, async () => {
      await using world = await restoreWorld(repository, root, uris[sight].own, { oldCollections: 'keep' });
      const asked = (uri: string): Promise<boolean> => world.journal.load().then((plan) => standsElsewhere({ ...world.options, plan, target: { uri } }));
      assert.deepEqual([await asked(uris[sight].own), await asked(uris[sight].other)], [false, false], 'nothing was begun');
      await interrupted('swap:old:shop.orders', restoreSnapshot, world.options);
      const before = await world.journal.load();
      assert.deepEqual([await asked(uris[sight].own), await asked(uris[sight].other)], [false, true]);
      await assert.rejects(asked(`mongodb://127.0.0.1:${await freePort()}/?serverSelectionTimeoutMS=300`), { code: 'TARGET_UNREACHABLE' });
      assert.deepEqual(await world.journal.load(), before, 'it only looks');
      assert.equal(await settleRestore(world.options), 'old');
      await restoreSnapshot(world.options);
      assert.deepEqual([await asked(uris[sight].own), await asked(uris[sight].other)], [false, true], 'what it keeps is there alone');
    });
  }

  test('is known by what it made where its plan is gone from the target and nobody may see the id', async () => {
    await using world = await restoreWorld(repository, root, uris.blind.own);
    await interrupted('swap:new:shop.orders', restoreSnapshot, world.options);
    await client.db('__leafvault').dropDatabase();
    assert.equal(await settleRestore(world.options), 'old');
    assert.deepEqual(await numbers(), ['damaged']);
  });
});
