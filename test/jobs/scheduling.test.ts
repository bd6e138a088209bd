// Schedules on a real catalog and queue: two processes, days away, what fails, what a change does to snapshots that are there.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { freshProgress } from '../../src/domain/plan-run.ts';
import type { KeptItem, PolicyItem } from '../../src/domain/retention.ts';
import { emptySchedule, keptItems } from '../../src/domain/schedule.ts';
import type { Snapshot } from '../../src/domain/records.ts';
import { createSchedules } from '../../src/services/schedules.ts';
import type { ScheduleChange } from '../../src/services/contracts.ts';
import { insertCompleted, jobRow, makeInventory, OUTCOME, snapshotRow, type Inventory } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { emptyCatalog } from '../support/postgres.ts';
import { startScheduleProcesses, type ScheduleProcesses } from '../support/schedule-processes.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const HOURLY: PolicyItem = { id: 'a'.repeat(24), frequencyType: 'hourly', frequencyInterval: 6, retentionUnit: 'days', retentionValue: 2 };
const WEEKLY: PolicyItem = { id: 'b'.repeat(24), frequencyType: 'weekly', frequencyInterval: 6, retentionUnit: 'weeks', retentionValue: 4 };
const PRINCIPAL = { kind: 'apiKey', id: 'c'.repeat(24), name: 'abcdefgh', orgId: 'd'.repeat(24), grants: [] } as const;

describe('backup schedules', () => {
  let processes: ScheduleProcesses;
  let clock: FakeClock;
  let inventory: Inventory;
  let catalog: Catalog;

  before(async () => {
    // A Sunday.
    clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
    processes = await startScheduleProcesses(clock);
    [catalog] = processes.catalogs;
  });
  after(() => processes?.close());
  beforeEach(async () => {
    await emptyCatalog(catalog);
    inventory = await makeInventory(catalog);
    clock.advance(7 * DAY_MS - (clock.now().getTime() - Date.UTC(2026, 2, 1, 12)) % (7 * DAY_MS));
    await catalog.schedules.save({ schedule: { ...emptySchedule(inventory.cluster.id, clock.now()), items: [HOURLY, WEEKLY] }, progress: freshProgress(clock.now()) });
  });

  const look = (process = 0): Promise<void> => processes.look(process);
  const snapshots = async (): Promise<readonly Snapshot[]> => (await catalog.snapshots.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 100 })).items;
  const idsOf = ({ policyItems }: Pick<Snapshot, 'policyItems'>): string[] => (policyItems ?? []).map(({ id }) => id.slice(0, 1)).sort();
  /** As a worker would end it. */
  const end = async (outcome: 'completed' | 'failed'): Promise<string> => {
    const job = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] });
    assert.ok(job?.snapshotId);
    const { claim, snapshotId } = job;
    await catalog.fenced(claim, async (tx) => {
      if (outcome === 'completed') await tx.snapshots.complete(snapshotId, { ...OUTCOME, capturedAt: clock.now(), expiresAt: (await tx.snapshots.get(snapshotId))!.expiresAt });
      await tx.leases.finish(claim, outcome === 'completed' ? 'completed' : { code: 'SOURCE_UNREACHABLE', message: 'away', hint: null });
    });
    return snapshotId;
  };
  const change = (given: ScheduleChange, flags: { readonly updateSnapshots?: boolean; readonly deleteSnapshots?: boolean } = {}) =>
    createSchedules({ catalog, clock, catchUp: 'once' }).change({ cluster: inventory.cluster, principal: PRINCIPAL, change: given, ...flags });

  test('ask once for each due time, however many processes look at the same moment', async () => {
    for (let round = 1; round <= 6; round += 1) {
      clock.advance(6 * HOUR_MS);
      await Promise.all([look(0), look(1), look(0), look(1)]);
      const taken = await snapshots();
      assert.equal(taken.length, round);
      assert.deepEqual([taken[0]?.type, idsOf(taken[0]!)], ['scheduled', ['a']]);
      await end('completed');
    }
    const { rows } = await catalog.transaction((tx) => tx.executeSql('select count(distinct snapshot_id)::int as snapshots, count(*)::int as runs from schedule_runs'));
    assert.deepEqual(rows, [{ snapshots: 6, runs: 6 }]);
  });

  test('ask for one after three days away, which stands for all, kept as long as the longest', async () => {
    clock.advance(6 * DAY_MS - HOUR_MS);
    await look();
    await end('completed');
    clock.advance(3 * DAY_MS);
    await Promise.all([look(0), look(1)]);
    await Promise.all([look(0), look(1)]);
    const taken = await snapshots();
    assert.equal(taken.length, 2);
    assert.deepEqual(idsOf(taken[0]!), ['a', 'b']);
    assert.equal(taken[0]!.expiresAt.getTime(), clock.now().getTime() + 28 * DAY_MS);
    const { rows } = await catalog.transaction((tx) => tx.executeSql('select missed from schedule_runs order by due_at desc limit 1'));
    assert.deepEqual(rows, [{ missed: 11 }]);
  });

  test('let a due time join the snapshot that still waits, and queue no more than one beside one that runs', async () => {
    clock.advance(6 * HOUR_MS);
    await look();
    clock.advance(6 * DAY_MS);
    await look();
    const [only, ...more] = await snapshots();
    assert.deepEqual([more.length, idsOf(only!), only!.retentionDays], [0, ['a', 'b'], 28]);
    assert.ok(await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] }));
    for (let round = 0; round < 4; round += 1) {
      clock.advance(6 * HOUR_MS);
      await look();
    }
    assert.deepEqual((await snapshots()).map(({ state }) => state), ['queued', 'inProgress']);
  });

  test('ask again for what failed, and leave it once another one stands for it', async () => {
    clock.advance(6 * DAY_MS);
    await look();
    await end('failed');
    await look();
    clock.advance(9 * 60_000);
    await look();
    assert.equal((await snapshots()).length, 1);
    clock.advance(60_000);
    await Promise.all([look(0), look(1)]);
    assert.deepEqual([(await snapshots()).length, idsOf((await snapshots())[0]!)], [2, ['a', 'b']]);
    await end('completed');
    await look();
    assert.deepEqual((await catalog.schedules.get(inventory.cluster.id))?.progress, { handledUntil: (await catalog.schedules.get(inventory.cluster.id))?.progress.handledUntil, owed: [], failures: 0, retryAt: null });
    clock.advance(2 * HOUR_MS);
    await look();
    assert.equal((await snapshots()).length, 2);
  });

  test('keep a snapshot that waits as long as it was promised, where a due time of an item that is kept shorter by now joins it', async () => {
    clock.advance(6 * HOUR_MS);
    await look();
    await change({ items: [{ ...HOURLY, retentionValue: 1 }, WEEKLY] });
    clock.advance(6 * HOUR_MS);
    await look();
    const waiting = await snapshots();
    assert.deepEqual(waiting.map(({ policyItems }) => policyItems?.map(({ retentionValue }) => retentionValue)), [[HOURLY.retentionValue]]);
    assert.deepEqual(waiting.map(({ expiresAt }) => expiresAt), [new Date(clock.now().getTime() + HOURLY.retentionValue * DAY_MS)]);
  });

  test('count one failure for a snapshot that several due times had joined, and owe the items of all', async () => {
    for (const hours of [6, 6 * 24, 6]) {
      clock.advance(hours * HOUR_MS);
      await look();
    }
    assert.equal((await snapshots()).length, 1);
    await end('failed');
    await look();
    const { owed, failures, retryAt } = (await catalog.schedules.get(inventory.cluster.id))!.progress;
    assert.deepEqual([owed.toSorted(), failures, retryAt], [[HOURLY.id, WEEKLY.id], 1, new Date(clock.now().getTime() + 10 * 60_000)]);
  });

  test('keep what is owed where a due time has its snapshot already, and ask for it after that', async () => {
    clock.advance(6 * HOUR_MS);
    await look();
    await end('completed');
    await look();
    // As after a clock that was wrong: the same time is due again.
    const { schedule } = (await catalog.schedules.get(inventory.cluster.id))!;
    const retryAt = clock.now();
    clock.advance(1_000);
    await catalog.schedules.save({ schedule, progress: { handledUntil: new Date(retryAt.getTime() - HOUR_MS), owed: [WEEKLY.id], failures: 1, retryAt } });
    await look();
    assert.deepEqual([(await snapshots()).length, (await catalog.schedules.get(inventory.cluster.id))?.progress.owed], [1, [WEEKLY.id]]);
    clock.advance(1_000);
    await look();
    assert.deepEqual([(await snapshots()).length, idsOf((await snapshots())[0]!)], [2, ['b']]);
  });

  test('go on with other clusters where the end of a snapshot of one can not be taken into account', async () => {
    clock.advance(6 * HOUR_MS);
    await look();
    await end('completed');
    await catalog.transaction((tx) => tx.executeSql(`update schedules set items = 'null'`));
    const other = await makeInventory(catalog);
    await catalog.schedules.save({ schedule: { ...emptySchedule(other.cluster.id, clock.now()), items: [HOURLY] }, progress: freshProgress(new Date(clock.now().getTime() - HOUR_MS)) });
    await catalog.transaction((tx) => tx.executeSql(`update snapshots set state = 'failed'`));
    await look();
    assert.equal((await catalog.snapshots.list(other.cluster.id, { pageNumber: 1, itemsPerPage: 10 })).totalCount, 1);
  });

  test('take an end into account behind a hundred that can not be', async () => {
    const other = await makeInventory(catalog);
    await catalog.schedules.save({ schedule: { ...emptySchedule(other.cluster.id, clock.now()), items: [HOURLY] }, progress: freshProgress(clock.now()) });
    await catalog.transaction(async (tx) => {
      for (let n = 0; n <= 101; n += 1) {
        const of = n <= 100 ? inventory : other;
        const job = await tx.jobs.insert(jobRow(of));
        const { id } = await tx.snapshots.insert(snapshotRow(of, job.id));
        await tx.schedules.addRun({ clusterId: of.cluster.id, snapshotId: id, dueAt: new Date(clock.now().getTime() - HOUR_MS + n), items: [HOURLY], missed: 0 });
      }
      await tx.executeSql(`update snapshots set state = 'failed'`);
      await tx.executeSql(`update schedules set items = 'null' where cluster_id = $1`, [inventory.cluster.id]);
    });
    await look();
    assert.deepEqual((await catalog.schedules.get(other.cluster.id))?.progress.owed, [HOURLY.id]);
  });

  test('take nothing without items, and forget no run that is young', async () => {
    await change({ items: [] });
    clock.advance(400 * DAY_MS);
    await look();
    assert.deepEqual(await snapshots(), []);
    assert.equal(await catalog.schedules.forgetRuns(new Date(clock.now().getTime() - 35 * DAY_MS)), 0);
  });

  test('begin at the reference time that was shown before there was a schedule', async () => {
    const { cluster } = await makeInventory(catalog);
    const schedules = createSchedules({ catalog, clock, catchUp: 'once' });
    clock.advance(95 * 60_000);
    const { referenceHour, referenceMinute } = await schedules.get(cluster);
    const made = await schedules.change({ cluster, principal: PRINCIPAL, change: { items: [{ ...HOURLY, id: undefined }] } });
    assert.deepEqual([made.referenceHour, made.referenceMinute], [referenceHour, referenceMinute]);
  });

  test('take changes of several processes at once, each of the schedule that the one before left', async () => {
    const interval = (frequencyType: PolicyItem['frequencyType'], retentionValue: number, process: number) => createSchedules({ catalog: processes.catalogs[process]!, clock, catchUp: 'once' })
      .change({ cluster: inventory.cluster, principal: PRINCIPAL, change: ({ items }) => ({ items: items.map((item) => (item.frequencyType === frequencyType ? { ...item, retentionValue } : item)) }) });
    await Promise.all([interval('hourly', 5, 0), interval('weekly', 9, 1)]);
    const { items } = await createSchedules({ catalog, clock, catchUp: 'once' }).get(inventory.cluster);
    assert.deepEqual(items.map(({ retentionValue }) => retentionValue), [5, 9]);
  });

  /** Completed, of these items. */
  const taken = async (items: readonly KeptItem[]): Promise<string> => {
    const { snapshotId } = await insertCompleted(catalog, inventory);
    await catalog.snapshots.changePolicy(snapshotId, items, OUTCOME.expiresAt);
    clock.advance(1_000);
    return snapshotId;
  };
  const until = async (id: string): Promise<string | undefined> => (await catalog.snapshots.get(id))?.expiresAt.toISOString();

  test('change snapshots that are there only when told to, and none whose end was set by hand', async () => {
    const kept = keptItems({ extraDays: {} }, [HOURLY]);
    const [old, byHand, both] = [await taken(kept), await taken(kept), await taken(keptItems({ extraDays: {} }, [HOURLY, WEEKLY]))];
    await catalog.snapshots.setExpiry(byHand, new Date('2027-01-01T00:00:00Z'));
    const was = await until(old);
    await change({ items: [{ ...HOURLY, retentionValue: 5 }, WEEKLY] });
    assert.equal(await until(old), was);
    await change({ items: [{ ...HOURLY, retentionValue: 10 }, WEEKLY] }, { updateSnapshots: true });
    assert.deepEqual([await until(old), await until(byHand), await until(both)], ['2026-03-11T12:00:00.000Z', '2027-01-01T00:00:00.000Z', '2026-03-29T12:00:00.000Z']);
    assert.deepEqual([(await catalog.snapshots.get(old))?.retentionDays, (await catalog.snapshots.get(both))?.retentionDays], [10, 28]);
    assert.deepEqual((await catalog.snapshots.pendingFacts(100)).filter(({ snapshotId }) => snapshotId === old).at(-1)?.body, { expiresAt: '2026-03-11T12:00:00.000Z' });
  });

  test('change none that stands for no changed item, and cut a longer end only for an item that is kept shorter', async () => {
    const [hourly, both] = [keptItems({ extraDays: {} }, [HOURLY]), keptItems({ extraDays: {} }, [HOURLY, WEEKLY])];
    const [untouched, long] = [await taken(hourly), await taken(both)];
    await catalog.transaction((tx) => tx.executeSql('update snapshots set expires_at = $1 where id = $2', ['2027-01-01T00:00:00Z', long]));
    await change({ items: [HOURLY, { ...WEEKLY, retentionValue: 5 }] }, { updateSnapshots: true });
    assert.deepEqual([await until(untouched), await until(long)], [OUTCOME.expiresAt.toISOString(), '2027-01-01T00:00:00.000Z']);
    await change({ items: [HOURLY, { ...WEEKLY, retentionValue: 3 }] }, { updateSnapshots: true });
    assert.deepEqual([await until(untouched), await until(long)], [OUTCOME.expiresAt.toISOString(), '2026-03-22T12:00:00.000Z']);
  });

  test('delete what stands for removed items alone, never the newest, when told to', async () => {
    const [hourly, weekly] = [keptItems({ extraDays: {} }, [HOURLY]), keptItems({ extraDays: {} }, [WEEKLY])];
    const ids = [await taken(hourly), await taken([...hourly, ...weekly]), await taken(weekly), await taken(hourly), await taken(hourly)];
    await change({ items: [WEEKLY] }, { deleteSnapshots: true });
    assert.deepEqual((await snapshots()).map(({ id }) => id), [ids[4], ids[2], ids[1]]);
    await change({ items: [] });
    assert.equal((await snapshots()).length, 3, 'without being told, nothing goes');
  });

  test('never delete the newest of each selection of namespaces while no newer whole one is there', async () => {
    const hourly = keptItems({ extraDays: {} }, [HOURLY]);
    const ids = [await taken(hourly), await taken(hourly), await taken(hourly), await taken(hourly), await taken(hourly)];
    for (const [at, databases] of [[0, ['old']], [2, ['shop']], [3, ['logs']], [4, ['shop']]] as const) {
      await catalog.transaction((tx) => tx.executeSql('update snapshots set selection = $1 where id = $2', [JSON.stringify({ databases, collections: [] }), ids[at]]));
    }
    await change({ items: [WEEKLY] }, { deleteSnapshots: true });
    assert.deepEqual((await snapshots()).map(({ id }) => id), [ids[4], ids[3], ids[1]]);
  });

  test('let a due time join no snapshot that takes something else than one that were asked for now', async () => {
    clock.advance(6 * HOUR_MS);
    await look();
    await catalog.clusters.setNamespaceFilter(inventory.cluster.id, { kind: 'excluded', databases: ['logs'], collections: [] });
    for (let round = 0; round < 2; round += 1) {
      clock.advance(6 * HOUR_MS);
      await look();
    }
    const selections = (await catalog.snapshots.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 100 })).items.map(({ selection }) => selection);
    assert.deepEqual(selections, [{ databases: [], collections: [], excluded: { databases: ['logs'], collections: [] } }, null]);
    await catalog.clusters.setNamespaceFilter(inventory.cluster.id, null);
    clock.advance(6 * HOUR_MS);
    await look();
    assert.equal((await snapshots()).length, 2, 'the one of before still waits, and holds everything');
  });

  test('keep what an earlier change promised to keep, whatever a later one deletes', async () => {
    const both = keptItems({ extraDays: {} }, [HOURLY, WEEKLY]);
    const [promised, , newest] = [await taken(both), await taken(both.slice(0, 1)), await taken(both.slice(0, 1))];
    await change({ items: [HOURLY] });
    await change({ items: [] }, { deleteSnapshots: true });
    assert.deepEqual((await snapshots()).map(({ id }) => id), [newest, promised]);
  });
});
