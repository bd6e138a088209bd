// The handlers on a real catalog and a real repository in memory, with a small engine: what is true after each way to end.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/index.ts';
import type { Job } from '../../../src/domain/records.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { createChores, createHandlers, Worker, type PostgresQueue } from '../../../src/jobs/index.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { at, claim, saveChain } from '../../support/chain-rows.ts';
import { askForRestore, askForSnapshot, ended, running, until } from '../../support/job-rows.ts';
import { SOON_MS } from '../../support/patience.ts';
import { DATABASES_IN_TURN, emptyCatalog, silent } from '../../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../../support/queued-catalog.ts';
import { openTestRepository, writeEntries } from '../../support/repository-fixture.ts';
import { BODY, CAPTURE_PHASES, createSmallEngine, NO_DRILLS, RESTORE_PHASES, waitIn, type SmallEngine } from '../../support/small-engine.ts';

for (const { name, start } of DATABASES_IN_TURN) describe(`the handlers on ${name}`, () => {
  let opened: QueuedCatalog;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let inventory: Inventory;
  let storage: Storage;
  let repository: Repository;
  let engine: SmallEngine;
  let tempRoot: string;
  let workers: Worker[];

  const startWorker = async (given: Repository = repository): Promise<Worker> => {
    const repositories = { forProject: () => Promise.resolve(given) };
    const handlers = createHandlers({ catalog, repositories, ...NO_DRILLS, ...engine, clock: systemClock, onPhase: undefined });
    const worker = new Worker({ catalog, queue, handlers, clock: systemClock, log: silent, tempRoot, leaseSeconds: 10, drainMs: 0, chores: createChores({ catalog, repositories, queue, clock: systemClock }).map((chore) => ({ ...chore, everyMs: 200 })) });
    workers.push(worker);
    await worker.start();
    return worker;
  };
  const stopWorkers = async (): Promise<void> => void (await Promise.all(workers.splice(0).map((worker) => worker.stop())));
  const rootsIn = async (): Promise<string[]> => (await collect(repository.listSnapshots())).map(({ id }) => id);
  /** A snapshot that was really taken. */
  const takeSnapshot = async (): Promise<string> => {
    const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
    assert.equal((await ended(catalog, job.id)).state, 'completed');
    return snapshotId;
  };

  const askForUndo = (restoreId: string, snapshotId: string): Promise<Job> => catalog.transaction((tx) => queue.enqueue(tx, {
    id: newId(), kind: 'undo', payload: { restoreId, keepHours: 2 }, projectId: inventory.project.id, clusterId: inventory.cluster.id, snapshotId, restoreId,
    targetClusterId: inventory.cluster.id, requestedBy: 'test',
  }));

  before(async () => {
    opened = await startQueuedCatalog(start);
    ({ catalog, queue } = opened);
  });
  after(() => opened?.close());
  beforeEach(async () => {
    tempRoot = await mkdtemp(join(tmpdir(), 'leafvault-handlers-'));
    inventory = await makeInventory(catalog);
    storage = createMemoryStorage();
    repository = await openTestRepository(storage);
    engine = createSmallEngine();
    workers = [];
  });
  afterEach(async () => {
    await stopWorkers();
    await repository.close();
    await emptyCatalog(catalog);
    await rm(tempRoot, { recursive: true, force: true });
  });

  test('take a snapshot: root, expiry fact, then rows', async () => {
    await startWorker();
    const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
    const done = await ended(catalog, job.id);
    assert.equal(done.state, 'completed', done.errorMessage ?? '');
    assert.equal(done.documentsDone, 3);
    assert.ok((done.storedBytes ?? 0) > 0);
    assert.equal(done.storedBytes, (await repository.loadSnapshot(snapshotId)).stats.storedBytes);
    const row = await catalog.snapshots.get(snapshotId);
    const root = await repository.loadSnapshot(snapshotId);
    assert.equal(row?.state, 'completed');
    assert.deepEqual(row?.pointInTime, BODY.pointInTime);
    assert.equal(row?.documents, BODY.documents);
    assert.equal(row?.storageSizeBytes, root.stats.storedBytes);
    assert.equal(row?.expiresAt.toISOString(), '2026-03-08T12:00:00.000Z');
    assert.equal(root.series, inventory.cluster.id);
    const facts = await collect(repository.listFacts(snapshotId));
    assert.deepEqual(Object.fromEntries(facts.map(({ kind, body }) => [kind, body])), {
      expiry: { expiresAt: '2026-03-08T12:00:00.000Z' },
      about: {
        organization: { id: inventory.orgId, name: (await catalog.organizations.get(inventory.orgId))?.name }, project: { id: inventory.project.id, name: 'shop' },
        cluster: { id: inventory.cluster.id, name: inventory.cluster.name, continuousBackup: false }, type: 'onDemand', description: null, retentionDays: 7,
        requestedAt: row?.requestedAt.toISOString(), jobId: job.id,
      },
    });
    assert.equal(facts.length, 2);
    assert.equal((await catalog.clusters.get(inventory.cluster.id))?.lastSuccessAt?.toISOString(), BODY.capturedAt);
    const next = await takeSnapshot();
    assert.deepEqual(engine.calls, ['capture', `capture after ${snapshotId}`]);
    assert.notEqual(next, snapshotId);
  });

  test('take the next snapshot after the newest whole one, not after one of chosen namespaces; after that where there is no other', async () => {
    await startWorker();
    const chosen = async (): Promise<string> => {
      const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory, { selection: { databases: ['shop'], collections: [] } });
      assert.equal((await ended(catalog, job.id)).state, 'completed');
      return snapshotId;
    };
    const part = await chosen();
    const whole = await takeSnapshot();
    await chosen();
    await takeSnapshot();
    assert.deepEqual(engine.calls, ['capture', `capture after ${part}`, `capture after ${whole}`, `capture after ${whole}`]);
  });

  test('warn of names that a snapshot was told to take and of which nothing is there', async () => {
    const { capture } = engine;
    engine = { ...engine, capture: async (options) => ({ ...(await capture(options)), missing: ['crm', 'shop.cart'] }) };
    await startWorker();
    const { job } = await askForSnapshot(catalog, queue, inventory, { selection: { databases: ['shop', 'crm'], collections: ['shop.cart'] } });
    const { state, warnings } = await ended(catalog, job.id);
    assert.deepEqual([state, warnings?.map((text) => text.slice(0, text.indexOf(':')))], ['completed', ['Nothing of crm is there', 'Nothing of shop.cart is there']]);
  });

  for (const [what, at] of [['version', 4], ['body', 60]] as const) test(`take the next snapshot although the root of the one before is damaged (${what})`, async () => {
    await startWorker();
    const first = await takeSnapshot();
    const name = `snapshots/${first}`;
    const bytes = Buffer.from(await storage.get(name));
    bytes[at] = (bytes[at] ?? 0) ^ 2;
    await storage.delete(name);
    await storage.put(name, bytes);
    const { job } = await askForSnapshot(catalog, queue, inventory);
    const done = await ended(catalog, job.id);
    assert.equal(done.state, 'completed', done.errorMessage ?? '');
    assert.deepEqual(engine.calls, ['capture', 'capture']);
  });

  test('take over a root that was committed before its rows, without another capture', async () => {
    const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
    const writer = await repository.openWriter();
    await writeEntries(writer, { 'shop.orders': [Buffer.alloc(10, 1)] });
    await writer.commit({ id: snapshotId, createdAt: new Date().toISOString(), series: inventory.cluster.id, body: { ...BODY } });
    await startWorker();
    assert.equal((await ended(catalog, job.id)).state, 'completed');
    assert.deepEqual(engine.calls, []);
    assert.equal((await catalog.snapshots.get(snapshotId))?.documents, BODY.documents);
  });

  test('recognise a commit whose answer was lost', async () => {
    const lossy: Repository = {
      ...repository,
      openWriter: async (options) => {
        const writer = await repository.openWriter(options);
        return { ...writer, stats: writer.stats, commit: async (root) => { await writer.commit(root); throw new Error('connection reset'); } };
      },
    };
    await startWorker(lossy);
    const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
    const done = await ended(catalog, job.id);
    assert.equal(done.state, 'completed', done.errorMessage ?? '');
    assert.deepEqual(await rootsIn(), [snapshotId]);
  });

  test('leave no root of a capture that failed', async () => {
    await startWorker();
    engine.onPhase = (phase) => (phase === 'scan' ? Promise.reject(new LeafvaultError('MONGO_GONE', 'Reading from mongodb://u:top-secret@db1 failed: top-secret')) : Promise.resolve());
    const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
    const done = await ended(catalog, job.id);
    assert.equal(done.errorCode, 'MONGO_GONE');
    assert.doesNotMatch(done.errorMessage ?? '', /top-secret/);
    assert.equal((await catalog.snapshots.get(snapshotId))?.state, 'failed');
    assert.deepEqual(await rootsIn(), []);
  });

  test('end a snapshot beside a change of its schedule, neither waiting for what the other holds', async () => {
    await startWorker();
    let go = (): void => undefined;
    const gone = new Promise<void>((resolve) => { go = resolve; });
    engine.onPhase = (phase) => (phase === 'settle' ? gone : Promise.resolve());
    const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
    await until('the phase', async () => (await catalog.jobs.get(job.id))?.phase === 'settle');
    await catalog.transaction(async (tx) => {
      await tx.executeSql('select 1 from clusters where id = $1 for update', [inventory.cluster.id]);
      go();
      await until('the end of the job to wait', async () => (await tx.executeSql(`select 1 from pg_locks where not granted and locktype in ('transactionid', 'tuple') limit 1`)).rows.length > 0);
      assert.ok(await tx.snapshots.hold(snapshotId));
    });
    const { state, attempt } = await ended(catalog, job.id);
    assert.deepEqual([state, attempt], ['completed', 1]);
  });

  for (const phase of CAPTURE_PHASES) {
    test(`cancel a snapshot in its phase ${phase} within two seconds`, async () => {
      await startWorker();
      engine.onPhase = waitIn(phase);
      const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
      await until('the phase', async () => (await catalog.jobs.get(job.id))?.phase === phase);
      const began = performance.now();
      await queue.cancel(job.id, 'test');
      assert.equal((await ended(catalog, job.id)).state, 'cancelled');
      assert.ok(performance.now() - began < SOON_MS);
      assert.equal((await catalog.snapshots.get(snapshotId))?.state, 'cancelled');
      assert.deepEqual(await rootsIn(), []);
    });
  }

  test('restore, keep the proof and say when the cluster was last proven', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId);
    const done = await ended(catalog, job.id);
    assert.equal(done.state, 'completed', done.errorMessage ?? '');
    assert.deepEqual([done.documentsDone, done.documentsTotal, done.bytesDone, done.storedBytes], [3, 3, 3000, null], 'a finished job shows what it did');
    const restore = await catalog.restores.get(restoreId ?? '');
    assert.deepEqual([restore?.proof?.collections, restore?.proof?.documents, restore?.proof?.bytes], [1, 3, 3000]);
    assert.deepEqual((await catalog.clusters.get(inventory.cluster.id))?.lastProvenAt, restore?.proof?.provenAt);
    assert.deepEqual(await catalog.restorePlans.load(restoreId ?? ''), { state: 'finished' });
    assert.equal(await catalog.restorePlans.isOpen(restoreId ?? ''), false);
    assert.deepEqual(engine.target, { live: 'new', shadows: 0 });
  });

  for (const phase of RESTORE_PHASES) {
    test(`cancel a restore in its phase ${phase}: the target is as it was`, async () => {
      await startWorker();
      const snapshotId = await takeSnapshot();
      engine.onPhase = waitIn(phase);
      const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId);
      await until('the phase', async () => (await catalog.jobs.get(job.id))?.phase === phase);
      const began = performance.now();
      await queue.cancel(job.id, 'test');
      assert.equal((await ended(catalog, job.id)).state, 'cancelled');
      assert.ok(performance.now() - began < SOON_MS);
      assert.deepEqual(engine.target, { live: 'old', shadows: 0 });
      assert.equal(await catalog.restorePlans.isOpen(restoreId ?? ''), false);
    });
  }

  test('complete a restore that failed behind its swap', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    let failures = 0;
    engine.onPhase = (phase) => (phase === 'committed' && failures++ === 0 ? Promise.reject(new Error('connection reset')) : Promise.resolve());
    const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId);
    assert.equal((await ended(catalog, job.id)).state, 'completed');
    assert.deepEqual(engine.calls.slice(-3), ['restore', 'settle', 'restore']);
    assert.equal((await catalog.restores.get(restoreId ?? ''))?.proof?.documents, 3);
  });

  test('keep what a restore replaced for as long as was asked, undo it, and drop what is kept when its time is over', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId, 1);
    await ended(catalog, job.id);
    const provenAt = (await catalog.restores.get(restoreId ?? ''))?.proof?.provenAt;
    const until1 = await catalog.restorePlans.keptUntil(restoreId ?? '');
    assert.equal(until1?.getTime(), (provenAt?.getTime() ?? 0) + 3_600_000);
    const undo = await askForUndo(restoreId ?? '', snapshotId);
    assert.equal((await ended(catalog, undo.id)).errorMessage, 'Live again: shop.orders; kept in their place: shop.old1');
    assert.equal(engine.target.live, 'old');
    assert.ok(((await catalog.restorePlans.keptUntil(restoreId ?? ''))?.getTime() ?? 0) > (until1?.getTime() ?? 0));
    await catalog.restorePlans.keep(restoreId ?? '', new Date(0));
    await until('the kept collections to be dropped', async () => (await catalog.restorePlans.keptUntil(restoreId ?? '')) === null);
    assert.deepEqual([engine.target.kept, engine.calls.filter((call) => call === 'dropKept').length], [[], 1]);
  });

  test('settle an undo that failed by its own job, never while it runs', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId, 1);
    await ended(catalog, job.id);
    engine.onPhase = waitIn('undo');
    const undo = await askForUndo(restoreId ?? '', snapshotId);
    await until('the undo to save its plan', () => catalog.restorePlans.isOpen(restoreId ?? ''));
    assert.equal(await catalog.leases.claimUnsettled({ workerId: 'other', leaseSeconds: 10, except: [] }), null);
    await queue.cancel(undo.id, 'test');
    assert.equal((await ended(catalog, undo.id)).state, 'cancelled');
    assert.equal(engine.calls.at(-1), 'settle');
    assert.equal(await catalog.restorePlans.isOpen(restoreId ?? ''), false);
  });

  test('ask for the end of the chain of the cluster that a restore swapped names in, and of no other', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    await saveChain(catalog, inventory, at(1), at(2));
    await claim(catalog, inventory);
    const asked = async () => (await catalog.tailers.get(inventory.cluster.id))?.endRequested;
    engine.onPhase = (phase) => (phase === 'prove' ? Promise.reject(new LeafvaultError('PROOF_FAILED', 'The proof failed')) : Promise.resolve());
    assert.equal((await ended(catalog, (await askForRestore(catalog, queue, inventory, snapshotId)).job.id)).state, 'failed');
    assert.equal(await asked(), null, 'nothing was swapped');
    engine.onPhase = () => Promise.resolve();
    assert.equal((await ended(catalog, (await askForRestore(catalog, queue, inventory, snapshotId)).job.id)).state, 'completed');
    assert.equal(await asked(), 'RESTORED');
  });

  test('settle later what could not be settled when the restore failed', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    engine.onPhase = (phase) => (phase === 'prove' ? Promise.reject(new LeafvaultError('PROOF_FAILED', 'The proof failed')) : Promise.resolve());
    engine.onSettle = () => Promise.reject(new Error('the target is away'));
    const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId);
    const failed = await ended(catalog, job.id);
    assert.equal(failed.errorCode, 'PROOF_FAILED');
    assert.equal(await catalog.restorePlans.isOpen(restoreId ?? ''), true);
    assert.equal(engine.target.shadows, 1);
    await stopWorkers();
    engine.onSettle = () => Promise.resolve();
    await startWorker();
    await until('the plan to be settled', async () => !(await catalog.restorePlans.isOpen(restoreId ?? '')));
    assert.equal(engine.target.shadows, 0);
    assert.equal((await catalog.jobs.get(job.id))?.errorCode, 'PROOF_FAILED');
  });

  for (const [phase, kept] of [['committed', ['shop.old1']], ['committed', []], ['prove', ['shop.gap1']]] as const) {
    test(`tell what is kept of a restore that was settled ${phase === 'prove' ? 'back' : 'forward'} after its job: ${kept.join() || 'nothing'}`, async () => {
      await startWorker();
      const snapshotId = await takeSnapshot();
      engine.onPhase = (at) => (at === phase ? Promise.reject(new LeafvaultError('BROKEN', 'It broke')) : Promise.resolve());
      engine.onSettle = () => Promise.reject(new Error('the target is away'));
      const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId, 1);
      await ended(catalog, job.id);
      await stopWorkers();
      engine.target.kept = [...kept];
      engine.onSettle = () => Promise.resolve();
      await startWorker();
      await until('the plan to be settled', async () => !(await catalog.restorePlans.isOpen(restoreId ?? '')));
      assert.equal((await catalog.restorePlans.keptUntil(restoreId ?? '')) !== null, phase === 'committed' && kept.length > 0);
      const message = (await catalog.jobs.get(job.id))?.errorMessage ?? '';
      assert.match(message, phase === 'prove' ? /^It broke\. Kept, because applications wrote to them: shop\.gap1$/ : /The swap had been done before/);
    });
  }

  test('keep what was replaced also of a restore that fails although its swap is done', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    engine.target.kept = ['shop.old1'];
    engine.failure = new LeafvaultError('RESTORE_COPY_LOST', 'The copy was lost');
    engine.onPhase = (at) => (at === 'committed' ? Promise.reject(engine.failure ?? new Error()) : Promise.resolve());
    const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId, 1);
    const failed = await ended(catalog, job.id);
    assert.deepEqual([failed.state, failed.errorCode], ['failed', 'RESTORE_COPY_LOST']);
    assert.notEqual(await catalog.restorePlans.keptUntil(restoreId ?? ''), null, 'it can still be undone');
  });

  test('settle at once when a restore is cancelled between two attempts', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    await stopWorkers();
    const { job, restoreId } = await askForRestore(catalog, queue, inventory, snapshotId);
    // An attempt that died in its swap.
    const dead = await catalog.leases.claimNext({ workerId: 'dead', leaseSeconds: 10, kinds: ['restore'] });
    assert.ok(dead !== null);
    await catalog.fenced(dead.claim, (tx) => tx.restorePlans.save(restoreId ?? '', job.id, { state: 'swapping' }));
    Object.assign(engine.target, { live: 'new', shadows: 1 });
    await catalog.leases.giveUp({ deadOwners: ['dead'], maxLosses: 3 });
    assert.equal(await queue.cancel(job.id, 'test'), 'requested');
    engine.calls.length = 0;
    await startWorker();
    assert.equal((await ended(catalog, job.id)).state, 'cancelled');
    assert.deepEqual(engine.calls, ['settle']);
    assert.deepEqual(engine.target, { live: 'old', shadows: 0 });
    assert.equal(await catalog.restorePlans.isOpen(restoreId ?? ''), false);
  });

  test('clean up and begin again when the worker is stopped in a restore', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    engine.onPhase = waitIn('load');
    const { job } = await askForRestore(catalog, queue, inventory, snapshotId);
    await until('the phase', async () => (await catalog.jobs.get(job.id))?.phase === 'load');
    await stopWorkers();
    assert.equal((await catalog.jobs.get(job.id))?.state, 'queued');
    assert.deepEqual(engine.target, { live: 'old', shadows: 0 });
    engine.onPhase = () => Promise.resolve();
    await startWorker();
    assert.equal((await ended(catalog, job.id)).state, 'completed');
    assert.deepEqual(engine.target, { live: 'new', shadows: 0 });
  });

  test('finish a restore whose snapshot is deleted while it runs, also in another attempt, then tell the repository', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    engine.onPhase = waitIn('load');
    const { job } = await askForRestore(catalog, queue, inventory, snapshotId);
    await running(catalog, job.id);
    await catalog.snapshots.markDeleted(snapshotId);
    await stopWorkers();
    engine.onPhase = () => Promise.resolve();
    await startWorker();
    const done = await ended(catalog, job.id);
    assert.equal(done.state, 'completed', done.errorMessage ?? '');
    await until('the repository to be told', async () => (await rootsIn()).length === 0);
    await until('the note to be gone', async () => (await catalog.snapshots.pendingFacts(1)).length === 0);
  });

  test('make a download ready once its snapshot was read through', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    const { project, cluster } = inventory;
    const ask = async (of: string): Promise<{ readonly jobId: string; readonly restoreId: string }> => {
      const [jobId, restoreId] = [newId(), newId()];
      await catalog.transaction(async (tx) => {
        await queue.enqueue(tx, { id: jobId, kind: 'prepareDownload', payload: { restoreId }, projectId: project.id, clusterId: cluster.id, snapshotId: of, restoreId, requestedBy: 'test' });
        await tx.restores.insert({
          id: restoreId, delivery: 'download', projectId: project.id, clusterId: cluster.id, clusterName: cluster.name, snapshotId: of, target: null, jobId,
          selection: { databases: [], collections: [], renames: [] }, indexStrategy: 'ALL', usersAndRoles: false,
          download: { expirationHours: 4, maxDownloads: null, fileName: 'a.tar.gz', readyAtOnce: false },
        });
      });
      return { jobId, restoreId };
    };
    const good = await ask(snapshotId);
    const done = await ended(catalog, good.jobId);
    assert.equal(done.state, 'completed', done.errorMessage ?? '');
    assert.ok((await catalog.restores.get(good.restoreId))?.download?.readyAt);
    for await (const { name } of storage.list('packs/')) await storage.delete(name);
    const bad = await ask(snapshotId);
    const failed = await ended(catalog, bad.jobId);
    assert.equal(failed.state, 'failed');
    assert.match(failed.errorCode ?? '', /^REPOSITORY_/);
    assert.equal((await catalog.restores.get(bad.restoreId))?.download?.readyAt, null);
  });

  test('verify a snapshot and the repository, and name damage', async () => {
    await startWorker();
    const snapshotId = await takeSnapshot();
    const { project, cluster } = inventory;
    const verify = async (of: string | null): Promise<string> => {
      const id = newId();
      await catalog.transaction((tx) => queue.enqueue(tx, { id, kind: 'verify', payload: { snapshotId: of, readData: true }, projectId: project.id, clusterId: cluster.id, snapshotId: of, restoreId: null, requestedBy: 'test' }));
      const { state, errorCode } = await ended(catalog, id);
      return `${state} ${errorCode ?? ''}`;
    };
    assert.equal(await verify(snapshotId), 'completed ');
    assert.equal(await verify(null), 'completed ');
    for await (const { name } of storage.list('packs/')) {
      const bytes = await storage.get(name);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await storage.delete(name);
      await storage.put(name, bytes);
    }
    assert.match(await verify(snapshotId), /^failed REPOSITORY_/);
    assert.equal(await verify(null), 'failed JOBS_DATA_DAMAGED');
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
