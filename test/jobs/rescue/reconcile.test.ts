// A catalog of yesterday and a store of today: the store wins.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openForRescue, type Catalog } from '../../../src/catalog/index.ts';
import { positionOf } from '../../../src/domain/cluster-time.ts';
import type { SnapshotBody } from '../../../src/engine/contracts.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { dumpCatalog, dumpBodyOf, linesOf, reconcile, type PostgresQueue, type Reconciled } from '../../../src/jobs/index.ts';
import type { ChainWriter, Dump, Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { insertCompleted, makeInventory, OUTCOME, type Inventory } from '../../support/catalog-rows.ts';
import { at } from '../../support/chain-rows.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { createFaultyStorage } from '../../support/faulty-storage.ts';
import { askForRestore, askForSnapshot } from '../../support/job-rows.ts';
import { emptyCatalog, freshSchema, silent, testSealer } from '../../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../../support/queued-catalog.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';

const DAY_MS = 86_400_000;
const BODY: SnapshotBody = {
  engineVersion: 1, source: { topology: 'replicaSet', replicaSetName: 'rs0', replicaSetId: 'f'.repeat(24), serverVersion: '6.0.5', featureCompatibilityVersion: '6.0', member: 'h:1' },
  consistency: 'point-in-time', beganAt: at(1_700_000_000), pointInTime: at(1_700_000_010, 3), capturedAt: '2026-03-01T12:00:00.000Z', collections: 1, documents: 12, bytes: 3_000,
};

describe('a rescued catalog', () => {
  let opened: QueuedCatalog;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let clock: FakeClock;
  let inventory: Inventory;
  let storage: Storage;
  let repository: Repository;
  let open: { close(): Promise<void> }[] = [];

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
    open = [];
  });

  const root = async (id: string, series = inventory.cluster.id, body: Partial<SnapshotBody> = {}): Promise<void> => {
    const writer = await repository.openWriter();
    await writer.commit({ id, series, createdAt: clock.now().toISOString(), body: { ...BODY, ...body } });
  };
  const fact = (snapshotId: string, kind: string, body: Record<string, unknown>): Promise<unknown> => repository.addFact({ snapshotId, kind, body, createdAt: clock.now().toISOString() });
  const expiry = (days: number): Date => new Date(OUTCOME.capturedAt.getTime() + days * DAY_MS);
  const dump = async (): Promise<Dump> => {
    const made = await dumpCatalog({ dumps: catalog.dumps, repository }, { reason: 'daily', wait: true });
    assert.ok(made);
    return made;
  };
  /** As a rescue does, into tables of its own. */
  const rescueFrom = async (made: Dump | null): Promise<{ readonly rescued: Catalog; readonly report: Reconciled }> => {
    const target = await openForRescue({ database: opened.server.database, schema: freshSchema(), sealer: testSealer, log: silent, clock });
    open.push(target);
    await target.load(made === null ? null : { migrations: dumpBodyOf(made)?.migrations ?? [], lines: linesOf(repository.dumps.read(made.id)) }, () => false);
    const rescued = await target.open();
    const report = await reconcile({ catalog: rescued, repository, clock }, () => Promise.resolve());
    return { rescued, report };
  };
  const closing = async (work: () => Promise<void>): Promise<void> => work().finally(async () => {
    for (const each of open) await each.close();
  });
  const aliveIn = async (of: Catalog, clusterId = inventory.cluster.id): Promise<Record<string, Date>> => Object.fromEntries(
    (await of.snapshots.list(clusterId, { pageNumber: 1, itemsPerPage: 100 }, { completedOnly: true })).items.map(({ id, expiresAt }) => [id, expiresAt]));

  test('takes what is newer from the store, and lets go of what went', () => closing(async () => {
    const [kept, moved, told, deleted, gone] = [await insertCompleted(catalog, inventory), await insertCompleted(catalog, inventory), await insertCompleted(catalog, inventory), await insertCompleted(catalog, inventory), await insertCompleted(catalog, inventory)].map(({ snapshotId }) => snapshotId) as [string, string, string, string, string];
    for (const id of [kept, moved, told, deleted]) await root(id);
    for (const id of [kept, moved, told, deleted, gone]) await fact(id, 'expiry', { expiresAt: expiry(7).toISOString() });
    const running = await askForSnapshot(catalog, queue, inventory);
    const finished = await askForSnapshot(catalog, queue, inventory);
    clock.advance(1_000);
    await catalog.snapshots.setExpiry(told, expiry(60));
    const made = await dump();
    clock.advance(1_000);
    await fact(moved, 'expiry', { expiresAt: expiry(90).toISOString() });
    await fact(deleted, 'deleted', {});
    const added = newId();
    for (const id of [added, finished.snapshotId]) await root(id);
    await fact(finished.snapshotId, 'expiry', { expiresAt: expiry(3).toISOString() });

    const { rescued, report } = await rescueFrom(made);
    assert.deepEqual(await aliveIn(rescued), Object.fromEntries([[kept, 7], [moved, 90], [told, 60], [finished.snapshotId, 3], [added, 365]].map(([id, days]) => [id, expiry(Number(days))])));
    assert.deepEqual([report.added.toSorted(), report.deleted, report.gone, report.moved], [[added, finished.snapshotId].toSorted(), [deleted], [gone], [moved]]);
    assert.equal((await rescued.snapshots.pendingFacts(10)).length, 1, 'what had still to be told is told later');
    const job = await rescued.jobs.get(running.job.id);
    assert.deepEqual([job?.state, job?.errorCode, (await rescued.snapshots.get(running.snapshotId))?.state], ['failed', 'JOBS_CATALOG_RESCUED', 'failed']);
    assert.equal((await rescued.jobs.get(finished.job.id))?.state, 'completed');
    assert.equal(report.failedJobs, 1);
    assert.equal(await rescued.rescues.isUnderWay(), false);
  }));

  test('loses no pin and no hold: the store counts, unless the dump holds a later decision', () => closing(async () => {
    const [pinned, unpinned, later, lost] = [await insertCompleted(catalog, inventory), await insertCompleted(catalog, inventory), await insertCompleted(catalog, inventory), await insertCompleted(catalog, inventory)].map(({ snapshotId }) => snapshotId) as [string, string, string, string];
    for (const id of [pinned, unpinned, later, lost]) await root(id);
    const keep = (by: string, reason: string | null = null) => ({ by, reason, at: clock.now().toISOString() });
    for (const id of [unpinned, lost]) await catalog.snapshots.setKeep(id, 'pin', keep('before'), true);
    for (const { id } of await catalog.snapshots.pendingFacts(10)) await catalog.snapshots.forgetFact(id);
    await fact(later, 'hold', { kept: true, by: 'court', reason: 'case 12' });
    clock.advance(1_000);
    await catalog.snapshots.setKeep(later, 'hold', keep('court'), false);
    const made = await dump();
    clock.advance(1_000);
    await fact(pinned, 'pin', { kept: true, by: 'somebody', reason: 'before the migration' });
    // A catalog that knew nothing of the pin.
    await fact(pinned, 'deleted', {});
    await fact(unpinned, 'pin', { kept: false, by: 'somebody' });
    const added = newId();
    await root(added);
    await fact(added, 'hold', { kept: true, by: 'court', reason: 'case 13' });
    const at = clock.now().toISOString();
    const { rescued } = await rescueFrom(made);
    const of = async (from: Catalog, id: string) => from.snapshots.get(id).then((row) => [row?.pin, row?.hold, row?.deletedAt]);
    assert.deepEqual(await of(rescued, pinned), [{ by: 'somebody', reason: 'before the migration', at }, null, null]);
    assert.deepEqual(await of(rescued, unpinned), [null, null, null]);
    assert.deepEqual(await of(rescued, later), [null, null, null], 'the dump knew better');
    assert.deepEqual((await of(rescued, lost)).map((each) => each !== null), [true, false, false], 'of which the store knows nothing');
    assert.deepEqual(await of(rescued, added), [null, { by: 'court', reason: 'case 13', at }, null]);
    const bare = await rescueFrom(null);
    assert.deepEqual([(await of(bare.rescued, pinned))[0], (await of(bare.rescued, added))[1]], [{ by: 'somebody', reason: 'before the migration', at }, { by: 'court', reason: 'case 13', at }], 'without a dump, too');
  }));

  test('lets no schedule change an end that the items of the snapshot do not give: somebody may have set it', () => closing(async () => {
    const policyItems = [{ id: 'a'.repeat(24), frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7, extraDays: 0 }] as const;
    const [moved, given, byHand] = [(await insertCompleted(catalog, inventory)).snapshotId, newId(), newId()];
    await catalog.snapshots.changePolicy(moved, policyItems, expiry(7));
    const made = await dump();
    clock.advance(1_000);
    const about = {
      organization: { id: inventory.orgId, name: 'org' }, project: { id: inventory.project.id, name: 'shop' }, cluster: { id: inventory.cluster.id, name: 'orders', continuousBackup: false },
      type: 'scheduled', description: null, retentionDays: 7, requestedAt: clock.now().toISOString(), policyItems,
    };
    for (const id of [moved, given, byHand]) {
      await root(id);
      await fact(id, 'expiry', { expiresAt: expiry(id === given ? 7 : 3).toISOString() });
      if (id !== moved) await fact(id, 'about', { ...about, jobId: newId() });
    }
    const { rescued } = await rescueFrom(made);
    const held = await rescued.transaction((tx) => tx.snapshots.holdScheduled(inventory.cluster.id));
    assert.deepEqual(held.map(({ id, expiresAt }) => [id, expiresAt]), [[given, expiry(7)]]);
    assert.deepEqual(await aliveIn(rescued), Object.fromEntries([[moved, expiry(3)], [given, expiry(7)], [byHand, expiry(3)]]));
  }));

  test('begins no job by itself, and settles restores by what their targets say alone', () => closing(async () => {
    const restore = await askForRestore(catalog, queue, inventory);
    await root(restore.snapshotId);
    await catalog.restorePlans.save(String(restore.restoreId), restore.job.id, { state: 'swapping', revision: 3 });
    const { rescued } = await rescueFrom(await dump());
    assert.equal((await rescued.jobs.get(restore.job.id))?.state, 'failed');
    assert.equal(await rescued.restorePlans.load(String(restore.restoreId)), null);
    assert.equal(await rescued.restorePlans.isOpen(String(restore.restoreId)), true);
    assert.equal((await rescued.leases.claimUnsettled({ workerId: 'w', leaseSeconds: 60, except: [] }))?.claim.jobId, restore.job.id);
  }));

  const begin = async (from: number, slices: number, series = inventory.cluster.id): Promise<ChainWriter> => {
    const writer = await repository.chains.begin({ series, from: positionOf(at(from)), body: { replicaSetId: 'f'.repeat(24) } });
    for (let n = 1; n <= slices; n += 1) await append(writer, from + n * 10);
    return writer;
  };
  const append = (writer: ChainWriter, to: number): Promise<unknown> => writer.append({ to: positionOf(at(to)), records: 2, raw: Buffer.alloc(100), body: {} });
  const row = (writer: ChainWriter, from: number, to: number, slices: number) => catalog.transaction((tx) => tx.chains.save({
    id: writer.head.id, clusterId: inventory.cluster.id, replicaSetId: 'f'.repeat(24), from: at(from), to: at(to), slices, records: 2 * slices, rawBytes: 100 * slices, storedBytes: 1_000,
    createdAt: clock.now(), newestSliceAt: clock.now(), end: null,
  }));

  test('goes on with the chain of the dump where the store does, and knows the slices that came behind it', () => closing(async () => {
    const chain = await begin(1_000, 3);
    await row(chain, 1_000, 1_020, 2);
    const { rescued, report } = await rescueFrom(await dump());
    const found = await rescued.chains.openOf(inventory.cluster.id);
    assert.deepEqual([found?.id, found?.slices, found?.to, found?.records], [chain.head.id, 3, at(1_030), 6]);
    assert.deepEqual(report.chains, { total: 1, changed: 1, goOn: 1 });
  }));

  test('knows the end of a chain and the one that was begun since, and never has two that go on', () => closing(async () => {
    const [known, next, newest] = [await begin(1_000, 3), await begin(2_000, 2), await begin(3_000, 1)];
    await row(known, 1_000, 1_010, 1);
    const made = await dump();
    await append(known, 1_500);
    await known.end({ reason: 'OPLOG_ROLLED_OVER' });
    const { rescued } = await rescueFrom(made);
    const windows = await rescued.chains.windows(inventory.cluster.id);
    assert.deepEqual(windows.map(({ id, end, slices, to }) => [id, end?.reason ?? null, slices, to.t]).toSorted((a, b) => Number(a[3]) - Number(b[3])), [
      [known.head.id, 'OPLOG_ROLLED_OVER', 4, 1_500], [next.head.id, 'STOPPED', 2, 2_020], [newest.head.id, null, 1, 3_010],
    ]);
    await assert.rejects(repository.chains.resume(next.head.id), { code: 'REPOSITORY_CHAIN_ENDED' });
  }));

  test('never goes on with one whose head came to light behind the begin of another one that ended since', () => closing(async () => {
    const [late, next] = [await begin(1_000, 0), await begin(2_000, 2)];
    await row(next, 2_000, 2_010, 1);
    const made = await dump();
    await next.end({ reason: 'RESTORED' });
    for (const from of [made, null]) {
      if (from === null) await root(newId());
      const { rescued, report } = await rescueFrom(from);
      assert.deepEqual((await rescued.chains.windows(inventory.cluster.id)).map(({ id, end }) => [id, end?.reason ?? null]), [[next.head.id, 'RESTORED']]);
      assert.deepEqual([report.chains.goOn, await rescued.chains.openOf(inventory.cluster.id)], [0, null]);
    }
    await assert.rejects(repository.chains.resume(late.head.id), { code: 'REPOSITORY_CHAIN_ENDED' });
  }));

  test('ends a chain of the dump of which the store has nothing, and takes the one that is there', () => closing(async () => {
    const [lost, there] = [await begin(1_000, 1), await begin(2_000, 2)];
    await row(lost, 1_000, 1_010, 1);
    const made = await dump();
    const names: string[] = [];
    for await (const { name } of storage.list(`oplog/${lost.head.id}/`)) names.push(name);
    for (const name of names) await storage.delete(name);
    const { rescued } = await rescueFrom(made);
    assert.equal((await rescued.chains.openOf(inventory.cluster.id))?.id, there.head.id);
    assert.equal((await rescued.chains.get(lost.head.id))?.end?.reason, 'CHAIN_BROKEN');
  }));

  test('without a dump is made of what snapshots say of themselves', () => closing(async () => {
    const [one, two, plain] = [newId(), newId(), newId()];
    const [organization, project] = [{ id: newId(), name: 'Example' }, { id: newId(), name: 'shop' }];
    const [orders, nameless] = [newId(), newId()];
    const about = (name: string) => ({
      organization, project, cluster: { id: orders, name, continuousBackup: true }, type: 'scheduled', description: 'nightly', retentionDays: 5, requestedAt: '2026-03-01T11:00:00.000Z', jobId: newId(),
    });
    await root(one, orders);
    await fact(one, 'about', about('old name'));
    clock.advance(1_000);
    await root(two, orders, { selection: { databases: ['shop'], collections: [] } });
    await fact(two, 'about', about('orders'));
    await fact(two, 'expiry', { expiresAt: expiry(9).toISOString() });
    await root(plain, nameless);
    await begin(1_000, 2, orders);
    await begin(1_000, 2, newId());
    const { rescued, report } = await rescueFrom(null);
    assert.deepEqual(await aliveIn(rescued, orders), { [two]: expiry(9), [one]: expiry(5) });
    const cluster = await rescued.clusters.byName(project.id, 'orders');
    assert.deepEqual([cluster?.id, cluster?.continuousBackup, cluster?.mongodbVersion], [orders, true, '6.0.5']);
    assert.equal(await rescued.clusters.uriOf(orders), null);
    assert.equal((await rescued.organizations.get(organization.id))?.name, 'Example');
    const newer = await rescued.snapshots.get(two);
    assert.deepEqual([newer?.type, newer?.description, newer?.retentionDays, newer?.selection], ['scheduled', 'nightly', 5, { databases: ['shop'], collections: [] }]);
    assert.deepEqual(report.made.organizations.map(({ name }) => name).toSorted(), ['Example', 'Rescued']);
    assert.deepEqual(Object.keys(await aliveIn(rescued, nameless)), [plain]);
    assert.equal((await rescued.clusters.get(nameless))?.name, `rs0-${nameless.slice(-6)}`);
    assert.equal((await rescued.chains.openOf(orders))?.slices, 2);
    assert.match(report.notes.join('\n'), /The chain \w+ belongs to \w+, of which there is no snapshot/);
    assert.deepEqual(await rescued.tailers.free([]), [], 'nobody follows a cluster whose address is not known');
    await rescued.clusters.setUri(orders, 'mongodb://h/', ['h:27017']);
    assert.deepEqual((await rescued.tailers.free([])).map(({ id }) => id), [orders]);
  }));

  for (const mode of ['stop', 'stop after', 'lose answer'] as const) {
    test(`that is struck at any call of the store stays marked as unfinished, and comes to the same end (${mode})`, () => closing(async () => {
      const { snapshotId } = await insertCompleted(catalog, inventory);
      const added = newId();
      for (const id of [snapshotId, added]) await root(id);
      const known = await begin(1_000, 2);
      await row(known, 1_000, 1_010, 1);
      const made = await dump();
      const newest = await begin(2_000, 2);
      const target = await openForRescue({ database: opened.server.database, schema: freshSchema(), sealer: testSealer, log: silent, clock });
      open.push(target);
      await target.load({ migrations: dumpBodyOf(made)?.migrations ?? [], lines: linesOf(repository.dumps.read(made.id)) }, () => false);
      const rescued = await target.open();
      let call = 1;
      for (; ; call += 1) {
        const faulty = createFaultyStorage(storage, call, mode);
        const over = await openTestRepository(faulty, { clock }).then((struck) => reconcile({ catalog: rescued, repository: struck, clock }, () => Promise.resolve())).then(() => true, () => false);
        if (!faulty.struck) break;
        assert.deepEqual([over, await rescued.rescues.isUnderWay()], mode === 'lose answer' ? [true, false] : [false, true], `call ${call}`);
      }
      assert.ok(call > 15, `${call - 1} calls were struck`);
      assert.equal(await rescued.rescues.isUnderWay(), false);
      assert.deepEqual(Object.keys(await aliveIn(rescued)).toSorted(), [snapshotId, added].toSorted());
      assert.deepEqual([(await rescued.chains.openOf(inventory.cluster.id))?.id, (await rescued.chains.get(known.head.id))?.end !== null], [newest.head.id, true]);
    }));
  }

  test('passes over what can not be read, and says so', () => closing(async () => {
    const { snapshotId } = await insertCompleted(catalog, inventory);
    await root(snapshotId);
    await fact(snapshotId, 'expiry', { expiresAt: expiry(7).toISOString() });
    const made = await dump();
    const torn = newId();
    await storage.put(`snapshots/${torn}`, Buffer.from('half'));
    const bytes = await storage.get(`snapshots/${snapshotId}`);
    await storage.delete(`snapshots/${snapshotId}`);
    await storage.put(`snapshots/${snapshotId}`, bytes.subarray(0, 60));
    for (const kind of ['expiry', 'deleted']) await storage.put(`facts/${snapshotId}/${kind}-${newId()}`, Buffer.from('half'));
    const { rescued, report } = await rescueFrom(made);
    assert.deepEqual(Object.keys(await aliveIn(rescued)), [snapshotId], 'a root that is damaged may be brought back: its row stays');
    assert.equal(report.notes.length, 3, report.notes.join('\n'));
  }));
});
