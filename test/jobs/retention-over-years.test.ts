// Schedules, what changes of them do to snapshots, and the chore that ends snapshots, over simulated years on a real catalog, in a zone with summer
// time: no snapshot lives shorter than was promised, and what is over goes. What was promised is kept apart from the catalog.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { dueTimes } from '../../src/domain/due-times.ts';
import { freshProgress } from '../../src/domain/plan-run.ts';
import { expiryOf, retainedUntil, type PolicyItem, type Retention } from '../../src/domain/retention.ts';
import { emptySchedule } from '../../src/domain/schedule.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { createRetentionChores, createScheduleChores, type PostgresQueue } from '../../src/jobs/index.ts';
import { createSchedules } from '../../src/services/schedules.ts';
import { createRandom, type Random } from '../engine/backup/random.ts';
import { makeInventory, OUTCOME, type Inventory } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { emptyCatalog, silent } from '../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../support/queued-catalog.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SEEDS = process.env['LEAFVAULT_LONG_TESTS'] === undefined ? 1 : 25;
const FROM = new Date('2027-10-20T03:00:00Z');
/** A leap day and changes of the clocks, each way, lie in between. */
const YEARS = process.env['LEAFVAULT_LONG_TESTS'] === undefined ? 1.4 : 4;
const PRINCIPAL = { kind: 'apiKey', id: 'c'.repeat(24), name: 'abcdefgh', orgId: 'd'.repeat(24), grants: [] } as const;
const ITEMS: readonly PolicyItem[] = [
  { id: 'a'.repeat(24), frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 9 },
  { id: 'b'.repeat(24), frequencyType: 'weekly', frequencyInterval: 6, retentionUnit: 'weeks', retentionValue: 4 },
  { id: 'c'.repeat(24), frequencyType: 'monthly', frequencyInterval: 40, retentionUnit: 'months', retentionValue: 3 },
];

/** What was promised of one snapshot. */
interface Promised {
  readonly items: Map<string, readonly Retention[]>;
  capturedAt: Date | null;
  /** `deleteSnapshots` of all that it stood for. */
  isLetGo: boolean;
}

describe('retention over years', { timeout: 600_000 }, () => {
  const zone = process.env['TZ'];
  let opened: QueuedCatalog;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let clock: FakeClock;

  before(async () => {
    process.env['TZ'] = 'America/New_York';
    clock = fakeClock(FROM);
    opened = await startQueuedCatalog(undefined, { clock });
    ({ catalog, queue } = opened);
  });
  after(async () => {
    await opened?.close();
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });

  for (let seed = 1; seed <= SEEDS; seed += 1) {
    test(`keeps every promise, and nothing longer than it has to (${seed})`, async () => {
      await emptyCatalog(catalog);
      const world = await openYears(await makeInventory(catalog), createRandom(seed));
      for (const end = clock.now().getTime() + YEARS * 365 * DAY_MS; clock.now().getTime() < end;) await world.step();
      assert.ok(world.ended() > 30, `${world.ended()} snapshots ended`);
    });
  }

  async function openYears(inventory: Inventory, random: Random) {
    const { cluster } = inventory;
    let items = ITEMS;
    let handledUntil = clock.now();
    const empty = emptySchedule(cluster.id, clock.now());
    const promises = new Map<string, Promised>();
    await catalog.schedules.save({ schedule: { ...empty, items }, progress: freshProgress(clock.now()) });
    const [follow] = createScheduleChores({ catalog, queue, clock, log: silent, catchUp: 'once' });
    const [endExpired] = createRetentionChores({ catalog, clock, log: silent, repositories: () => Promise.resolve([]) });
    const schedules = createSchedules({ catalog, clock, catchUp: 'once' });
    const rows = async (where: string): Promise<readonly { readonly id: string; readonly expires_at: Date }[]> =>
      (await catalog.transaction((tx) => tx.executeSql(`select id, expires_at from snapshots where ${where}`))).rows as never;

    /** One look; what is due by it stands in the one snapshot that waits. */
    const look = async (): Promise<void> => {
      const due = [...dueTimes({ ...empty, items }, handledUntil, clock.now())].flatMap((each) => each.items);
      handledUntil = clock.now();
      await follow!.run(AbortSignal.timeout(60_000));
      if (due.length === 0) return;
      const waiting = await rows("state = 'queued' and deleted_at is null");
      assert.equal(waiting.length, 1, 'one waits');
      const promised = promises.get(waiting[0]!.id) ?? { items: new Map(), capturedAt: null, isLetGo: false };
      for (const item of due) promised.items.set(item.id, [...(promised.items.get(item.id) ?? []), item]);
      promises.set(waiting[0]!.id, promised);
    };
    /** As a worker does it: kept from the time on that it stands for. */
    const capture = async (): Promise<void> => {
      const job = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] });
      if (job === null) return;
      const snapshotId = job.snapshotId!;
      const capturedAt = clock.now();
      await catalog.fenced(job.claim, async (tx) => {
        const { policyItems } = (await tx.snapshots.get(snapshotId))!;
        await tx.snapshots.complete(snapshotId, { ...OUTCOME, capturedAt, expiresAt: expiryOf(capturedAt, policyItems ?? []) });
        await tx.leases.finish(job.claim, 'completed');
      });
      promises.get(snapshotId)!.capturedAt = capturedAt;
    };
    const change = async (): Promise<void> => {
      const chosen = random.below(items.length);
      const isRemoved = random.next() < 0.3;
      const [updateSnapshots, deleteSnapshots] = [random.next() < 0.5, random.next() < 0.5];
      const old = items[chosen]!;
      const { id, ...rest } = { ...old, retentionValue: 1 + random.below(old.frequencyType === 'daily' ? 20 : 8) };
      const given = items.map((item, index) => (index !== chosen ? item : isRemoved ? rest : { id, ...rest }));
      try {
        items = (await schedules.change({ cluster, principal: PRINCIPAL, change: { items: given }, updateSnapshots, deleteSnapshots })).items;
      } catch (error) {
        if (isLeafvaultError(error, 'SCHEDULE_INVALID')) return;
        throw error;
      }
      for (const promised of promises.values()) {
        if (isRemoved && deleteSnapshots && [...promised.items.keys()].every((each) => each === id)) promised.isLetGo = true;
        if (!isRemoved && updateSnapshots && rest.retentionValue !== old.retentionValue && promised.items.has(id)) promised.items.set(id, [rest]);
      }
    };
    let ended = 0;
    const endAndJudge = async (): Promise<void> => {
      await endExpired!.run(AbortSignal.timeout(60_000));
      for (const { id } of await rows('deleted_at is not null')) {
        const promised = promises.get(id);
        if (promised === undefined) continue;
        promises.delete(id);
        ended += 1;
        if (promised.isLetGo) continue;
        const until = Math.max(...[...promised.items.values()].flat().map((each) => retainedUntil(promised.capturedAt!, each).getTime()));
        assert.ok(clock.now().getTime() >= until, `${id} of ${promised.capturedAt?.toISOString()} was promised until ${new Date(until).toISOString()}, and went at ${clock.now().toISOString()}`);
      }
      const newest = [...promises].filter(([, { capturedAt }]) => capturedAt !== null).sort(([, a], [, b]) => b.capturedAt!.getTime() - a.capturedAt!.getTime())[0]?.[0];
      const left = await rows(`deleted_at is null and state = 'completed' and expires_at <= '${clock.now().toISOString()}'`);
      assert.deepEqual(left.filter(({ id }) => id !== newest), [], 'but for the newest, what is over goes');
    };
    return {
      ended: () => ended,
      async step(): Promise<void> {
        const away = random.next();
        clock.advance(away < 0.6 ? DAY_MS : away < 0.95 ? HOUR_MS + random.below(9 * DAY_MS) : random.below(40 * DAY_MS));
        await look();
        if (random.next() < 0.75) await capture();
        if (random.next() < 0.1) await change();
        await endAndJudge();
      },
    };
  }
});
