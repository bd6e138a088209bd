// The planner over years of a clock that a test moves: looks in time, late, after days; snapshots that fail; schedules that change.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dueTimes } from '../../src/domain/due-times.ts';
import { afterChange, afterFailure, afterSuccess, freshProgress, nextLook, planRun, putsNothingOff, type ScheduleProgress } from '../../src/domain/plan-run.ts';
import { expiryOf, retainedUntil, type KeptItem, type PolicyItem } from '../../src/domain/retention.ts';
import { emptySchedule, keptItems, type SnapshotSchedule } from '../../src/domain/schedule.ts';
import { previewSchedule } from '../../src/domain/schedule-preview.ts';
import { createRandom } from '../engine/backup/random.ts';
import { randomSchedule } from '../support/random-schedules.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const ONCE = 'once' as const;
const at = (text: string): Date => new Date(text);
const later = (time: Date, milliseconds: number): Date => new Date(time.getTime() + milliseconds);

const HOURLY_AND_WEEKLY: SnapshotSchedule = {
  ...emptySchedule('5f0000000000000000000004', at('2026-01-01T03:45:00Z')),
  items: [
    { id: 'h', frequencyType: 'hourly', frequencyInterval: 6, retentionUnit: 'days', retentionValue: 2 },
    { id: 'w', frequencyType: 'weekly', frequencyInterval: 6, retentionUnit: 'weeks', retentionValue: 4 },
  ],
};

describe('planning over years', () => {
  interface Taken { readonly asked: Date; readonly capturedAt: Date; readonly expiresAt: Date; readonly items: readonly KeptItem[]; readonly dueAt: Date }

  /** Looks in time, now and then late, rarely after a long absence; a part of the snapshots fails. */
  function live(schedule: SnapshotSchedule, seed: number, { from, until, failing }: { readonly from: Date; readonly until: Date; readonly failing: number }): { readonly taken: Taken[]; readonly looks: number; readonly runs: Date[] } {
    const random = createRandom(seed);
    const taken: Taken[] = [];
    const runs: Date[] = [];
    let progress: ScheduleProgress = freshProgress(from);
    let looks = 0;
    for (let now = from; now <= until;) {
      looks += 1;
      const planned = planRun(schedule, progress, { now, catchUp: ONCE });
      progress = planned.progress;
      if (planned.run !== null) {
        const { items, dueAt } = planned.run;
        runs.push(dueAt);
        if (random.next() < failing) progress = afterFailure(progress, items, now);
        else {
          progress = afterSuccess(progress, items);
          const capturedAt = later(now, random.below(20 * MINUTE_MS));
          const kept = keptItems(schedule, items);
          taken.push({ asked: now, capturedAt, dueAt, items: kept, expiresAt: expiryOf(capturedAt, kept) });
        }
      }
      const next = nextLook(schedule, progress) ?? until;
      const away = random.next();
      now = later(next > now ? next : now, away < 0.9 ? random.below(10_000) + 1 : away < 0.99 ? random.below(5 * HOUR_MS) : random.below(9 * DAY_MS));
    }
    return { taken, looks, runs };
  }

  test('takes something for every due time, at the latest with the next look, and keeps it as long as was promised', () => {
    const [from, until] = [at('2023-12-28T00:00:00Z'), at('2028-03-02T00:00:00Z')];
    for (let seed = 1; seed <= 12; seed += 1) {
      const schedule = randomSchedule(createRandom(seed), from);
      const { taken, runs, looks } = live(schedule, seed, { from, until, failing: seed % 3 === 0 ? 0.2 : 0 });
      assert.ok(runs.length <= looks && runs.every((run, index) => index === 0 || run > runs[index - 1]!), `seed ${seed}: each look asks once at most, each due time comes once`);
      const last = taken.at(-1)?.asked ?? from;
      for (const { id } of schedule.items) {
        const ofItem = taken.filter(({ items }) => items.some((item) => item.id === id));
        let next = 0;
        for (const due of dueTimes(schedule, from, last)) {
          const item = due.items.find((each) => each.id === id);
          if (item === undefined) continue;
          while (next < ofItem.length && ofItem[next]!.asked < due.at) next += 1;
          const covering = ofItem[next];
          if (covering === undefined) {
            // Owed at the end, or behind the last snapshot of its kind.
            assert.ok(due.at > later(last, -10 * DAY_MS), `seed ${seed}: ${id} of ${due.at.toISOString()} was never taken`);
            continue;
          }
          assert.ok(covering.capturedAt >= due.at && covering.expiresAt >= retainedUntil(due.at, item), `seed ${seed}: what stands for ${due.at.toISOString()} ends at ${covering.expiresAt.toISOString()}`);
          assert.ok(covering.expiresAt >= retainedUntil(covering.capturedAt, item));
        }
      }
    }
  });

  test('is what the preview says, when nobody is ever late and nothing fails', () => {
    const [from, until] = [at('2027-12-28T00:00:00Z'), at('2028-12-31T00:00:00Z')];
    for (let seed = 1; seed <= 10; seed += 1) {
      const schedule = randomSchedule(createRandom(seed), from);
      const { runs, isCut } = previewSchedule(schedule, freshProgress(from), { now: from, until, limit: 10_000, catchUp: ONCE });
      const due = [...dueTimes(schedule, from, until)];
      assert.equal(isCut, false);
      assert.deepEqual(runs.map((run) => [run.at.toISOString(), run.items.map(({ id }) => id).sort(), run.missed]), due.map((each) => [each.at.toISOString(), each.items.map(({ id }) => id).sort(), 0]));
      for (const run of runs) assert.equal(run.expiresAt.getTime(), Math.max(...run.items.map((item) => retainedUntil(run.at, item).getTime())));
    }
  });
});

describe('planning', () => {
  const look = (progress: ScheduleProgress, now: Date, catchUp: 'once' | 'skip' = ONCE) => planRun(HOURLY_AND_WEEKLY, progress, { now, catchUp });
  const idsOf = (run: { readonly items: readonly PolicyItem[] } | null): string[] | undefined => run?.items.map(({ id }) => id).sort();
  const thursday = at('2026-01-01T12:00:00Z');

  test('asks nothing before its time, and once at it', () => {
    const { run, progress } = look(freshProgress(thursday), at('2026-01-01T15:44:59.999Z'));
    assert.equal(run, null);
    const due = look(progress, at('2026-01-01T15:45:00Z'));
    assert.deepEqual([due.run?.dueAt.toISOString(), idsOf(due.run), due.run?.missed], ['2026-01-01T15:45:00.000Z', ['h'], 0]);
    assert.equal(look(due.progress, at('2026-01-01T15:45:10Z')).run, null);
  });

  test('takes one for three days away, which stands for all that was missed', () => {
    const { run, progress } = look(freshProgress(thursday), at('2026-01-04T12:00:00Z'));
    assert.deepEqual([run?.dueAt.toISOString(), idsOf(run), run?.missed], ['2026-01-04T09:45:00.000Z', ['h', 'w'], 11]);
    assert.equal(look(progress, at('2026-01-04T12:00:10Z')).run, null);
    assert.equal(nextLook(HOURLY_AND_WEEKLY, progress)?.toISOString(), '2026-01-04T15:45:00.000Z');
  });

  test('leaves what was missed when told to, and not what is ten minutes late', () => {
    const { run, progress } = look(freshProgress(thursday), at('2026-01-04T12:00:00Z'), 'skip');
    assert.equal(run, null);
    assert.equal(progress.handledUntil.toISOString(), '2026-01-04T09:45:00.000Z');
    assert.deepEqual(idsOf(look(freshProgress(thursday), at('2026-01-04T09:55:00Z'), 'skip').run), ['h']);
  });

  test('asks again for one that failed, later each time, and not for what another paid for', () => {
    const saturday = look(freshProgress(at('2026-01-03T00:00:00Z')), at('2026-01-03T03:45:00Z'));
    assert.deepEqual(idsOf(saturday.run), ['h', 'w']);
    let progress = afterFailure(saturday.progress, saturday.run!.items, at('2026-01-03T03:50:00Z'));
    assert.equal(nextLook(HOURLY_AND_WEEKLY, progress)?.toISOString(), '2026-01-03T04:00:00.000Z');
    const retry = look(progress, at('2026-01-03T04:00:01Z'));
    assert.deepEqual([retry.run?.dueAt.toISOString(), idsOf(retry.run), retry.progress.owed], ['2026-01-03T04:00:00.000Z', ['h', 'w'], []]);
    progress = afterFailure(retry.progress, retry.run!.items, at('2026-01-03T04:01:00Z'));
    assert.equal(progress.retryAt?.toISOString(), '2026-01-03T04:21:00.000Z');
    assert.deepEqual(afterSuccess(progress, HOURLY_AND_WEEKLY.items.slice(0, 1)).owed, ['w']);
    assert.deepEqual(afterSuccess(progress, HOURLY_AND_WEEKLY.items), { ...progress, owed: [], failures: 0, retryAt: null });
    for (let round = 0; round < 60; round += 1) progress = afterFailure(progress, [], at('2026-01-03T05:00:00Z'));
    assert.equal(progress.retryAt?.toISOString(), '2026-01-03T11:00:00.000Z', 'six hours at most');
  });

  test('gives what is owed to the next due time', () => {
    const progress: ScheduleProgress = { handledUntil: thursday, owed: ['w'], failures: 5, retryAt: at('2026-01-01T18:00:00Z') };
    const { run, progress: settled } = look(progress, at('2026-01-01T15:45:00Z'));
    assert.deepEqual(idsOf(run), ['h', 'w']);
    assert.deepEqual([settled.owed, settled.retryAt], [[], null]);
  });

  test('goes on from now when its clock was far ahead once, and waits when it was a little', () => {
    const ahead = freshProgress(at('2031-01-01T00:00:00Z'));
    const { run, progress } = look(ahead, thursday);
    assert.deepEqual([run, progress.handledUntil], [null, thursday]);
    const little = freshProgress(later(thursday, 30 * MINUTE_MS));
    assert.deepEqual(look(little, thursday).progress.handledUntil, little.handledUntil);
  });

  test('lets a changed schedule begin now, and owes what the old one had still to do', () => {
    const items = HOURLY_AND_WEEKLY.items.slice(1);
    const changed = { ...HOURLY_AND_WEEKLY, referenceHour: 4, items: [...items, { ...items[0]!, id: 'new', frequencyInterval: 7 }] };
    const now = at('2026-01-04T12:00:00Z');
    const progress = afterChange(HOURLY_AND_WEEKLY, changed, freshProgress(thursday), { now, catchUp: ONCE });
    assert.deepEqual(progress, { handledUntil: now, owed: ['w'], failures: 0, retryAt: now });
    assert.deepEqual(idsOf(planRun(changed, progress, { now, catchUp: ONCE }).run), ['w']);
    assert.deepEqual(afterChange(HOURLY_AND_WEEKLY, { ...changed, items: [] }, freshProgress(thursday), { now, catchUp: ONCE }).owed, []);
  });

  test('puts nothing off for who must not: whoever moves the hour before each due time, or puts new items in place of the old ones, gets a snapshot as often', () => {
    const frequencies = ['hourly', 'weekly'] as const;
    let schedule = HOURLY_AND_WEEKLY;
    let progress = freshProgress(thursday);
    const taken = new Map<string, number>();
    let changes = 0;
    for (let now = thursday; now < later(thursday, 28 * DAY_MS); now = later(now, 15 * MINUTE_MS)) {
      const planned = planRun(schedule, progress, { now, catchUp: ONCE });
      progress = planned.progress;
      for (const { frequencyType } of planned.run?.items ?? []) taken.set(frequencyType, (taken.get(frequencyType) ?? 0) + 1);
      // Half an hour before whatever comes next.
      const next = nextLook(schedule, progress);
      if (next === null || next.getTime() - now.getTime() > 30 * MINUTE_MS) continue;
      const moved = later(now, -30 * MINUTE_MS);
      changes += 1;
      const changed = {
        ...schedule, referenceHour: moved.getUTCHours(), referenceMinute: moved.getUTCMinutes(),
        items: schedule.items.map((item) => ({ ...item, id: `${item.frequencyType}${changes}`, ...(item.frequencyType === 'weekly' ? { frequencyInterval: ((now.getUTCDay() + 4) % 7) + 1 } : {}) })),
      };
      const after = afterChange(schedule, changed, progress, { now, catchUp: ONCE });
      progress = putsNothingOff({ old: schedule, before: progress, changed, after }, { now, frequencies });
      schedule = changed;
    }
    assert.ok(changes >= 28 * 4, `${changes} changes`);
    assert.ok((taken.get('hourly') ?? 0) >= 28 * 4 - 1 && (taken.get('weekly') ?? 0) >= 3, JSON.stringify([...taken]));
    const same = afterChange(schedule, schedule, progress, { now: thursday, catchUp: ONCE });
    assert.deepEqual(putsNothingOff({ old: schedule, before: same, changed: schedule, after: same }, { now: thursday, frequencies }), same, 'what is not put off is not owed');
  });

  test('has nothing to look at without items', () => {
    const nothing = { ...HOURLY_AND_WEEKLY, items: [] };
    assert.equal(nextLook(nothing, freshProgress(thursday)), null);
    assert.equal(planRun(nothing, { ...freshProgress(thursday), owed: ['w'], retryAt: thursday }, { now: thursday, catchUp: ONCE }).run, null);
  });
});
