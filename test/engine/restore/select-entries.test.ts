import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RestoreSelection } from '../../../src/domain/records.ts';
import { isSelected, isWholeCluster, renamed } from '../../../src/engine/restore/select-entries.ts';

const choose = (changes: Partial<RestoreSelection>): RestoreSelection => ({ databases: [], collections: [], renames: [], ...changes });

describe('a selection', () => {
  test('of nothing is the whole cluster, but never our own plans', () => {
    assert.ok(isWholeCluster(choose({})) && isSelected(choose({}), 'shop', 'orders'));
    assert.ok(!isSelected(choose({}), '__leafvault', 'plans'));
    assert.ok(!isSelected(choose({}), '__lvd_0123456789ab_1', 'x') && isSelected(choose({}), '__lvd_mine', 'x'), 'nor what a drill built at that instant');
  });

  test('takes databases and collections together', () => {
    const selection = choose({ databases: ['a'], collections: ['b.c.d'] });
    assert.deepEqual([['a', 'x'], ['b', 'c.d'], ['b', 'c'], ['c', 'd']].map(([db = '', name = '']) => isSelected(selection, db, name)), [true, true, false, false]);
    assert.ok(!isWholeCluster(selection));
  });

  test('of renames alone takes what they rename and nothing else', () => {
    const selection = choose({ renames: [{ from: 'a', to: 'b' }, { from: 'c.d', to: 'e.f' }] });
    assert.deepEqual([['a', 'x'], ['c', 'd'], ['c', 'x']].map(([db = '', name = '']) => isSelected(selection, db, name)), [true, true, false]);
  });

  test('renames a collection before its database', () => {
    const selection = choose({ renames: [{ from: 'a', to: 'b' }, { from: 'a.x.y', to: 'z.w.v' }] });
    assert.deepEqual(renamed(selection, 'a', 'x'), { db: 'b', name: 'x' });
    assert.deepEqual(renamed(selection, 'a', 'x.y'), { db: 'z', name: 'w.v' });
    assert.deepEqual(renamed(selection, 'q', 'x'), { db: 'q', name: 'x' });
  });
});
