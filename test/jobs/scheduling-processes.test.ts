// Two processes that follow the same schedule, on a clock that tests move.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { freshProgress } from '../../src/domain/plan-run.ts';
import { emptySchedule } from '../../src/domain/schedule.ts';
import { openPostgresQueue, type PostgresQueue } from '../../src/jobs/index.ts';
import { makeInventory, OUTCOME } from '../support/catalog-rows.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { freshSchema, silent, startExternal, type TestDatabase } from '../support/postgres.ts';
import { startSchedulerChild, type CatalogChild } from '../support/start-catalog-child.ts';

const SIX_HOURS_MS = 6 * 3_600_000;
const START = new Date('2026-03-01T00:00:00Z');
const clock = fakeClock(START);
let database: TestDatabase;
let catalog: Catalog;
let queue: PostgresQueue;
let children: readonly CatalogChild[] = [];

before(async () => {
  database = await startExternal();
  const schema = freshSchema();
  catalog = await database.open({ clock, schema });
  queue = await openPostgresQueue({ catalog, log: silent });
  children = [1, 2].map(() => startSchedulerChild({ database: database.database, schema }));
  for (const child of children) assert.ok('pid' in (await child.next()));
});
after(async () => {
  for (const child of children) await child.kill();
  await queue?.close();
  await catalog?.close();
  await database?.stop();
});

test('two processes that look at the same moments ask once for each due time, and miss none', async () => {
  const { cluster } = await makeInventory(catalog);
  const items = [{ id: 'a'.repeat(24), frequencyType: 'hourly', frequencyInterval: 6, retentionUnit: 'days', retentionValue: 2 }] as const;
  await catalog.schedules.save({ schedule: { ...emptySchedule(cluster.id, START), items: [...items] }, progress: freshProgress(START) });
  const rounds = 20;
  for (let round = 1; round <= rounds; round += 1) {
    clock.advance(SIX_HOURS_MS);
    const at = clock.now().toISOString();
    for (const child of children) child.send(at);
    for (const child of children) assert.deepEqual(await child.next(), { looked: at });
    const job = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] });
    const { claim, snapshotId } = job ?? assert.fail(`nobody asked for the due time ${at}`);
    await catalog.fenced(claim, async (tx) => {
      await tx.snapshots.complete(String(snapshotId), { ...OUTCOME, capturedAt: clock.now(), expiresAt: new Date('2030-01-01T00:00:00Z') });
      await tx.leases.finish(claim, 'completed');
    });
    assert.equal(await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] }), null, `somebody asked for the due time ${at} again`);
  }
  const { items: made, totalCount } = await catalog.snapshots.list(cluster.id, { pageNumber: 1, itemsPerPage: 100 });
  assert.deepEqual([totalCount, made.map(({ type }) => type)], [rounds, Array.from({ length: rounds }, () => 'scheduled')]);
});
