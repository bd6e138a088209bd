import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Mark, WriteKind } from '../../../src/domain/timeline.ts';
import { createMassMarks } from '../../../src/engine/timeline/mass-marks.ts';

/** Operations as [second, how many], each at a position of its own; the marks as [first second, last second, count]. */
function marksOf(operations: readonly (readonly [number, number])[], { threshold = 1_000, kind = 'delete' as WriteKind } = {}): number[][] {
  return found(operations, threshold, kind).map(({ first, last, count }) => [first.t, last.t, count]);
}

function found(operations: readonly (readonly [number, number])[], threshold = 1_000, kind: WriteKind = 'delete'): readonly Mark[] {
  const marks = createMassMarks(threshold);
  for (const [second, count] of operations) for (let i = 1; i <= count; i += 1) marks.add('shop.orders', kind, { count: 1, time: { t: second, i }, justBefore: { t: second, i: i - 1 } });
  return marks.finish();
}

describe('a burst of deletes', () => {
  test('is one mark across the border of a minute, from its first operation to its last', () => {
    assert.deepEqual(marksOf([[59, 300], [60, 5_000]]), [[59, 60, 5_300]]);
    assert.deepEqual(marksOf([[59, 5_000], [60, 300]]), [[59, 60, 5_300]]);
    assert.deepEqual(marksOf([[59, 900], [60, 600]]), [[59, 60, 1_500]]);
    const [mark] = found([[59, 3], [60, 2_000], [61, 2]]);
    assert.deepEqual([mark?.count, mark?.justBefore, mark?.last, mark?.leaveOut], [
      2_005, { t: 59, i: 0 }, { t: 61, i: 2 }, { namespace: 'shop.orders', kind: 'delete', from: { t: 59, i: 1 }, to: { t: 61, i: 2 } },
    ]);
  });

  test('does not reach back to what was deleted now and then', () => {
    assert.deepEqual(marksOf([[1, 1], [20, 1], [50, 2_000], [58, 1], [90, 1]]), [[50, 50, 2_000]]);
    const everySecond = Array.from({ length: 3_600 }, (_, second) => [second, 1] as const);
    assert.deepEqual(marksOf(everySecond), [], '60 a minute are none');
    const around = [...everySecond.slice(0, 1_000), [1_000, 4_000], ...everySecond.slice(1_001)] as const;
    assert.deepEqual(marksOf(around), [[999, 1_001, 4_002]], 'the seconds right beside it belong to it');
  });

  test('may pause, and is two after a long pause', () => {
    assert.deepEqual(marksOf([[10, 700], [14, 2], [18, 700]]), [[10, 18, 1_402]]);
    assert.deepEqual(marksOf([[10, 1_200], [40, 1_300]]), [[10, 10, 1_200], [40, 40, 1_300]]);
    assert.deepEqual(marksOf([[10, 700], [40, 700]]), []);
  });

  test('is as large as is asked for, and no inserts', () => {
    assert.deepEqual(marksOf([[10, 40]], { threshold: 40 }), [[10, 10, 40]]);
    assert.deepEqual(marksOf([[10, 39]], { threshold: 40 }), []);
    assert.deepEqual(marksOf([[10, 5_000]], { kind: 'insert' }), []);
    assert.equal(found([[10, 5_000]], 1_000, 'update')[0]?.kind, 'massUpdate');
  });

  test('says whether it may go on', () => {
    const marks = createMassMarks(1_000);
    assert.equal(marks.isOpenAt(5), false);
    marks.add('a.b', 'delete', { count: 5_000, time: { t: 10, i: 1 }, justBefore: { t: 9, i: 1 } });
    assert.deepEqual([marks.isOpenAt(11), marks.isOpenAt(20), marks.isOpenAt(21)], [true, true, false]);
  });
});
