import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSliceCutter } from '../../../src/engine/oplog/slice-cutter.ts';
import { LIMITS } from '../../../src/engine/oplog/tail-oplog.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const MIB = 1024 * 1024;
const at = (i: number) => ({ t: 1, i });

describe('slices of an oplog', () => {
  test('have 16 MiB or 60 s at most', () => {
    const clock = fakeClock();
    const cutter = createSliceCutter(at(0), LIMITS, () => clock.monotonicMs());
    cutter.add(Buffer.alloc(5 * MIB), at(1));
    assert.equal(cutter.isDue, false);
    // An entry may have 16 MiB itself: it does not go in any more.
    assert.equal(cutter.wouldOverflow(15 * MIB), true);
    assert.deepEqual(cutter.cut().to, at(1));
    assert.equal(cutter.wouldOverflow(15 * MIB), false);
    cutter.add(Buffer.alloc(15 * MIB), at(2));
    assert.equal(cutter.isDue, false);
    clock.advance(59_999);
    assert.equal(cutter.isDue, false);
    clock.advance(1);
    assert.equal(cutter.isDue, true);
    const { from, to, entries, bytes } = cutter.cut();
    assert.deepEqual([from, to, entries, bytes], [at(1), at(2), 1, 15 * MIB]);
  });

  test('have one entry more than none, however large it is', () => {
    const cutter = createSliceCutter(at(0), { bytes: 10, ms: 1_000 }, () => 0);
    assert.equal(cutter.wouldOverflow(100), false);
    cutter.add(Buffer.alloc(100), at(1));
    assert.equal(cutter.isDue, true);
  });
});
