// Holding the objects of a repository as workers do it, on a real catalog: when it is due, who does it, what is known of it afterwards.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { locksKey, type LockState } from '../../src/domain/lock-state.ts';
import { createLockChores, createRetentionChores } from '../../src/jobs/index.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { Repository } from '../../src/repository/index.ts';
import { createUpkeep } from '../../src/services/index.ts';
import { insertCompleted, makeInventory, OUTCOME } from '../support/catalog-rows.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { createLockingStorage } from '../support/locking-storage.ts';
import { until } from '../support/job-rows.ts';
import { emptyCatalog, silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { collect, openTestRepository, randomChunks, writeSnapshot } from '../support/repository-fixture.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('holding what snapshots need', () => {
  let server: TestDatabase;
  let catalog: Catalog;
  const clock = fakeClock(OUTCOME.capturedAt);
  before(async () => {
    server = await startEmbedded();
    catalog = await server.open({ clock });
  });
  after(async () => {
    await catalog.close();
    await server.stop();
  });

  test('is done once a day by one worker, by the ends that the repository knows; a snapshot that was hidden is told, and a failure is tried again soon', async () => {
    const storage = createLockingStorage(clock, 30);
    const repository = await openTestRepository(storage, { clock });
    const inventory = await makeInventory(catalog);
    const roots = [];
    for (const [i, expires] of [2, 100].entries()) {
      const { snapshotId } = await insertCompleted(catalog, inventory);
      roots.push(await writeSnapshot(repository, { [`c${i}`]: randomChunks(8, 3_000) }, snapshotId));
      await repository.addFact({ snapshotId, kind: 'expiry', createdAt: clock.now().toISOString(), body: { expiresAt: new Date(clock.now().getTime() + (20 + expires) * DAY_MS).toISOString() } });
    }
    let runs = 0;
    let failure: Error | null = null;
    const counted: Repository = { ...repository, extendLocks: async (options) => { runs += 1; if (failure !== null) throw failure; return repository.extendLocks(options); } };
    const run = async (days = 30): Promise<void> => {
      for (const chore of createLockChores({ catalog, repository: counted, terms: { mode: 'compliance', days }, clock, log: silent })) await chore.run(AbortSignal.timeout(60_000));
    };
    const state = async (): Promise<LockState> => (await catalog.settings.get(locksKey(repository.id))) as LockState;
    assert.deepEqual(createLockChores({ catalog, repository, terms: null, clock, log: silent }), []);
    await Promise.all([run(), run()]);
    assert.equal(runs, 1, 'one of two');
    assert.deepEqual([(await state()).last?.failed, (await state()).succeededAt], [0, clock.now().toISOString()]);
    clock.advance(DAY_MS - 1);
    await run();
    assert.equal(runs, 1);
    clock.advance(19 * DAY_MS + 1);
    await run();
    const heldDays = (name: string): number => ((storage.holds.get(name)?.getTime() ?? 0) - clock.now().getTime()) / DAY_MS;
    assert.deepEqual([heldDays(`snapshots/${roots[0]?.id}`), heldDays(`snapshots/${roots[1]?.id}`)], [10, 30], 'the one that ends in two days is held long enough');
    clock.advance(DAY_MS);
    failure = new LeafvaultError('STORAGE_FAILED', 'the store is away', { retryable: true });
    await assert.rejects(run(), /away/);
    assert.match((await state()).failure?.cause ?? '', /away/);
    failure = null;
    await run();
    assert.equal(runs, 3, 'not at once');
    clock.advance(HOUR_MS);
    await storage.lose(`snapshots/${roots[1]?.id}`);
    await run();
    const { last, failure: none, succeededAt } = await state();
    assert.deepEqual([last?.failedObjects, last?.hiddenBytes, none, succeededAt === clock.now().toISOString()], [[`snapshots/${roots[1]?.id}`], null, null, false]);
    const prune = async (): Promise<void> => {
      for (const chore of createRetentionChores({ catalog, clock, log: silent, repositories: async () => [repository] })) if (chore.name.startsWith('pruning')) await chore.run(AbortSignal.timeout(60_000));
    };
    await prune();
    clock.advance(DAY_MS);
    await assert.rejects(prune(), { code: 'JOBS_SNAPSHOTS_HIDDEN' });
    assert.ok((await collect(storage.list('packs/'))).length >= 2, 'nothing was taken');
    await run(60);
    assert.deepEqual([runs, (await state()).days], [5, 60], 'other terms count at once');
    await catalog.settings.set('repositoryId', repository.id);
    assert.equal((await createUpkeep({ catalog, clock }).read(null)).locks?.last?.failed, 1);
    await repository.close();
  });

  test('that takes long is left to the worker that is at it, as long as that gives signs of life', async (t) => {
    await emptyCatalog(catalog);
    t.mock.timers.enable({ apis: ['setInterval'] });
    const repository = await openTestRepository(createLockingStorage(clock, 30), { clock });
    let go: () => void = () => assert.fail();
    let runs = 0;
    const slow: Repository = { ...repository, extendLocks: (options) => { runs += 1; return new Promise<void>((resolve) => { go = resolve; }).then(() => repository.extendLocks(options)); } };
    const run = (of: Repository): Promise<void> => createLockChores({ catalog, repository: of, terms: { mode: 'compliance', days: 30 }, clock, log: silent })[0]!.run(AbortSignal.timeout(60_000));
    const state = async (): Promise<LockState> => (await catalog.settings.get(locksKey(repository.id))) as LockState;
    const working = run(slow);
    await until('the run to begin', () => Promise.resolve(runs === 1));
    for (let hours = 0; hours < 3; hours += 1) {
      clock.advance(4 * HOUR_MS);
      t.mock.timers.tick(10_000);
      await until('a sign of life', async () => (await state()).running?.beatAt === clock.now().toISOString());
      await run(slow);
      assert.equal(runs, 1, `after ${4 * (hours + 1)} hours`);
    }
    go();
    await working;
    assert.deepEqual([(await state()).running, (await state()).succeededAt], [null, clock.now().toISOString()]);
    clock.advance(DAY_MS);
    const frozen = run(slow);
    await until('another run to begin', () => Promise.resolve(runs === 2));
    clock.advance(15 * 60_000);
    await run(repository);
    const after = await state();
    assert.equal(after.succeededAt, clock.now().toISOString(), 'taken over from one that gives none');
    go();
    await frozen;
    assert.deepEqual(await state(), after, 'which writes nothing any more');
    await repository.close();
  });
});
