// The worker with handlers made for the purpose, on both kinds of server: claims, cancel, progress, ends.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { sleep } from '../../src/foundation/abort.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { Worker, type JobHandler, type JobHandlers, type PostgresQueue, type WorkerOptions } from '../../src/jobs/index.ts';
import { makeInventory, OUTCOME, type Inventory } from '../support/catalog-rows.ts';
import { askForRestore, askForSnapshot, askForVerify, ended, running, until } from '../support/job-rows.ts';
import { SOON_MS } from '../support/patience.ts';
import { DATABASES, emptyCatalog, silent } from '../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../support/queued-catalog.ts';

const nothing: JobHandler = () => Promise.resolve(() => Promise.resolve());
const forEver: JobHandler = async ({ signal }) => { await sleep(600_000, signal); return () => Promise.resolve(); };
const HANDLERS: JobHandlers = { snapshot: nothing, restore: nothing, undo: nothing, dropKept: nothing, prepareDownload: nothing, verify: nothing, drill: nothing, export: nothing, settle: nothing };

for (const { name, start } of DATABASES) {
  describe(`a worker on ${name}`, () => {
    let opened: QueuedCatalog;
    let catalog: Catalog;
    let queue: PostgresQueue;
    let inventory: Inventory;
    let tempRoot: string;
    const workers: Worker[] = [];

    const startWorker = async (handlers: Partial<JobHandlers>, options: Partial<WorkerOptions> = {}): Promise<Worker> => {
      const worker = new Worker({
        catalog, queue, handlers: { ...HANDLERS, ...handlers }, clock: systemClock, log: silent, tempRoot, leaseSeconds: 10, drainMs: 0, ...options,
      });
      workers.push(worker);
      await worker.start();
      return worker;
    };

    before(async () => {
      opened = await startQueuedCatalog(start);
      ({ catalog, queue } = opened);
    });
    after(() => opened?.close());
    beforeEach(async () => {
      tempRoot = await mkdtemp(join(tmpdir(), 'leafvault-jobs-'));
      inventory = await makeInventory(catalog);
    });
    afterEach(async () => {
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
      await emptyCatalog(catalog);
      await rm(tempRoot, { recursive: true, force: true });
    });

    test('runs a job soon after it was asked for', async () => {
      await startWorker({});
      const began = performance.now();
      const job = await askForVerify(catalog, queue, inventory);
      assert.equal(job.state, 'queued');
      const done = await ended(catalog, job.id);
      assert.equal(done.state, 'completed');
      assert.equal(done.attempt, 1);
      assert.ok(done.finishedAt !== null && done.startedAt !== null);
      assert.ok(performance.now() - began < SOON_MS);
    });

    test('never sees a job whose transaction was rolled back', async () => {
      let calls = 0;
      await startWorker({ verify: (context) => { calls += 1; return nothing(context); } });
      await assert.rejects(catalog.transaction(async (tx) => {
        const { project, cluster } = inventory;
        await queue.enqueue(tx, { id: 'a'.repeat(24), kind: 'verify', payload: { snapshotId: null, readData: false }, projectId: project.id, clusterId: cluster.id, snapshotId: null, restoreId: null, requestedBy: 'test' });
        throw new Error('rolled back');
      }), /rolled back/);
      const kept = await askForVerify(catalog, queue, inventory);
      await ended(catalog, kept.id);
      assert.equal(await catalog.jobs.get('a'.repeat(24)), null);
      assert.equal(calls, 1);
      const { rows } = await catalog.transaction((tx) => tx.executeSql(`select count(*) as n from ${catalog.schema}_queue.job`));
      assert.equal(Number(rows[0]?.['n']), 1);
    });

    test('runs each of many jobs exactly once, however many workers there are', async () => {
      const calls: string[] = [];
      const verify: JobHandler = async (context) => { calls.push(context.job.claim.jobId); return nothing(context); };
      await Promise.all([1, 2, 3].map(() => startWorker({ verify }, { concurrency: 3 })));
      const jobs = await Promise.all(Array.from({ length: 30 }, () => askForVerify(catalog, queue, inventory)));
      for (const { id } of jobs) assert.equal((await ended(catalog, id)).state, 'completed');
      assert.deepEqual(calls.sort(), jobs.map(({ id }) => id).sort());
    });

    test('lets two jobs of one cluster run one after the other', async () => {
      let now = 0;
      let most = 0;
      const snapshot: JobHandler = async ({ job }) => {
        most = Math.max(most, ++now);
        await sleep(60);
        now -= 1;
        return (tx) => tx.snapshots.complete(job.snapshotId ?? '', OUTCOME);
      };
      await Promise.all([1, 2].map(() => startWorker({ snapshot }, { concurrency: 4 })));
      const asked = await Promise.all(Array.from({ length: 5 }, () => askForSnapshot(catalog, queue, inventory)));
      for (const { job, snapshotId } of asked) {
        assert.equal((await ended(catalog, job.id)).state, 'completed');
        assert.equal((await catalog.snapshots.get(snapshotId))?.state, 'completed');
      }
      assert.equal(most, 1);
    });

    test('fails a job with the cause in words and without secrets', async () => {
      await startWorker({
        snapshot: ({ hide }) => {
          hide('p@ss/word');
          throw new LeafvaultError('MONGO_UNREACHABLE', 'Connecting to mongodb://joe:p%40ss%2Fword@db1:27017 failed: p@ss/word was refused', { hint: 'Look at db1' });
        },
      });
      const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
      const failed = await ended(catalog, job.id);
      assert.equal(failed.state, 'failed');
      assert.equal(failed.errorCode, 'MONGO_UNREACHABLE');
      assert.equal(failed.errorHint, 'Look at db1');
      assert.match(failed.errorMessage ?? '', /db1:27017 failed/);
      assert.doesNotMatch(failed.errorMessage ?? '', /p@ss|p%40ss|joe/);
      assert.equal((await catalog.snapshots.get(snapshotId))?.state, 'failed');
      assert.deepEqual(await readdir(tempRoot).then((names) => Promise.all(names.map((one) => readdir(join(tempRoot, one))))).then((found) => found.flat()), []);
    });

    test('ends a job that waits as soon as it is cancelled', async () => {
      const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
      assert.equal(await queue.cancel(job.id, 'test'), 'cancelled');
      assert.equal((await catalog.jobs.get(job.id))?.state, 'cancelled');
      assert.equal((await catalog.snapshots.get(snapshotId))?.state, 'cancelled');
      assert.equal(await queue.cancel(job.id, 'test'), 'over');
      assert.equal(await queue.cancel('f'.repeat(24), 'test'), null);
    });

    test('hears a cancel within two seconds in any stage', async () => {
      await startWorker({ restore: async (context) => { context.onProgress({ phase: 'load', documentsDone: 1, documentsTotal: 2, bytesDone: 3, bytesTotal: 4, namespace: 'a.b' }); return forEver(context); } });
      const { job } = await askForRestore(catalog, queue, inventory);
      await running(catalog, job.id);
      const began = performance.now();
      assert.equal(await queue.cancel(job.id, 'test'), 'requested');
      const done = await ended(catalog, job.id);
      assert.equal(done.state, 'cancelled');
      assert.ok(done.cancelRequestedAt !== null);
      assert.equal(done.phase, 'load');
      assert.ok(performance.now() - began < SOON_MS, `took ${performance.now() - began} ms`);
    });

    test('hears a cancel whose notification was lost', async () => {
      await startWorker({ snapshot: forEver });
      const { job } = await askForSnapshot(catalog, queue, inventory);
      await running(catalog, job.id);
      const began = performance.now();
      await catalog.transaction((tx) => tx.executeSql('update jobs set cancel_requested_at = now() where id = $1', [job.id]));
      assert.equal((await ended(catalog, job.id)).state, 'cancelled');
      assert.ok(performance.now() - began < SOON_MS);
    });

    test('completes a job whose handler was done before it saw the cancel', async () => {
      await startWorker({ snapshot: async ({ job, signal }) => { await sleep(600_000, signal).catch(() => undefined); return (tx) => tx.snapshots.complete(job.snapshotId ?? '', OUTCOME); } });
      const { job } = await askForSnapshot(catalog, queue, inventory);
      await running(catalog, job.id);
      await queue.cancel(job.id, 'test');
      assert.equal((await ended(catalog, job.id)).state, 'completed');
    });

    test('writes progress with rate and time to go, at most once a second', async () => {
      let bytesDone = 0;
      await startWorker({
        snapshot: async ({ onProgress, signal }) => {
          for (; !signal.aborted; bytesDone += 1000) {
            onProgress({ phase: 'scan', documentsDone: bytesDone / 10, documentsTotal: 1_000_000, bytesDone, bytesTotal: 10_000_000, namespace: 'shop.orders' });
            await sleep(10);
          }
          throw signal.reason;
        },
      });
      const { job } = await askForSnapshot(catalog, queue, inventory);
      const seen = new Set<number>();
      const began = performance.now();
      const moving = await until('a rate', async () => {
        const row = await catalog.jobs.get(job.id);
        if (row !== null) seen.add(row.bytesDone);
        return row !== null && row.bytesPerSecond !== null && row;
      });
      assert.equal(moving.phase, 'scan');
      assert.equal(moving.namespace, 'shop.orders');
      assert.equal(moving.documentsTotal, 1_000_000);
      assert.ok(moving.bytesPerSecond !== null && moving.bytesPerSecond > 1000 && moving.bytesPerSecond < 200_000, String(moving.bytesPerSecond));
      assert.ok(moving.etaSeconds !== null && moving.etaSeconds > 10);
      assert.ok(seen.size <= (performance.now() - began) / 1000 + 2, `${seen.size} writes`);
    });

    test('ends a job that stands still in a stage, and leaves one that moves', async () => {
      const still: JobHandler = async (context) => { context.onProgress({ phase: 'scan', documentsDone: 1, documentsTotal: null, bytesDone: 1, bytesTotal: null, namespace: null }); return forEver(context); };
      const moving: JobHandler = async ({ onProgress, signal }) => {
        for (let n = 1; n <= 60; n++) {
          onProgress({ phase: 'load', documentsDone: n, documentsTotal: 60, bytesDone: n, bytesTotal: 60, namespace: null });
          await sleep(50, signal);
        }
        return () => Promise.resolve();
      };
      await startWorker({ snapshot: still, verify: moving }, { noProgressMs: { otherwise: 900, indexes: 60_000 } });
      const { job } = await askForSnapshot(catalog, queue, inventory);
      const other = await askForVerify(catalog, queue, inventory);
      const failed = await ended(catalog, job.id);
      assert.equal(failed.errorCode, 'JOBS_NO_PROGRESS');
      assert.match(failed.errorMessage ?? '', /phase "scan"/);
      assert.equal((await ended(catalog, other.id)).state, 'completed');
    });

    test('ends the rows of a handler that does not hear, and refuses what it still writes', async () => {
      let written: Promise<unknown> | undefined;
      let release: () => void = () => undefined;
      const deaf = new Promise<void>((resolve) => { release = resolve; });
      await startWorker({
        restore: async ({ job, fenced }) => {
          await fenced((tx) => tx.restorePlans.save(job.restoreId ?? '', job.claim.jobId, { state: 'preparing' }));
          await deaf;
          written = fenced((tx) => tx.restorePlans.save(job.restoreId ?? '', job.claim.jobId, { state: 'swapping' }));
          await written;
          return () => Promise.resolve();
        },
      }, { graceMs: 200 });
      const { job, restoreId } = await askForRestore(catalog, queue, inventory);
      await running(catalog, job.id);
      await until('the plan', async () => (await catalog.restorePlans.load(restoreId ?? '')) !== null);
      await queue.cancel(job.id, 'test');
      const stuck = await ended(catalog, job.id);
      assert.equal(stuck.errorCode, 'JOBS_STUCK');
      // Nobody settles the target while the handler still runs.
      assert.equal(await catalog.leases.claimUnsettled({ workerId: 'other', leaseSeconds: 10, except: [] }), null);
      release();
      await until('the write', async () => written !== undefined);
      await assert.rejects(written ?? Promise.resolve(), { code: 'CATALOG_LEASE_LOST' });
      assert.deepEqual(await catalog.restorePlans.load(restoreId ?? ''), { state: 'preparing' });
      await until('the lease to be free', async () => catalog.leases.claimUnsettled({ workerId: 'other', leaseSeconds: 10, except: [] }));
    });

    test('releases its jobs when it is stopped, without counting a loss', async () => {
      const first = await startWorker({ snapshot: forEver });
      const { job } = await askForSnapshot(catalog, queue, inventory);
      await running(catalog, job.id);
      await first.stop();
      const waiting = await catalog.jobs.get(job.id);
      assert.equal(waiting?.state, 'queued');
      assert.equal(waiting?.errorCode, null);
      await startWorker({ snapshot: async ({ job: again }) => (tx) => tx.snapshots.complete(again.snapshotId ?? '', OUTCOME) });
      const done = await ended(catalog, job.id);
      assert.equal(done.state, 'completed');
      assert.equal(done.attempt, 2);
      const { rows } = await catalog.transaction((tx) => tx.executeSql('select losses from jobs where id = $1', [job.id]));
      assert.equal(rows[0]?.['losses'], 0);
    });

    test('stops although a handler does not hear it, and leaves that job to the lease', async () => {
      let release: () => void = () => undefined;
      const deaf = new Promise<void>((resolve) => { release = resolve; });
      const worker = await startWorker({ verify: async (context) => { await deaf; return nothing(context); } }, { stopGraceMs: 100 });
      const job = await askForVerify(catalog, queue, inventory);
      await running(catalog, job.id);
      const began = performance.now();
      await worker.stop();
      assert.ok(performance.now() - began < SOON_MS);
      assert.equal((await catalog.jobs.get(job.id))?.state, 'running');
      assert.equal((await catalog.workers.list()).length, 1);
      release();
      assert.equal((await ended(catalog, job.id)).state, 'completed');
    });

    test('lets a short job end when it is stopped', async () => {
      const nearlyDone = Promise.withResolvers<void>();
      const worker = await startWorker({ verify: async ({ signal }) => { await nearlyDone.promise; signal.throwIfAborted(); return () => Promise.resolve(); } }, { drainMs: 600_000 });
      const job = await askForVerify(catalog, queue, inventory);
      await running(catalog, job.id);
      const stopping = worker.stop();
      nearlyDone.resolve();
      await stopping;
      assert.equal((await catalog.jobs.get(job.id))?.state, 'completed');
    });

    test('settles a restore that is over but left something open', async () => {
      const { job, restoreId } = await askForRestore(catalog, queue, inventory);
      const claimed = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 10, kinds: ['restore'] });
      assert.ok(claimed !== null);
      await catalog.fenced(claimed.claim, async (tx) => {
        await tx.restorePlans.save(restoreId ?? '', job.id, { state: 'swapping' });
        await tx.leases.finish(claimed.claim, { code: 'X', message: 'it broke', hint: null });
      });
      await startWorker({
        settle: async ({ job: over }) => async (tx) => {
          await tx.restorePlans.markSettled(over.restoreId ?? '', 'new');
          await tx.jobs.addToMessage(over.claim.jobId, 'The swap had been done');
        },
      });
      await until('the plan to be settled', async () => !(await catalog.restorePlans.isOpen(restoreId ?? '')));
      const row = await catalog.jobs.get(job.id);
      assert.equal(row?.state, 'failed');
      assert.equal(row?.errorMessage, 'it broke. The swap had been done');
    });

    test('refuses a payload that does not fit', async () => {
      const { project, cluster } = inventory;
      await assert.rejects(
        catalog.transaction((tx) => queue.enqueue(tx, { id: 'b'.repeat(24), kind: 'restore', payload: { restoreId: 'no' }, projectId: project.id, clusterId: cluster.id, snapshotId: null, restoreId: null, requestedBy: 'test' })),
        { code: 'JOBS_PAYLOAD_INVALID' },
      );
    });
  });
}
