// What goes by itself, on a real catalog and a repository in memory: expired snapshots, then what they alone needed.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { positionOf } from '../../src/domain/cluster-time.ts';
import { pruneKey, type PruneState } from '../../src/domain/prune-state.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { newId } from '../../src/foundation/ids.ts';
import { checkOnSchedule, createChores, createRetentionChores, trimChains, type Chore, type PostgresQueue } from '../../src/jobs/index.ts';
import type { ChainWriter, Repository } from '../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { insertCompleted, makeInventory, OUTCOME, type Inventory } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { askForRestore, until } from '../support/job-rows.ts';
import { emptyCatalog, silent } from '../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../support/queued-catalog.ts';
import { collect, openTestRepository, randomChunks, readSnapshot, writeSnapshot } from '../support/repository-fixture.ts';

const DAY_MS = 86_400_000;

describe('retention', () => {
  let opened: QueuedCatalog;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let clock: FakeClock;
  let inventory: Inventory;
  let storage: Storage;
  let repository: Repository;
  let run: (name: RegExp) => Promise<void>;

  before(async () => {
    clock = fakeClock(OUTCOME.capturedAt);
    opened = await startQueuedCatalog(undefined, { clock });
    ({ catalog, queue } = opened);
  });
  after(() => opened?.close());
  beforeEach(async () => {
    await emptyCatalog(catalog);
    inventory = await makeInventory(catalog);
    storage = createMemoryStorage();
    repository = await openTestRepository(storage, { clock });
    const chores = [
      ...createChores({ catalog, queue, clock, repositories: { forProject: () => Promise.resolve(repository) } }),
      ...createRetentionChores({ catalog, clock, log: silent, repositories: () => Promise.resolve([repository]) }),
    ];
    run = async (name) => chores.find((chore) => name.test(chore.name))!.run(AbortSignal.timeout(60_000));
  });

  /** A snapshot of the day after the one before, in the repository, too. */
  const take = async (of: Inventory = inventory): Promise<string> => {
    clock.advance(DAY_MS);
    const { snapshotId } = await insertCompleted(catalog, of);
    await catalog.snapshots.setExpiry(snapshotId, new Date(clock.now().getTime() + 7 * DAY_MS));
    await writeSnapshot(repository, { a: randomChunks(10, 3_000) }, snapshotId);
    return snapshotId;
  };
  const select = (id: string, databases: readonly string[]): Promise<unknown> =>
    catalog.transaction((tx) => tx.executeSql('update snapshots set selection = $1 where id = $2', [JSON.stringify({ databases, collections: [] }), id]));
  const alive = async (): Promise<string[]> => (await catalog.snapshots.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 100 })).items.map(({ id }) => id);

  test('ends what is over to the day, and never the newest of a cluster however old it is', async () => {
    const [first, second, third] = [await take(), await take(), await take()];
    const lonely = await makeInventory(catalog);
    const only = await take(lonely);
    clock.advance(4 * DAY_MS - 1);
    await run(/time is over/);
    assert.deepEqual(await alive(), [third, second, first], 'a millisecond before its end it is there');
    clock.advance(1);
    await run(/time is over/);
    assert.deepEqual(await alive(), [third, second]);
    clock.advance(400 * DAY_MS);
    await run(/time is over/);
    assert.deepEqual(await alive(), [third]);
    assert.equal((await catalog.snapshots.get(only))?.deletedAt, null);
    const next = await take();
    await run(/time is over/);
    assert.deepEqual(await alive(), [next], 'the newest one makes the way free');
  });

  test('ends the last snapshot of a deleted cluster, too, once its time is over, and its name is free then', async () => {
    const { cluster, project } = inventory;
    const only = await take();
    const [lonely, lonelyOnly] = await makeInventory(catalog).then(async (of) => [of, await take(of)] as const);
    await catalog.clusters.markDeleted(cluster.id);
    clock.advance(7 * DAY_MS - DAY_MS - 1);
    await run(/time is over/);
    assert.equal((await catalog.clusters.keptByName(project.id, cluster.name))?.id, cluster.id, 'it was promised to be there until then');
    clock.advance(DAY_MS + 1);
    await run(/time is over/);
    assert.notEqual((await catalog.snapshots.get(only))?.deletedAt, null);
    assert.equal(await catalog.clusters.keptByName(project.id, cluster.name), null);
    assert.equal((await catalog.snapshots.get(lonelyOnly))?.deletedAt, null, `the newest of ${lonely.cluster.name} stays`);
  });

  test('asks for no drop of kept collections on a cluster that has no connection string any more', async () => {
    const { restoreId, job } = await askForRestore(catalog, queue, inventory);
    await catalog.transaction(async (tx) => {
      await tx.restorePlans.save(restoreId!, job.id, { state: 'finished' });
      await tx.restorePlans.markSettled(restoreId!, 'new');
      await tx.restorePlans.keep(restoreId!, clock.now());
    });
    await catalog.clusters.markDeleted(inventory.cluster.id);
    const drops = async (): Promise<number> => (await catalog.jobs.list({ clusterIds: [inventory.cluster.id], kinds: ['dropKept'] }, { pageNumber: 1, itemsPerPage: 10 })).items.length;
    await run(/kept/);
    assert.equal(await drops(), 0);
    await catalog.clusters.setUri(inventory.cluster.id, 'mongodb://db.example:27017', ['db.example:27017']);
    await catalog.clusters.revive(inventory.cluster.id);
    await run(/kept/);
    assert.equal(await drops(), 1, 'the cluster is back, and with it what was kept there');
  });

  test('asks once more when it ends one: it may have been given more time, or become the newest', async () => {
    const [first, second, third] = [await take(), await take(), await take()];
    clock.advance(30 * DAY_MS);
    assert.deepEqual(await catalog.snapshots.expired(10), [first, second]);
    await catalog.snapshots.setExpiry(first, new Date(clock.now().getTime() + DAY_MS));
    await catalog.snapshots.markDeleted(third);
    assert.deepEqual([await catalog.snapshots.markExpired(first), await catalog.snapshots.markExpired(second)], [false, false]);
  });

  test('takes no snapshot of chosen namespaces for a newer whole one', async () => {
    const whole = await take();
    const part = await take();
    await select(part, ['shop']);
    clock.advance(30 * DAY_MS);
    await run(/time is over/);
    assert.deepEqual(await alive(), [part, whole]);
  });

  test('ends one of chosen namespaces for a newer one of the same or a whole one, and for no other', async () => {
    const [whole, before, last, other] = [await take(), await take(), await take(), await take()];
    for (const [id, databases] of [[before, ['shop', 'logs']], [last, ['shop', 'logs']], [other, ['shop']]] as const) await select(id, databases);
    clock.advance(30 * DAY_MS);
    await run(/time is over/);
    assert.deepEqual(await alive(), [other, last, whole], 'each has something that no newer one has');
    const next = await take();
    await run(/time is over/);
    assert.deepEqual(await alive(), [next]);
  });

  test('ends none for a newer one that a check names as damaged, until that one is whole again', async () => {
    const [older, good] = [await take(), await take()];
    const packs = (await collect(storage.list('packs/'))).map(({ name }) => name);
    const damaged = await take();
    for await (const { name } of storage.list('packs/')) if (!packs.includes(name)) await storage.delete(name);
    const check = checkOnSchedule({ catalog, clock, log: silent, repositories: () => Promise.resolve([repository]), everyHours: 1, parts: 1 });
    const checked = async (): Promise<void> => {
      await check.run(AbortSignal.timeout(60_000));
      clock.advance(DAY_MS);
      await check.run(AbortSignal.timeout(60_000));
    };
    await checked();
    clock.advance(30 * DAY_MS);
    await run(/time is over/);
    assert.deepEqual(await alive(), [damaged, good], 'the last good one stays');
    assert.deepEqual((await catalog.snapshots.irreplaceable(inventory.cluster.id)).toSorted(), [good, damaged].toSorted());
    assert.notEqual((await catalog.snapshots.get(older))?.deletedAt, null);
    const sound = await take();
    await run(/time is over/);
    assert.deepEqual(await alive(), [sound]);
  });

  test('ends the older one once the check does not name the newer one any more', async () => {
    const [older, newer] = [await take(), await take()];
    await catalog.snapshots.noteDamaged([newer]);
    clock.advance(30 * DAY_MS);
    await run(/time is over/);
    assert.deepEqual(await alive(), [newer, older]);
    await catalog.snapshots.noteDamaged([older]);
    await run(/time is over/);
    assert.deepEqual(await alive(), [newer]);
  });

  test('keeps what a restore that waits or rests begins with, until that is over', async () => {
    const [first, second] = [await take(), await take()];
    const { job } = await askForRestore(catalog, queue, inventory, first);
    await queue.pause(job.id);
    clock.advance(800 * DAY_MS);
    await run(/time is over/);
    assert.deepEqual(await alive(), [second, first], 'what was loaded of it waits on the target');
    assert.equal(await catalog.snapshots.markExpired(first), false);
    await queue.cancel(job.id, 'test');
    await run(/time is over/);
    assert.deepEqual(await alive(), [second]);
  });

  test('keeps what was given more time', async () => {
    const [first, second] = [await take(), await take()];
    await catalog.snapshots.setExpiry(first, new Date(clock.now().getTime() + 900 * DAY_MS));
    clock.advance(800 * DAY_MS);
    await run(/time is over/);
    assert.deepEqual(await alive(), [second, first]);
  });

  test('keeps oplog from an hour before the oldest snapshot on, all of it where there is none, and nothing of a chain that ended before', async () => {
    const seconds = (at: number) => positionOf({ t: at, i: 1 });
    const begin = async (series: string): Promise<ChainWriter> => {
      const writer = await repository.chains.begin({ series, from: seconds(1_000), body: {} });
      for (let at = 1_600; at <= 20_000; at += 600) await writer.append({ to: seconds(at), records: 1, raw: randomChunks(1, 200)[0]!, body: {} });
      return writer;
    };
    const [used, fresh, ended, other] = [await begin('used'), await begin('fresh'), await begin('gone'), await begin('used')];
    await ended.end({ reason: 'STOPPED' });
    await other.end({ reason: 'OPLOG_ROLLED_OVER' });
    for (const t of [19_000, 12_000, 15_000]) {
      const writer = await repository.openWriter();
      await writer.commit({ id: newId(), createdAt: new Date(0).toISOString(), series: 'used', body: { beganAt: { t, i: 7 } } });
    }
    const week = 7 * DAY_MS;
    await trimChains(repository, { now: new Date(clock.now().getTime() + week) });
    const firstOf = async ({ head }: ChainWriter): Promise<string | undefined> => (await collect(repository.chains.slices(head.id)))[0]?.from;
    // The last end at or before 8,400 is 8,200.
    assert.deepEqual([await firstOf(used), await firstOf(other), await firstOf(fresh), await firstOf(ended)], [seconds(8_200), seconds(8_200), seconds(1_000), seconds(1_000)]);
    const later = { now: new Date(clock.now().getTime() + week + 1) };
    await trimChains(repository, later);
    assert.equal(await firstOf(ended), undefined, 'a week later no base is on its way any more');
    assert.deepEqual(await trimChains(repository, later), []);
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
  });

  test('that was refused is tried again hours later, not every few minutes', async () => {
    await take();
    await run(/pruning/);
    clock.advance(2 * DAY_MS);
    let tries = 0;
    const refusing: Repository = { ...repository, prune: () => { tries += 1; return Promise.reject(new LeafvaultError('REPOSITORY_PRUNE_REFUSED', 'a root is damaged')); } };
    const chore = createRetentionChores({ catalog, clock, log: silent, repositories: () => Promise.resolve([refusing]) }).find(({ name }) => /pruning/.test(name))!;
    await assert.rejects(chore.run(AbortSignal.timeout(60_000)), { code: 'REPOSITORY_PRUNE_REFUSED' });
    clock.advance(600_000);
    await chore.run(AbortSignal.timeout(60_000));
    assert.equal(tries, 1);
    clock.advance(6 * 3_600_000);
    await assert.rejects(chore.run(AbortSignal.timeout(60_000)), { code: 'REPOSITORY_PRUNE_REFUSED' });
    assert.equal(tries, 2);
  });

  test('tells what it found, whom it waits for, how far it is, and why it did not come to its end', async () => {
    const state = async (): Promise<PruneState> => (await catalog.settings.get(pruneKey(repository.id))) as PruneState;
    const chore = (of: Partial<Repository>): Chore => createRetentionChores({ catalog, clock, log: silent, repositories: () => Promise.resolve([{ ...repository, ...of }]) }).find(({ name }) => /pruning/.test(name))!;
    const [first] = [await take(), await take()];
    await run(/pruning/);
    assert.equal(await catalog.settings.get(pruneKey(repository.id)), undefined, 'none is due yet');
    clock.advance(2 * DAY_MS);
    await catalog.snapshots.markDeleted(first);
    await run(/telling/);
    const reader = await repository.openReader();
    await run(/pruning/);
    const { last, running, failure } = await state();
    assert.deepEqual([last?.endedAt, last?.snapshots, last?.freedBytes, last?.inTheWay.map(({ kind }) => kind), running, failure], [clock.now().toISOString(), 1, 0, ['reader'], null, null]);
    assert.ok((last?.waitingBytes ?? 0) > 0);
    await reader.close();
    clock.advance(DAY_MS);
    await assert.rejects(chore({ prune: () => Promise.reject(new LeafvaultError('REPOSITORY_PRUNE_REFUSED', 'a root is damaged')) }).run(AbortSignal.timeout(60_000)), { code: 'REPOSITORY_PRUNE_REFUSED' });
    assert.deepEqual([(await state()).failure, (await state()).last], [{ at: clock.now().toISOString(), cause: 'a root is damaged' }, last]);
    clock.advance(DAY_MS);
    await chore({ prune: () => Promise.reject(new LeafvaultError('REPOSITORY_PRUNE_REFUSED', 'another prune is at work', { details: { busy: true } })) }).run(AbortSignal.timeout(60_000));
    assert.notEqual((await state()).failure, null, 'who finds another one at it tells nothing');
    await run(/pruning/);
    const after = await state();
    assert.deepEqual([after.failure, after.last?.waitingBytes, (after.last?.freedBytes ?? 0) > 0], [null, 0, true]);
  });

  test('gives signs of life, and none any more once it was interrupted', async (context) => {
    await take();
    await run(/pruning/);
    clock.advance(2 * DAY_MS);
    context.mock.timers.enable({ apis: ['setInterval'] });
    const beats: (PruneState | undefined)[] = [];
    const prune: Repository['prune'] = async ({ onProgress } = {}) => {
      const beat = async (): Promise<void> => {
        context.mock.timers.tick(10_000);
        const seen = beats.length;
        beats.push((await until('the sign of life', async () => ((await catalog.settings.get(pruneKey(repository.id))) as PruneState | undefined) ?? (seen === 0 ? 'none' : null))) as PruneState);
      };
      await beat();
      onProgress?.({ phase: 'mark', documentsDone: 3, documentsTotal: 9, bytesDone: 0, bytesTotal: null, namespace: null });
      await beat();
      throw new LeafvaultError('STORAGE_UNREACHABLE', 'gone');
    };
    const [chore] = createRetentionChores({ catalog, clock, log: silent, repositories: () => Promise.resolve([{ ...repository, prune }]) }).filter(({ name }) => /pruning/.test(name));
    await assert.rejects(chore!.run(AbortSignal.timeout(60_000)), { code: 'STORAGE_UNREACHABLE' });
    const at = clock.now().toISOString();
    assert.deepEqual(beats.map((each) => (typeof each === 'object' ? each.running : each)), ['none', { since: at, beatAt: at, phase: 'mark', done: 3, total: 9 }]);
    assert.equal(((await catalog.settings.get(pruneKey(repository.id))) as PruneState).running, null);
  });

  test('takes nothing while the store has no root of a snapshot that the catalog keeps, and goes on once that one is deleted', async () => {
    const [lost, kept] = [await take(), await take()];
    await run(/pruning/);
    const packs = await collect(storage.list('packs/'));
    await storage.delete(`snapshots/${lost}`);
    clock.advance(DAY_MS);
    await assert.rejects(run(/pruning/), { code: 'JOBS_SNAPSHOTS_HIDDEN', details: { snapshotId: lost } });
    clock.advance(DAY_MS);
    await assert.rejects(run(/pruning/), { code: 'JOBS_SNAPSHOTS_HIDDEN' });
    assert.deepEqual(await collect(storage.list('packs/')), packs);
    await catalog.snapshots.markDeleted(lost);
    await run(/telling/);
    clock.advance(DAY_MS);
    await run(/pruning/);
    assert.ok((await collect(storage.list('packs/'))).length < packs.length, 'what the lost one alone needed went');
    assert.equal((await readSnapshot(repository, await repository.loadSnapshot(kept)))['a']?.length, 10);
  });

  test('frees the bytes of what ended once a day, and leaves the others whole', async () => {
    const ids = [await take(), await take(), await take()];
    await run(/pruning/);
    clock.advance(6 * DAY_MS);
    await run(/time is over/);
    await run(/telling/);
    assert.equal((await alive()).length, 1);
    await run(/pruning/);
    const roots = await collect(repository.listSnapshots());
    assert.deepEqual(roots.map(({ id }) => id), ids.slice(2));
    const { packs, bytes, deadBytes } = await repository.prune({ dryRun: true });
    assert.ok(packs > 0 && bytes < 2 * 10 * 3_000 && deadBytes === 0, `${packs} packs, ${bytes} bytes, ${deadBytes} dead`);
    assert.equal((await readSnapshot(repository, roots[0]!))['a']?.length, 10);
    await catalog.snapshots.markDeleted(ids[2]!);
    await run(/telling/);
    clock.advance(DAY_MS - 1);
    await run(/pruning/);
    assert.ok((await repository.prune({ dryRun: true })).deadBytes > 0, 'not yet a day since the last');
    clock.advance(1);
    await run(/pruning/);
    assert.equal((await repository.prune({ dryRun: true })).bytes, 0);
  });
});
