// What a schedule exports: once for each snapshot of its frequency, on a real catalog and queue with two processes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import type { ScheduleExport } from '../../src/domain/exports.ts';
import { freshProgress } from '../../src/domain/plan-run.ts';
import type { PolicyItem } from '../../src/domain/retention.ts';
import { emptySchedule } from '../../src/domain/schedule.ts';
import { newId } from '../../src/foundation/ids.ts';
import { makeInventory, OUTCOME, type Inventory } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { startScheduleProcesses, type ScheduleProcesses } from '../support/schedule-processes.ts';

const DAY_MS = 86_400_000;
const DAILY: PolicyItem = { id: 'a'.repeat(24), frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 };
const WEEKLY: PolicyItem = { id: 'b'.repeat(24), frequencyType: 'weekly', frequencyInterval: 7, retentionUnit: 'weeks', retentionValue: 4 };

describe('a schedule that exports weekly snapshots', () => {
  let processes: ScheduleProcesses;
  let clock: FakeClock;
  let catalog: Catalog;
  let inventory: Inventory;
  let bucketId: string;

  before(async () => {
    // A Thursday.
    clock = fakeClock(new Date('2026-02-26T12:00:00Z'));
    processes = await startScheduleProcesses(clock);
    [catalog] = processes.catalogs;
    inventory = await makeInventory(catalog);
    bucketId = newId();
    await catalog.exportBuckets.insert({ id: bucketId, projectId: inventory.project.id, bucketName: 'exports', iamRoleId: 'x', isDeclared: null, region: null });
    await save({ bucketId, frequencyType: 'weekly', isEnabled: true });
  });
  after(() => processes?.close());

  const save = async (choice: ScheduleExport): Promise<void> => {
    const found = await catalog.schedules.get(inventory.cluster.id);
    await catalog.schedules.save({ schedule: { ...emptySchedule(inventory.cluster.id, clock.now()), items: [DAILY, WEEKLY], export: choice }, progress: found?.progress ?? freshProgress(clock.now()) });
  };
  const everybodyLooks = (): Promise<unknown> => Promise.all([0, 1, 0, 1].map((process) => processes.look(process)));
  const exportsNow = async () => (await catalog.exports.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 100 })).items;
  const takeSnapshot = async (outcome: 'completed' | 'failed' = 'completed'): Promise<string> => {
    await everybodyLooks();
    const job = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] });
    assert.ok(job?.snapshotId);
    const { claim, snapshotId } = job;
    await catalog.fenced(claim, async (tx) => {
      if (outcome === 'completed') await tx.snapshots.complete(snapshotId, { ...OUTCOME, capturedAt: clock.now(), expiresAt: (await tx.snapshots.get(snapshotId))!.expiresAt });
      await tx.leases.finish(claim, outcome === 'completed' ? 'completed' : { code: 'SOURCE_UNREACHABLE', message: 'away', hint: null });
    });
    await everybodyLooks();
    return snapshotId;
  };

  test('exports none of the daily ones, and each weekly one once', async () => {
    for (const day of ['Friday', 'Saturday']) {
      clock.advance(DAY_MS);
      await takeSnapshot();
      assert.deepEqual(await exportsNow(), [], day);
    }
    clock.advance(DAY_MS);
    const snapshotId = await takeSnapshot();
    const made = await exportsNow();
    assert.deepEqual(made.map((each) => [each.snapshotId, each.bucketId, each.state, each.labels]), [[snapshotId, bucketId, 'queued', []]]);
    assert.equal(made[0]?.prefix, `exported_snapshots/${inventory.orgId}/${inventory.project.id}/${inventory.cluster.name}/2026-03-01T1200/${clock.now().getTime() / 1000}`);
    const job = await catalog.jobs.get(made[0]!.jobId);
    assert.deepEqual([job?.kind, job?.snapshotId, job?.requestedBy], ['export', snapshotId, 'backup schedule']);
    assert.equal(await catalog.exportBuckets.userOf(bucketId), `the schedule of ${inventory.cluster.name} exports to it`);
  });

  test('exports nothing of one that failed, or once it is turned off', async () => {
    clock.advance(7 * DAY_MS);
    await takeSnapshot('failed');
    await save({ bucketId, frequencyType: 'weekly', isEnabled: false });
    clock.advance(7 * DAY_MS);
    await takeSnapshot();
    assert.equal((await exportsNow()).length, 1);
  });
});
