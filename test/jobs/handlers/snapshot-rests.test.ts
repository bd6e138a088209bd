// What a snapshot that rests has kept: written under its lease, handed to the next attempt, gone with the job. A small engine, a real catalog and queue.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/index.ts';
import type { CaptureOptions, CaptureSnapshot } from '../../../src/engine/contracts.ts';
import { sleep } from '../../../src/foundation/abort.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { createHandlers, Worker, type PostgresQueue } from '../../../src/jobs/index.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { askForSnapshot, ended, running, until } from '../../support/job-rows.ts';
import { emptyCatalog, silent } from '../../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../../support/queued-catalog.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { createSmallEngine, NO_DRILLS } from '../../support/small-engine.ts';

describe('a snapshot job that rests', () => {
  let opened: QueuedCatalog;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let inventory: Inventory;
  let repository: Repository;
  let tempRoot: string;
  let workers: Worker[];
  /** What each attempt was given to go on from. */
  let given: unknown[];
  /** What the first attempts do until they are told to end. */
  let beforeTheLast: number;
  let anew: string | null;

  before(async () => {
    opened = await startQueuedCatalog();
    ({ catalog, queue } = opened);
  });
  after(() => opened?.close());
  beforeEach(async () => {
    tempRoot = await mkdtemp(join(tmpdir(), 'leafvault-rests-'));
    inventory = await makeInventory(catalog);
    repository = await openTestRepository(createMemoryStorage());
    [workers, given, beforeTheLast, anew] = [[], [], 1, null];
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await repository.close();
    await emptyCatalog(catalog);
    await rm(tempRoot, { recursive: true, force: true });
  });

  const small = createSmallEngine();
  /** Rests as the engine does: what it keeps is stored after its signal. */
  const capture: CaptureSnapshot = async (options) => {
    given.push(options.rest?.document ?? null);
    if (given.length > beforeTheLast) {
      if (anew !== null) await options.onAnew?.(anew);
      return small.capture(options);
    }
    await sleep(600_000, options.signal).catch(() => undefined);
    if ((options.restWithinMs?.(options.signal.reason) ?? null) !== null) await keep(options);
    throw options.signal.reason;
  };
  async function keep({ writer, onRest }: CaptureOptions): Promise<void> {
    const { id } = await writer.putChunk(Buffer.from('kept'), 1);
    await writer.suspend();
    await onRest?.({ document: { attempt: given.length, chunk: id.toString('hex') }, collections: 1, documents: 1, bytes: 4 });
  }
  const start = async (): Promise<Worker> => {
    const repositories = { forProject: () => Promise.resolve(repository) };
    const handlers = createHandlers({ catalog, repositories, ...NO_DRILLS, ...small, capture, clock: systemClock, onPhase: undefined });
    const worker = new Worker({ catalog, queue, handlers, clock: systemClock, log: silent, tempRoot: join(tempRoot, String(workers.length)), leaseSeconds: 10, drainMs: 0 });
    workers.push(worker);
    await worker.start();
    return worker;
  };
  const begun = async (jobId: string): Promise<void> => {
    await running(catalog, jobId);
    await until('the capture to begin', async () => given.length > 0);
  };
  const rested = (worker: Worker): Promise<boolean> => until('the worker to be free', async () => worker.active === 0);

  test('keeps it for another worker, and nothing of it is left when the job is done', async () => {
    const first = await start();
    const { job } = await askForSnapshot(catalog, queue, inventory);
    await begun(job.id);
    await queue.pause(job.id);
    await rested(first);
    const kept = await catalog.captureRests.load(job.id);
    assert.equal(kept?.['attempt'], 1);
    await first.stop();
    const writer = await repository.openWriter();
    assert.equal(await writer.takeOver({ id: Buffer.from(String(kept?.['chunk']), 'hex'), rawBytes: 4, records: 1 }), true, 'what it refers to is named');
    await writer.abort();
    await start();
    await queue.resume(job.id);
    const done = await ended(catalog, job.id);
    assert.deepEqual([done.state, done.warnings, given], ['completed', [], [null, kept]]);
    assert.equal(await catalog.captureRests.load(job.id), null);
  });

  test('is kept too when its worker stops', async () => {
    const first = await start();
    const { job } = await askForSnapshot(catalog, queue, inventory);
    await begun(job.id);
    await first.stop();
    const kept = await catalog.captureRests.load(job.id);
    assert.equal(kept?.['attempt'], 1);
    await start();
    assert.equal((await ended(catalog, job.id)).state, 'completed');
    assert.deepEqual(given, [null, kept]);
  });

  test('gives the same again to the next attempt when a worker that went on is lost', async () => {
    const first = await start();
    const { job } = await askForSnapshot(catalog, queue, inventory);
    await begun(job.id);
    await queue.pause(job.id);
    await rested(first);
    await first.stop();
    await queue.resume(job.id);
    const lost = await catalog.leases.claimNext({ workerId: 'lost', leaseSeconds: 30, kinds: ['snapshot'] });
    assert.equal(lost?.claim.jobId, job.id);
    await catalog.leases.giveUp({ deadOwners: ['lost'], maxLosses: 9 });
    const kept = await catalog.captureRests.load(job.id);
    await assert.rejects(catalog.fenced(lost!.claim, (tx) => tx.captureRests.save(job.id, {})), { code: 'CATALOG_LEASE_LOST' });
    await start();
    assert.equal((await ended(catalog, job.id)).state, 'completed');
    assert.deepEqual(given, [null, kept]);
    assert.ok(kept !== null);
  });

  test('warns where it could not go on', async () => {
    anew = 'the cluster is another replica set now';
    const first = await start();
    const { job } = await askForSnapshot(catalog, queue, inventory);
    await begun(job.id);
    await queue.pause(job.id);
    await rested(first);
    await queue.resume(job.id);
    const { state, warnings } = await ended(catalog, job.id);
    assert.deepEqual([state, warnings], ['completed', [`The snapshot could not go on where it had rested, and read everything again: ${anew}`]]);
  });

  test('keeps nothing when it is cancelled, and loses what it kept when it is cancelled or fails afterwards', async () => {
    const worker = await start();
    const { job } = await askForSnapshot(catalog, queue, inventory);
    await begun(job.id);
    await queue.cancel(job.id, 'test');
    assert.equal((await ended(catalog, job.id)).state, 'cancelled');
    assert.equal(await catalog.captureRests.load(job.id), null);

    beforeTheLast = 2;
    const { job: paused } = await askForSnapshot(catalog, queue, inventory);
    await until('the capture to begin', async () => given.length === 2);
    await queue.pause(paused.id);
    await rested(worker);
    assert.ok((await catalog.captureRests.load(paused.id)) !== null);
    await queue.cancel(paused.id, 'test');
    assert.equal((await ended(catalog, paused.id)).state, 'cancelled');
    assert.equal(await catalog.captureRests.load(paused.id), null);
  });

  test('goes back into the queue all the same when what it kept can not be stored', async () => {
    const broken: CaptureSnapshot = async (options) => capture({ ...options, onRest: () => Promise.reject(new LeafvaultError('CATALOG_UNREACHABLE', 'away')) });
    const repositories = { forProject: () => Promise.resolve(repository) };
    const handlers = createHandlers({ catalog, repositories, ...NO_DRILLS, ...small, capture: broken, clock: systemClock, onPhase: undefined });
    const worker = new Worker({ catalog, queue, handlers, clock: systemClock, log: silent, tempRoot, leaseSeconds: 10, drainMs: 0 });
    workers.push(worker);
    await worker.start();
    const { job } = await askForSnapshot(catalog, queue, inventory);
    await begun(job.id);
    await queue.pause(job.id);
    await rested(worker);
    assert.equal((await catalog.jobs.get(job.id))?.state, 'queued');
    await queue.resume(job.id);
    assert.equal((await ended(catalog, job.id)).state, 'completed');
    assert.deepEqual(given, [null, null]);
  });
});
