// Schedules, what changes of them do to snapshots, and the chore that ends snapshots, over simulated years on a real catalog, in a zone with summer
// time: no snapshot lives shorter than was promised, nor longer. What was promised is counted here, apart from the code and from the catalog.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { dueTimes } from '../../src/domain/due-times.ts';
import { freshProgress } from '../../src/domain/plan-run.ts';
import { expiryOf, type PolicyItem, type Retention } from '../../src/domain/retention.ts';
import { emptySchedule } from '../../src/domain/schedule.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { createRetentionChores } from '../../src/jobs/retention.ts';
import { createScheduleChores, type SchedulingParts } from '../../src/jobs/scheduling.ts';
import { createSchedules } from '../../src/services/schedules.ts';
import { createRandom, type Random } from '../engine/backup/random.ts';
import { makeInventory, OUTCOME, type Inventory } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { emptyCatalog, silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const IS_LONG = process.env['LEAFVAULT_LONG_TESTS'] !== undefined;
/** The short form's meets all that there is within its months. */
const SEEDS = IS_LONG ? Array.from({ length: 12 }, (_, index) => index + 1) : [3];
const FROM = new Date('2027-10-20T03:00:00Z');
/** A leap day and changes of the clocks, each way, lie in between. */
const YEARS = IS_LONG ? 4 : 0.75;
const PRINCIPAL = { kind: 'apiKey', id: 'c'.repeat(24), name: 'abcdefgh', orgId: 'd'.repeat(24), grants: [] } as const;
const ITEMS: readonly PolicyItem[] = [
  { id: 'a'.repeat(24), frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 9 },
  { id: 'b'.repeat(24), frequencyType: 'weekly', frequencyInterval: 6, retentionUnit: 'weeks', retentionValue: 4 },
  { id: 'c'.repeat(24), frequencyType: 'monthly', frequencyInterval: 40, retentionUnit: 'months', retentionValue: 3 },
];

/** What was promised of one snapshot. */
interface Promised {
  /** By item; the longer one where two due times of the same item said it differently. */
  readonly items: Map<string, Retention>;
  capturedAt: Date | null;
  /** `deleteSnapshots` of all that it stood for. */
  isLetGo: boolean;
}

/** By the words: weeks of 168 hours, months to the same day, or to the first behind a month that lacks it. */
function keptUntil(from: Date, { retentionUnit, retentionValue }: Retention): number {
  if (retentionUnit === 'days' || retentionUnit === 'weeks') return from.getTime() + (retentionUnit === 'weeks' ? 7 : 1) * retentionValue * DAY_MS;
  const month = from.getUTCMonth() + retentionValue * (retentionUnit === 'years' ? 12 : 1);
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), month + 1, 0)).getUTCDate();
  return Date.UTC(from.getUTCFullYear(), month, Math.min(from.getUTCDate(), lastDay + 1)) + from.getTime() % DAY_MS;
}

const untilOf = ({ items, capturedAt }: Promised): number => Math.max(...[...items.values()].map((each) => keptUntil(capturedAt!, each)));

/** The job's row alone: nobody is woken here. */
const queue: SchedulingParts['queue'] = {
  enqueue: (tx, { targetClusterId: _, ...request }) => tx.jobs.insert({ ...request, payload: { ...request.payload }, exclusiveKey: null }),
};

describe('retention over years', { timeout: IS_LONG ? 1_800_000 : 600_000 }, () => {
  const zone = process.env['TZ'];
  let server: TestDatabase;
  let catalog: Catalog;
  let clock: FakeClock;

  before(async () => {
    process.env['TZ'] = 'America/New_York';
    server = await startEmbedded();
    clock = fakeClock(FROM);
    catalog = await server.open({ clock });
  });
  after(async () => {
    await catalog.close();
    await server.stop();
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });

  for (const seed of SEEDS) {
    test(`keeps every promise, and nothing longer than it has to (${seed})`, async () => {
      await emptyCatalog(catalog);
      const world = await openYears(await makeInventory(catalog), createRandom(seed));
      for (const end = clock.now().getTime() + YEARS * 365 * DAY_MS; clock.now().getTime() < end;) await world.step();
      for (const [what, times] of Object.entries(world.met)) assert.ok(times > 0, `${what} was met`);
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
    const met = { ended: 0, letGo: 0, joined: 0, kept: 0, shortened: 0, lengthened: 0 };
    let waiting: Promised | null = null;
    let newest = '';

    /** One look; what is due by it stands in the one snapshot that waits. */
    const look = async (): Promise<void> => {
      const due = [...dueTimes({ ...empty, items }, handledUntil, clock.now())].flatMap((each) => each.items);
      handledUntil = clock.now();
      await follow!.run(AbortSignal.timeout(60_000));
      if (due.length === 0) return;
      if (waiting !== null) met.joined += 1;
      waiting ??= { items: new Map(), capturedAt: null, isLetGo: false };
      for (const item of due) {
        const before = waiting.items.get(item.id);
        if (before === undefined || before.retentionValue < item.retentionValue) waiting.items.set(item.id, item);
      }
    };
    /** As a worker does it: kept from the time on that it stands for. */
    const capture = async (): Promise<void> => {
      const job = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] });
      assert.equal(job === null, waiting === null, 'one waits for what was due');
      if (job === null || waiting === null) return;
      const snapshotId = job.snapshotId!;
      const capturedAt = clock.now();
      await catalog.fenced(job.claim, async (tx) => {
        const { policyItems } = (await tx.snapshots.get(snapshotId))!;
        await tx.snapshots.complete(snapshotId, { ...OUTCOME, capturedAt, expiresAt: expiryOf(capturedAt, policyItems ?? []) });
        await tx.leases.finish(job.claim, 'completed');
      });
      waiting.capturedAt = capturedAt;
      promises.set(snapshotId, waiting);
      [waiting, newest] = [null, snapshotId];
    };
    const change = async (): Promise<void> => {
      const chosen = random.below(items.length);
      const isRemoved = random.next() < 0.4;
      const [updateSnapshots, deleteSnapshots] = [random.next() < 0.5, random.next() < 0.7];
      const old = items[chosen]!;
      const { id, ...rest } = { ...old, retentionValue: 1 + random.below(old.frequencyType === 'daily' ? 20 : 8) };
      const given = items.map((item, index) => (index !== chosen ? item : isRemoved ? rest : { id, ...rest }));
      try {
        items = (await schedules.change({ cluster, principal: PRINCIPAL, change: { items: given }, updateSnapshots, deleteSnapshots })).items;
      } catch (error) {
        if (isLeafvaultError(error, 'SCHEDULE_INVALID')) return;
        throw error;
      }
      if (isRemoved && deleteSnapshots) {
        for (const [each, promised] of promises) promised.isLetGo ||= each !== newest && [...promised.items.keys()].every((item) => item === id);
      }
      if (isRemoved || !updateSnapshots || rest.retentionValue === old.retentionValue) return;
      for (const promised of [...promises.values(), ...(waiting === null ? [] : [waiting])].filter((each) => each.items.has(id))) {
        const before = promised.capturedAt === null ? null : untilOf(promised);
        promised.items.set(id, rest);
        if (before !== null && untilOf(promised) !== before) met[untilOf(promised) < before ? 'shortened' : 'lengthened'] += 1;
      }
    };
    const endAndJudge = async (): Promise<void> => {
      await endExpired!.run(AbortSignal.timeout(60_000));
      const { rows } = await catalog.transaction((tx) => tx.executeSql('select id from snapshots where id = any($1) and deleted_at is not null', [[...promises.keys()]]));
      const gone = new Set(rows.map(({ id }) => String(id)));
      for (const [id, promised] of promises) {
        const until = untilOf(promised);
        const isOver = promised.isLetGo || clock.now().getTime() >= until;
        const told = `${id} of ${promised.capturedAt!.toISOString()} was promised until ${new Date(until).toISOString()}${promised.isLetGo ? ' and let go' : ''}; it is ${clock.now().toISOString()}`;
        if (gone.has(id)) {
          assert.ok(isOver, `gone: ${told}`);
          promises.delete(id);
          met[promised.isLetGo ? 'letGo' : 'ended'] += 1;
        } else if (id === newest) {
          if (isOver) met.kept += 1;
        } else {
          assert.ok(!isOver, `still there: ${told}`);
        }
      }
    };
    return {
      met,
      async step(): Promise<void> {
        const away = random.next();
        clock.advance(away < 0.6 ? DAY_MS : away < 0.95 ? HOUR_MS + random.below(9 * DAY_MS) : random.below(40 * DAY_MS));
        await look();
        if (random.next() < 0.75) await capture();
        if (random.next() < 0.3) await change();
        await endAndJudge();
      },
    };
  }
});
