import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RestoreSelection } from '../../src/domain/records.ts';
import { checkSelection, isWhole } from '../../src/services/restore-selection.ts';

function select(changes: Partial<RestoreSelection>): RestoreSelection {
  return { databases: [], collections: [], renames: [], ...changes };
}

describe('checkSelection', () => {
  test('takes nothing for everything', () => {
    assert.deepEqual(checkSelection(undefined), select({}));
    assert.equal(isWhole(checkSelection(undefined)), true);
    assert.equal(isWhole(select({ databases: ['shop'] })), false);
  });

  test('takes the odd names that MongoDB takes', () => {
    const odd = select({
      databases: ['shop', 'a-b_c'], collections: ['shop.orders', 'shop.a b', 'shop.system.js', 'shop.x..y', 'shop. lead', 'shop.тест'],
      renames: [{ from: 'shop', to: 'shop2' }, { from: 'crm.a.b', to: 'crm.c' }],
    });
    assert.deepEqual(checkSelection(odd), odd);
  });

  const refused: readonly (readonly [string, Partial<RestoreSelection>])[] = [
    ['an empty database', { databases: [''] }], ['a database with a dot', { databases: ['a.b'] }], ['a collection without its database', { collections: ['orders'] }],
    ['an empty collection', { collections: ['shop.'] }], ['a collection of no database', { collections: ['.orders'] }], ['U+0000', { collections: ['shop.a\0b'] }],
    ['a slash in a database', { databases: ['a/b'] }], ['a name over 255 bytes', { collections: [`shop.${'x'.repeat(260)}`] }],
    ['a rename between levels', { renames: [{ from: 'shop', to: 'shop.orders' }] }], ['a rename into a system database', { renames: [{ from: 'shop', to: 'admin' }] }],
    ['one name renamed twice', { renames: [{ from: 'a', to: 'b' }, { from: 'a', to: 'c' }] }], ['two renamed to one', { renames: [{ from: 'a', to: 'c' }, { from: 'b', to: 'c' }] }],
  ];
  for (const [what, changes] of refused) {
    test(`refuses ${what}`, () => assert.throws(() => checkSelection(select(changes)), { code: 'SELECTION_INVALID' }));
  }
});
