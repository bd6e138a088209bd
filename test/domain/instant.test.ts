// The arithmetic of instants, against its definition: a time is the state before its second, a border counts itself.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareClusterTimes, lastBefore, positionOf, timeOfPosition, type ClusterTime } from '../../src/domain/cluster-time.ts';
import { borderOf, holds, nearest, secondsOf } from '../../src/domain/instant.ts';

const LAST = 0xffff_ffff;
// Few seconds and the extremes of increments, so that equal ones and neighbours turn up.
const increment = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(LAST - 1, LAST));
const clusterTime: fc.Arbitrary<ClusterTime> = fc.tuple(fc.integer({ min: 1_000, max: 1_012 }), increment).map(([t, i]) => ({ t, i }));
const window = fc.tuple(clusterTime, clusterTime).map(([a, b]) => (compareClusterTimes(a, b) <= 0 ? { from: a, to: b } : { from: b, to: a }));
const time = fc.integer({ min: 998_000, max: 1_015_000 }).map((ms) => new Date(ms));

describe('an instant', () => {
  test('that is a time counts every entry of an earlier second and no other', () => fc.assert(fc.property(time, clusterTime, (at, entry) => {
    const counts = compareClusterTimes(entry, borderOf({ time: at })) <= 0;
    assert.equal(counts, entry.t < Math.floor(at.getTime() / 1000));
  })));

  test('that is a border counts the entry at the border', () => fc.assert(fc.property(clusterTime, (at) => {
    assert.equal(compareClusterTimes(borderOf({ border: at }), at), 0);
  })));

  test('that is a time of a window can be told from its entries: none that counts lies behind its end', () => fc.assert(fc.property(window, time, clusterTime, (range, at, entry) => {
    fc.pre(holds(range, borderOf({ time: at })) && entry.t < Math.floor(at.getTime() / 1000));
    assert.ok(compareClusterTimes(entry, range.to) <= 0);
  })));
});

describe('the seconds of a window', () => {
  test('are those whose border it holds, all of them and no other', () => fc.assert(fc.property(window, (range) => {
    const held: number[] = [];
    for (let second = 998; second <= 1_016; second += 1) if (holds(range, borderOf({ time: new Date(second * 1000) }))) held.push(second);
    const offered = secondsOf(range);
    assert.deepEqual(offered && [offered.first.getTime() / 1000, offered.last.getTime() / 1000], held.length === 0 ? null : [held[0], held.at(-1)]);
    assert.equal(held.length, offered === null ? 0 : (offered.last.getTime() - offered.first.getTime()) / 1000 + 1);
  })));
});

describe('the nearest windows', () => {
  test('are the last that ends before and the first that begins behind', () => fc.assert(fc.property(fc.array(window, { maxLength: 5 }), clusterTime, (windows, border) => {
    fc.pre(!windows.some((range) => holds(range, border)));
    const { before, after } = nearest(windows, border);
    const ends = windows.map(({ to }) => to).filter((to) => compareClusterTimes(to, border) < 0).sort(compareClusterTimes);
    const starts = windows.map(({ from }) => from).filter((from) => compareClusterTimes(from, border) > 0).sort(compareClusterTimes);
    assert.deepEqual([before?.to ?? null, after?.from ?? null], [ends.at(-1) ?? null, starts[0] ?? null]);
  })));
});

describe('a position', () => {
  test('orders as its cluster time does, and gives it back', () => fc.assert(fc.property(clusterTime, clusterTime, (a, b) => {
    assert.deepEqual(timeOfPosition(positionOf(a)), a);
    assert.equal(Math.sign(compareClusterTimes(a, b)), positionOf(a) < positionOf(b) ? -1 : positionOf(a) > positionOf(b) ? 1 : 0);
  })));

  test('has one just before it, with nothing between them', () => fc.assert(fc.property(clusterTime, clusterTime, (a, b) => {
    assert.ok(compareClusterTimes(lastBefore(a), a) < 0);
    assert.ok(compareClusterTimes(b, lastBefore(a)) <= 0 || compareClusterTimes(b, a) >= 0);
  })));
});
