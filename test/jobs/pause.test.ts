// Jobs that rest: what frees their worker, who passes them over, how they go on and end. Handlers made for the purpose, a real catalog and queue.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { sleep } from '../../src/foundation/abort.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { Worker, type JobHandler, type JobHandlers, type PostgresQueue } from '../../src/jobs/index.ts';
import { makeInventory, OUTCOME, type Inventory } from '../support/catalog-rows.ts';
import { askForRestore, askForSnapshot, ended, running, until } from '../support/job-rows.ts';
import { SOON_MS } from '../support/patience.ts';
import { emptyCatalog, silent } from '../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../support/queued-catalog.ts';

const nothing: JobHandler = () => Promise.resolve(() => Promise.resolve());
const HANDLERS: JobHandlers = { snapshot: nothing, restore: nothing, undo: nothing, dropKept: nothing, prepareDownload: nothing, verify: nothing, drill: nothing, export: nothing, settle: nothing };

describe('a paused job', () => {
  let opened: QueuedCatalog;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let inventory: Inventory;
  let tempRoot: string;
  /** Why each attempt was told to end. */
  let reasons: string[];
  let worker: Worker | null = null;

  before(async () => {
    opened = await startQueuedCatalog();
    ({ catalog, queue } = opened);
  });
  after(() => opened?.close());
  beforeEach(async () => {
    tempRoot = await mkdtemp(join(tmpdir(), 'leafvault-pause-'));
    inventory = await makeInventory(catalog);
    reasons = [];
  });
  afterEach(async () => {
    await worker?.stop();
    worker = null;
    await emptyCatalog(catalog);
    await rm(tempRoot, { recursive: true, force: true });
  });

  /** The first attempt of the first job lasts until it is told to end; all others complete. */
  const untilTold = (): JobHandler => {
    let first: string | null = null;
    return async ({ job, signal }) => {
      first ??= job.claim.jobId;
      if (job.claim.jobId === first && job.attempt === 1) {
        await sleep(600_000, signal).catch(() => { reasons.push(isLeafvaultError(signal.reason) ? signal.reason.code : 'unknown'); });
        throw signal.reason;
      }
      signal.throwIfAborted();
      return (tx) => tx.snapshots.complete(job.snapshotId ?? '', OUTCOME);
    };
  };
  const start = async (handlers: Partial<JobHandlers>): Promise<void> => {
    worker = new Worker({ catalog, queue, handlers: { ...HANDLERS, ...handlers }, clock: systemClock, log: silent, tempRoot, leaseSeconds: 10, drainMs: 0, concurrency: 1 });
    await worker.start();
  };
  const state = async (id: string): Promise<unknown[]> => {
    const job = await catalog.jobs.get(id);
    return [job?.state, job?.pausedAt !== null, job?.attempt];
  };

  test('that was queued is passed over until it is resumed', async () => {
    const { job: resting } = await askForSnapshot(catalog, queue, inventory);
    assert.equal(await queue.pause(resting.id), 'paused');
    assert.equal(await queue.pause(resting.id), 'paused', 'asking again changes nothing');
    const { job: next } = await askForSnapshot(catalog, queue, inventory);
    await start({ snapshot: async ({ job }) => (tx) => tx.snapshots.complete(job.snapshotId ?? '', OUTCOME) });
    assert.equal((await ended(catalog, next.id)).state, 'completed', 'the one behind it is not held up');
    assert.deepEqual(await state(resting.id), ['queued', true, 0]);
    assert.equal(await queue.resume(resting.id), 'resumed');
    assert.equal((await ended(catalog, resting.id)).state, 'completed');
    assert.deepEqual([await queue.resume(resting.id), await queue.pause(resting.id), await queue.pause('f'.repeat(24))], ['over', 'over', null]);
  });

  test('that ran gives its only slot free within two seconds, and goes on in another attempt without a loss', async () => {
    await start({ snapshot: untilTold() });
    const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
    await running(catalog, job.id);
    const began = performance.now();
    assert.equal(await queue.pause(job.id), 'requested');
    await until('the slot to be free', async () => worker?.active === 0);
    assert.ok(performance.now() - began < SOON_MS, `took ${performance.now() - began} ms`);
    assert.deepEqual([reasons, await state(job.id)], [['JOBS_PAUSED'], ['queued', true, 1]]);
    const { job: other } = await askForSnapshot(catalog, queue, inventory);
    assert.equal((await ended(catalog, other.id)).state, 'completed', 'of the same cluster, meanwhile');
    assert.equal(await queue.resume(job.id), 'resumed');
    assert.equal((await ended(catalog, job.id)).attempt, 2);
    assert.equal((await catalog.snapshots.get(snapshotId))?.state, 'completed');
    const { rows } = await catalog.transaction((tx) => tx.executeSql('select losses from jobs where id = $1', [job.id]));
    assert.equal(rows[0]?.['losses'], 0);
  });

  test('that was resumed before its worker heard of it just goes on', async () => {
    const { job } = await askForSnapshot(catalog, queue, inventory);
    const claimed = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 30, kinds: ['snapshot'] });
    assert.ok(claimed);
    await queue.pause(job.id);
    assert.equal((await catalog.leases.renew([claimed.claim], 30))[0]?.pauseRequested, true);
    assert.equal(await queue.resume(job.id), 'resumed');
    assert.equal(await queue.resume(job.id), 'notPaused');
    assert.equal((await catalog.leases.renew([claimed.claim], 30))[0]?.pauseRequested, false);
    await queue.cancel(job.id, 'test');
    assert.equal(await queue.pause(job.id), 'ending');
  });

  test('is ended by its cancel: at once where it never began, else by a worker that cleans up', async () => {
    const { job: unbegun } = await askForRestore(catalog, queue, inventory);
    await queue.pause(unbegun.id);
    assert.equal(await queue.cancel(unbegun.id, 'test'), 'cancelled');
    await start({ restore: untilTold() });
    const { job } = await askForRestore(catalog, queue, inventory);
    await running(catalog, job.id);
    await queue.pause(job.id);
    await until('it to rest', async () => worker?.active === 0);
    assert.equal(await queue.cancel(job.id, 'test'), 'requested');
    assert.deepEqual([(await ended(catalog, job.id)).state, (await state(job.id))[2]], ['cancelled', 2]);
  });

  test('does not rest in the middle of a swap: a worker that is lost there is followed by another one', async () => {
    const { job, restoreId } = await askForRestore(catalog, queue, inventory);
    const lose = async (plan: string): Promise<boolean | undefined> => {
      const claimed = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 30, kinds: ['restore'] });
      assert.equal(claimed?.claim.jobId, job.id);
      await catalog.restorePlans.save(restoreId ?? '', job.id, { state: plan });
      await queue.pause(job.id);
      await catalog.leases.giveUp({ deadOwners: ['w'], maxLosses: 9 });
      return (await state(job.id))[1] as boolean;
    };
    assert.equal(await lose('swapping'), false);
    assert.equal(await lose('committed'), false);
    assert.equal(await lose('preparing'), true, 'what is not live may wait');
  });

  test('is settled when it is over, whatever was asked of it before', async () => {
    const { job, restoreId } = await askForRestore(catalog, queue, inventory);
    await catalog.restorePlans.save(restoreId ?? '', job.id, { state: 'preparing' });
    await queue.pause(job.id);
    await catalog.transaction((tx) => tx.executeSql("update jobs set state = 'failed', finished_at = now() where id = $1", [job.id]));
    const claimed = await catalog.leases.claimUnsettled({ workerId: 'w', leaseSeconds: 30, except: [] });
    assert.ok(claimed);
    assert.equal((await catalog.leases.renew([claimed.claim], 30))[0]?.pauseRequested, false);
  });
});
