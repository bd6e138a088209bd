// When drills are due, over ranges of settings and gaps without workers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { drillOrderOf, type DrillDefaults } from '../../src/domain/drill.ts';
import { anchorOf, nextDrillAt } from '../../src/domain/drill-schedule.ts';

const HOUR_MS = 3_600_000;
const at = (text: string): Date => new Date(`2026-03-${text}Z`);

describe('the schedule of drills', () => {
  test('counts hours from the last one, or takes the first time of day that is not earlier', () => {
    const cases: readonly (readonly [number, string | null, string, string | null])[] = [
      [0, null, '10T12:00:00', null],
      [0, '03:00', '10T12:00:00', null],
      [6, null, '10T12:34:56', '10T18:34:56'],
      [24, '03:00', '10T03:00:00', '11T03:00:00'],
      [24, '03:00', '10T12:00:00', '12T03:00:00'],
      [168, '23:59', '10T23:59:00', '17T23:59:00'],
      [6, '03:00', '10T03:00:00', '11T03:00:00'],
      [0.5, '00:00', '10T23:45:00', '12T00:00:00'],
    ];
    for (const [everyHours, time, anchor, next] of cases) {
      assert.equal(nextDrillAt({ everyHours, at: time }, at(anchor))?.toISOString() ?? null, next === null ? null : at(next).toISOString(), `${everyHours} ${time} ${anchor}`);
    }
  });

  test('moves the anchor so that the next one always lies ahead, however long nobody looked, and never twice in one interval', () => {
    const times = fc.option(fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 })).map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`), { nil: null });
    fc.assert(fc.property(fc.integer({ min: 1, max: 8760 }), times, fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 0, max: 1e11 }), (everyHours, time, first, gap) => {
      const order = { everyHours, at: time };
      const anchor = anchorOf(order, new Date(first));
      const due = nextDrillAt(order, anchor) ?? assert.fail();
      assert.ok(due.getTime() - first > 0, 'the first one never comes at once');
      assert.ok(due.getTime() - anchor.getTime() >= everyHours * HOUR_MS);
      if (time !== null) assert.equal(due.toISOString().slice(11, 16), time);
      const found = new Date(due.getTime() + gap);
      const moved = anchorOf(order, found);
      assert.ok(moved > anchor);
      assert.ok((nextDrillAt(order, moved) ?? assert.fail()) > found, 'one catch-up, not two');
    }), { numRuns: 500 });
  });

  test('takes what a cluster declares before the settings, and the place that goes with it', () => {
    const defaults: DrillDefaults = { everyHours: null, at: null, where: null, mongod: null };
    assert.deepEqual(drillOrderOf(defaults, null), { everyHours: 0, at: null, place: 'scratch', target: null, namespaces: [] });
    assert.equal(drillOrderOf({ ...defaults, at: '03:00' }, null).everyHours, 24);
    assert.equal(drillOrderOf({ ...defaults, everyHours: 24 }, { everyHours: 0 }).everyHours, 0);
    assert.equal(drillOrderOf({ ...defaults, mongod: '/bin/mongod' }, null).place, 'mongod');
    assert.equal(drillOrderOf({ ...defaults, mongod: '/bin/mongod' }, { target: 'staging' }).place, 'scratch');
    assert.equal(drillOrderOf({ ...defaults, where: 'mongod' }, { where: 'scratch' }).place, 'scratch');
  });
});
