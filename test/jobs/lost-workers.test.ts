// Workers in processes of their own that are killed, frozen or cut off: their jobs go on elsewhere, and what they
// still write is refused.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { readPostmaster } from '../../src/catalog/embedded-postgres/postmaster-file.ts';
import type { Catalog } from '../../src/catalog/index.ts';
import { sleep } from '../../src/foundation/abort.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { Worker, type JobHandler, type PostgresQueue } from '../../src/jobs/index.ts';
import { makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { askForRestore, askForVerify, ended, until } from '../support/job-rows.ts';
import { SOON_MS } from '../support/patience.ts';
import { DATABASES_IN_TURN, emptyCatalog, silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../support/queued-catalog.ts';
import { startWorkerChild, type CatalogChild } from '../support/start-catalog-child.ts';

for (const { name, start } of DATABASES_IN_TURN) {
  describe(`a worker that is lost, on ${name}`, () => {
    let server: TestDatabase;
    let opened: QueuedCatalog;
    let catalog: Catalog;
    let queue: PostgresQueue;
    let inventory: Inventory;
    let tempRoot: string;
    const children: CatalogChild[] = [];
    const workers: Worker[] = [];

    const startChild = async (behaviour: 'write' | 'wait' | 'die', leaseSeconds: number): Promise<CatalogChild> => {
      const child = startWorkerChild({ database: server.database, schema: catalog.schema, tempRoot, leaseSeconds, behaviour });
      children.push(child);
      return child;
    };
    const finish: JobHandler = async ({ job, fenced }) => {
      await fenced((tx) => tx.restorePlans.save(job.restoreId ?? '', job.claim.jobId, { by: 'second' }));
      return (tx) => tx.restorePlans.markSettled(job.restoreId ?? '', 'new');
    };
    const startSecond = async (leaseSeconds: number, handler: JobHandler = finish): Promise<Worker> => {
      const worker = new Worker({
        catalog, queue, clock: systemClock, log: silent, tempRoot, leaseSeconds, drainMs: 0,
        handlers: { snapshot: handler, restore: handler, undo: handler, dropKept: handler, prepareDownload: handler, verify: handler, drill: handler, export: handler, settle: handler },
      });
      workers.push(worker);
      await worker.start();
      return worker;
    };
    /** As if the child ran on another machine, where nobody here can look. */
    const moveAway = (): Promise<unknown> => catalog.transaction((tx) => tx.executeSql('update workers set host = $1', ['another machine']));

    before(async () => {
      opened = await startQueuedCatalog(start);
      ({ server, catalog, queue } = opened);
    });
    after(() => opened?.close());
    beforeEach(async () => {
      tempRoot = await mkdtemp(join(tmpdir(), 'leafvault-lost-'));
      inventory = await makeInventory(catalog);
    });
    afterEach(async () => {
      for (const child of children.splice(0)) {
        await child.kill();
      }
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
      await emptyCatalog(catalog);
      await rm(tempRoot, { recursive: true, force: true });
    });

    test('by kill -9 on this machine is noticed at once, and its job runs again', async () => {
      const child = await startChild('write', 600);
      const { job, restoreId } = await askForRestore(catalog, queue, inventory);
      await until('the first write', async () => (await child.next())['saved'] === 1);
      await child.kill();
      children.pop();
      const began = performance.now();
      await startSecond(600);
      const done = await ended(catalog, job.id);
      assert.ok(performance.now() - began < SOON_MS, `took ${performance.now() - began} ms of a lease of 600 s`);
      assert.equal(done.state, 'completed');
      assert.equal(done.attempt, 2);
      assert.deepEqual(await catalog.restorePlans.load(restoreId ?? ''), { by: 'second' });
      assert.deepEqual((await readdir(tempRoot)).filter((one) => one.includes(`-${child.pid}-`)), []);
      assert.ok((await readdir(tempRoot)).every((one) => one.startsWith(`worker-${hostname()}-${process.pid}-`)));
    });

    test('on another machine is noticed by its lease, and not before', async () => {
      const child = await startChild('write', 600);
      const { job } = await askForRestore(catalog, queue, inventory);
      await until('the first write', async () => (await child.next())['saved'] === 1);
      await child.kill();
      children.pop();
      // What it wrote of itself before the kill is not written again.
      await moveAway();
      await startSecond(10);
      const other = await askForVerify(catalog, queue, await makeInventory(catalog));
      await ended(catalog, other.id);
      assert.deepEqual([(await catalog.jobs.get(job.id))?.state, (await catalog.jobs.get(job.id))?.attempt], ['running', 1], 'whoever looked for jobs left it');
      await catalog.transaction((tx) => tx.executeSql('update leases set expires_at = now() where job_id = $1', [job.id]));
      const done = await ended(catalog, job.id);
      assert.equal(done.state, 'completed');
      assert.equal(done.attempt, 2);
    });

    test('by being frozen writes nothing once it wakes up', async () => {
      const child = await startChild('write', 2);
      const { job, restoreId } = await askForRestore(catalog, queue, inventory);
      await until('the first write', async () => (await child.next())['saved'] === 1);
      process.kill(child.pid, 'SIGSTOP');
      await startSecond(2);
      const done = await ended(catalog, job.id);
      assert.equal(done.state, 'completed');
      assert.equal(done.attempt, 2);
      const before = await catalog.jobs.get(job.id);
      process.kill(child.pid, 'SIGCONT');
      const said: Record<string, unknown>[] = [];
      await until('the refusal', async () => said[said.push(await child.next()) - 1]?.['refused'] === 'CATALOG_LEASE_LOST');
      assert.deepEqual(await catalog.restorePlans.load(restoreId ?? ''), { by: 'second' });
      assert.deepEqual(await catalog.jobs.get(job.id), before);
    });

    test('again and again fails its job with that cause', async () => {
      const { job } = await askForRestore(catalog, queue, inventory);
      for (let loss = 1; loss <= 3; loss += 1) await (await startChild('die', 60)).exited();
      children.length = 0;
      await startSecond(60);
      const done = await ended(catalog, job.id);
      assert.equal(done.state, 'failed');
      assert.equal(done.errorCode, 'JOBS_WORKER_LOST');
      assert.equal(done.attempt, 3);
      assert.ok(done.errorHint);
    });

    test('by SIGTERM gives its job back before it is gone', async () => {
      const child = await startChild('wait', 60);
      const { job } = await askForRestore(catalog, queue, inventory);
      await until('the job to begin', async () => (await child.next())['waiting'] === true);
      process.kill(child.pid, 'SIGTERM');
      await child.exited();
      children.pop();
      const row = await catalog.jobs.get(job.id);
      assert.equal(row?.state, 'queued');
      assert.deepEqual(await catalog.workers.list(), []);
    });

    // An external server is not ours to start again.
    if (start === startEmbedded) {
      test('with its catalog killed under it ends its job all the same', async () => {
        let attempts = 0;
        await startSecond(5, async (context) => {
          attempts += 1;
          if (attempts === 1) {
            const home = 'home' in server.database ? server.database.home : '';
            process.kill((await readPostmaster(join(home, 'postgres', 'data')))?.pid ?? 0, 'SIGKILL');
            await sleep(300, context.signal);
          }
          return finish(context);
        });
        const { job } = await askForRestore(catalog, queue, inventory);
        const done = await until('the end', async () => {
          const row = await catalog.jobs.get(job.id).catch(() => null);
          return row?.state === 'completed' && row;
        });
        assert.ok(done.attempt >= 1);
      });
    }
  });
}
