// One scheduled snapshot from its due time to its end, with a real mongod, a real worker and a clock that is moved ahead.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { freshProgress } from '../../src/domain/plan-run.ts';
import { emptySchedule } from '../../src/domain/schedule.ts';
import { captureSnapshot, dropKept, restoreSnapshot, settleRestore, slicesOfChain, undoRestore } from '../../src/engine/index.ts';
import type { Clock } from '../../src/foundation/clock.ts';
import { createChores, createHandlers, createRetentionChores, createScheduleChores, openPostgresQueue, Worker } from '../../src/jobs/index.ts';
import { createMemoryStorage } from '../../src/storage/index.ts';
import { makeInventory } from '../support/catalog-rows.ts';
import { until } from '../support/job-rows.ts';
import { startReplicaSet } from '../support/mongod.ts';
import { silent, startEmbedded } from '../support/postgres.ts';
import { collect, openTestRepository } from '../support/repository-fixture.ts';
import { NO_DRILLS } from '../support/small-engine.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

test('a due item makes a real snapshot, which ends when its retention is over and a newer one is there', async () => {
  const [server, mongo, tempRoot] = [await startEmbedded(), await startReplicaSet(), await mkdtemp(join(tmpdir(), 'leafvault-schedule-'))];
  let ahead = 0;
  const clock: Clock = { now: () => new Date(Date.now() + ahead), monotonicMs: () => performance.now() };
  const catalog = await server.open({ clock });
  const queue = await openPostgresQueue({ catalog, log: silent });
  const repository = await openTestRepository(createMemoryStorage(), { clock });
  const repositories = { forProject: () => Promise.resolve(repository) };
  const chores = [
    ...createScheduleChores({ catalog, queue, clock, log: silent, catchUp: 'once' }), ...createChores({ catalog, repositories, queue, clock }),
    ...createRetentionChores({ catalog, clock, log: silent, repositories: () => Promise.resolve([repository]) }),
  ].map((chore) => ({ ...chore, everyMs: 100 }));
  const handlers = createHandlers({ ...NO_DRILLS, catalog, repositories, clock, capture: captureSnapshot, restore: restoreSnapshot, settle: settleRestore, undo: undoRestore, dropKept, slicesOfChain });
  const worker = new Worker({ catalog, queue, handlers, clock, log: silent, tempRoot, chores });
  const client = new MongoClient(mongo.uri);
  try {
    await client.db('shop').collection('orders').insertMany([{ n: 1 }, { n: 2 }]);
    const { cluster } = await makeInventory(catalog, mongo.uri);
    const item = { id: 'a'.repeat(24), frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 1 } as const;
    // Due in an hour, so that only moving the clock makes it due.
    const soon = new Date(Date.now() + HOUR_MS);
    await catalog.schedules.save({ schedule: { ...emptySchedule(cluster.id, soon), items: [item] }, progress: freshProgress(clock.now()) });
    await worker.start();
    const list = async () => (await catalog.snapshots.list(cluster.id, { pageNumber: 1, itemsPerPage: 10 })).items;
    assert.deepEqual(await list(), []);
    ahead = HOUR_MS;
    const first = await until('the scheduled snapshot', async () => (await list()).find(({ state }) => state === 'completed'));
    assert.deepEqual([first.type, first.documents, first.policyItems], ['scheduled', 2, [{ ...item, extraDays: 0 }]]);
    assert.equal(first.expiresAt.getTime(), first.capturedAt!.getTime() + DAY_MS);
    assert.deepEqual((await collect(repository.listFacts(first.id))).find(({ kind }) => kind === 'expiry')?.body, { expiresAt: first.expiresAt.toISOString() });
    ahead += 2 * DAY_MS;
    const left = await until('the end of the first', async () => {
      const all = await list();
      return all.every(({ id }) => id !== first.id) && all[0]?.state === 'completed' && all;
    });
    assert.equal(left.length, 1);
    await until('its root to go', async () => (await collect(repository.listSnapshots())).every(({ id }) => id !== first.id));
    assert.deepEqual((await collect(repository.listSnapshots())).map(({ id }) => id), [left[0]!.id]);
  } finally {
    await worker.stop();
    await client.close();
    await queue.close();
    await catalog.close();
    await Promise.all([mongo.stop(), server.stop(), rm(tempRoot, { recursive: true, force: true })]);
  }
});
