import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headroomSeconds, warningOf } from '../../../src/jobs/tailers/headroom.ts';

const at = (t: number) => ({ t, i: 1 });
const reach = (oldest: number, position: number, newest: number, rolls: boolean) => ({ oldest: at(oldest), position: at(position), newest: at(newest), rolls });

describe('the headroom of an oplog', () => {
  test('is what lies between its oldest entry and the position', () => assert.equal(headroomSeconds(reach(1000, 1700, 2000, true)), 700));

  test('is no worry while a young oplog only grows', () => assert.equal(warningOf(reach(0, 590, 600, false)), null));

  test('is warned of when an oplog that drops entries spans less than an hour', () => {
    assert.match(warningOf(reach(0, 1790, 1800, true)) ?? '', /holds only 30 minutes/);
    assert.equal(warningOf(reach(0, 7190, 7200, true)), null);
  });

  test('is warned of when the tailer used up three quarters of the span', () => {
    assert.match(warningOf(reach(0, 20_000, 100_000, false)) ?? '', /22 hours behind/);
    assert.equal(warningOf(reach(0, 30_000, 100_000, false)), null);
  });

  test('is no worry in the first minutes, however slow the start', () => assert.equal(warningOf(reach(0, 10, 200, false)), null));
});
