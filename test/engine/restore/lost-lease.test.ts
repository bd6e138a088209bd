import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import type { RestoreJournal, RestoreOptions } from '../../../src/engine/contracts.ts';
import { restoreSnapshot } from '../../../src/engine/restore/index.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { restoreWorld } from '../../support/restore-world.ts';

describe('a restore that two workers run, because the first lost its lease', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;

  before(async () => {
    server = await startReplicaSet();
    client = new MongoClient(server.uri);
    repository = await openTestRepository(createMemoryStorage());
    for (const name of ['a', 'b']) await client.db('shop').collection(name).insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i as never, v: 'snapshot' })));
    root = await buildSnapshot(server.uri, { repository, databases: ['shop'] });
  });

  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    for (const name of ['a', 'b']) await client.db('shop').collection(name).updateMany({}, { $set: { v: 'damaged' } });
  });

  for (const [stops, wakes] of [['load', 'load'], ['indexes', 'prove'], ['indexes', 'swap:commit'], ['swap:new:shop.a', 'swap:commit'], ['swap:commit', 'finish:clean-up']] as const) {
    test(`ends new: the first stops in ${stops}, learns of the loss when the second is in ${wakes}`, async () => {
      const two = twoWorkers();
      await two.run(stops, async (wake) => ({ onPhase: async (phase) => void (phase === wakes && (await wake(new LeafvaultError('JOBS_LEASE_LOST', 'lost')))) }));
      await assertNew(two);
    });
  }

  for (const stops of ['load', 'indexes', 'prove', 'swap', 'swap:old:shop.a', 'swap:commit', 'finish', 'finish:clean-up']) {
    test(`ends new and leaves nothing: the first stops in ${stops}, wakes after the end and only its journal knows of the loss`, async () => {
      const two = twoWorkers();
      await two.run(stops, async () => ({}));
      await assertNew(two);
    });
  }

  test('puts everything back when a last rename of the first comes after the second has committed', async () => {
    const saved: Record<string, unknown>[] = [];
    const journal: RestoreJournal = {
      load: async () => structuredClone(saved.at(-1) ?? null),
      save: async (plan) => {
        saved.push(structuredClone(plan) as Record<string, unknown>);
        if (plan['state'] !== 'committed') return;
        const { name, shadow } = (plan['swaps'] as { name: string; shadow: string }[])[0] as { name: string; shadow: string };
        await client.db('shop').renameCollection(name, shadow);
      },
    };
    await using world = await restoreWorld(repository, root, server.uri, { ...CHOICE, journal });
    await assert.rejects(restoreSnapshot(world.options), { code: 'RESTORE_SWAP_FAILED' });
    assert.deepEqual(await namesOf(), ['a', 'b']);
    assert.equal((await client.db('shop').collection('a').findOne())?.['v'], 'damaged');
    assert.equal((await client.db('shop').collection('b').findOne())?.['v'], 'damaged');
    assert.equal(saved.at(-1)?.['state'], 'undone');
  });

  interface TwoWorkers {
    readonly saved: Record<string, unknown>[];
    readonly outcomes: { first?: unknown; second?: unknown };
    run(stops: string, second: (wake: (reason: Error) => Promise<void>) => Promise<Partial<RestoreOptions>>): Promise<void>;
  }

  /** Both restore with one journal that only takes what its holder saves; the first stops in a phase, the second takes over. */
  function twoWorkers(): TwoWorkers {
    const saved: Record<string, unknown>[] = [];
    const outcomes: TwoWorkers['outcomes'] = {};
    let holder = 'first';
    const journalOf = (who: string): RestoreJournal => ({
      load: async () => structuredClone(saved.at(-1) ?? null),
      save: async (plan) => {
        if (holder !== who) throw new LeafvaultError('CATALOG_LEASE_LOST', 'lost');
        saved.push(structuredClone(plan) as Record<string, unknown>);
      },
    });
    return {
      saved, outcomes,
      async run(stops, second) {
        const restoreId = newId();
        const cancel = new AbortController();
        let sleptMs = 0;
        const paused = Promise.withResolvers<void>();
        const wakeUp = Promise.withResolvers<void>();
        await using one = await restoreWorld(repository, root, server.uri, {
          ...CHOICE, restoreId, journal: journalOf('first'), signal: cancel.signal,
          // Whoever slept asks for its lease before it goes on; the second is done in less than the time between two looks.
          clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + sleptMs },
          onPhase: async (phase) => {
            if (phase !== stops) return;
            paused.resolve();
            await wakeUp.promise;
          },
        });
        const first = restoreSnapshot(one.options).then(() => 'restored', (error: unknown) => error);
        await Promise.race([paused.promise, first]);
        holder = 'second';
        const wake = async (reason?: Error): Promise<void> => {
          if (reason !== undefined) cancel.abort(reason);
          sleptMs = 10_000;
          wakeUp.resolve();
          outcomes.first = await first;
        };
        await using two = await restoreWorld(repository, root, server.uri, { ...CHOICE, restoreId, journal: journalOf('second'), ...(await second(wake)) });
        outcomes.second = await restoreSnapshot(two.options).then(() => 'restored', (error: unknown) => error);
        await wake();
      },
    };
  }

  async function assertNew({ outcomes, saved }: TwoWorkers): Promise<void> {
    assert.equal(outcomes.second, 'restored', String(outcomes.second));
    assert.ok(isLeafvaultError(outcomes.first), String(outcomes.first));
    assert.match(outcomes.first.code, /LEASE_LOST$/);
    assert.equal(saved.at(-1)?.['state'], 'finished');
    assert.deepEqual(await namesOf(), ['a', 'b']);
    for (const name of ['a', 'b']) assert.equal(await client.db('shop').collection(name).countDocuments({ v: 'snapshot' }), 50);
    assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0);
  }

  async function namesOf(): Promise<string[]> {
    return (await client.db('shop').listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
  }
});

const CHOICE = { selection: { databases: ['shop'], collections: [], renames: [] } };
