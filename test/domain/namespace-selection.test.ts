import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { narrowed, takes, takesAllOf, takesEverything, type NamespaceFilter } from '../../src/domain/namespace-selection.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';

const INCLUDED: NamespaceFilter = { kind: 'included', databases: ['shop'], collections: ['crm.people', 'crm.a.b'] };
const EXCLUDED: NamespaceFilter = { ...INCLUDED, kind: 'excluded' };
const NAMES = [['shop', 'orders'], ['shop', 'system.js'], ['crm', 'people'], ['crm', 'a.b'], ['crm', 'notes'], ['admin', 'system.users']] as const;
const taken = (selection: Parameters<typeof takes>[0]): string[] => NAMES.filter(([db, name]) => takes(selection, db, name)).map(([db, name]) => `${db}.${name}`);

describe('a selection of namespaces', () => {
  test('takes everything where nothing is said', () => {
    for (const selection of [null, undefined, { databases: [], collections: [] }]) assert.equal(taken(selection).length, NAMES.length);
    assert.equal(takesEverything({ databases: [], collections: [], excluded: { databases: [], collections: [] } }), true);
    assert.equal(takesEverything({ databases: [], collections: [], excluded: { databases: ['shop'], collections: [] } }), false);
  });

  test('takes what a filter includes, and nothing else', () => {
    assert.deepEqual(taken(narrowed(INCLUDED, undefined)), ['shop.orders', 'shop.system.js', 'crm.people', 'crm.a.b']);
  });

  test('takes all but what a filter excludes', () => {
    assert.deepEqual(taken(narrowed(EXCLUDED, undefined)), ['crm.notes', 'admin.system.users']);
  });

  test('takes what both a filter and a choice take', () => {
    for (const filter of [null, INCLUDED, EXCLUDED]) {
      for (const choice of [{ databases: ['crm'], collections: [] }, { databases: [], collections: ['crm.people', 'crm.notes'] }, { databases: ['shop', 'crm'], collections: ['admin.system.users'] }]) {
        const both = taken(choice).filter((name) => filter === null || taken(narrowed(filter, undefined)).includes(name));
        assert.deepEqual(taken(narrowed(filter, choice)), both, JSON.stringify({ filter, choice }));
      }
    }
  });

  test('keeps what a choice excludes by itself, as a snapshot that is taken again does', () => {
    const again = narrowed(EXCLUDED, undefined);
    assert.deepEqual(narrowed(null, again ?? undefined), again);
    assert.deepEqual(taken(narrowed({ kind: 'included', databases: ['crm'], collections: [] }, again ?? undefined)), ['crm.notes']);
    assert.deepEqual(taken(narrowed({ kind: 'excluded', databases: ['admin'], collections: [] }, again ?? undefined)), ['crm.notes']);
  });

  test('is refused where a filter leaves out all that was chosen', () => {
    for (const [filter, choice] of [[INCLUDED, { databases: ['admin'], collections: [] }], [EXCLUDED, { databases: ['shop'], collections: ['crm.people'] }]] as const) {
      assert.throws(() => narrowed(filter, choice), (error) => isLeafvaultError(error, 'SELECTION_EMPTY'));
    }
  });

  test('takes all of a database of which nothing is left out', () => {
    const of = (selection: Parameters<typeof takesAllOf>[0]): string[] => ['shop', 'crm', 'admin'].filter((db) => takesAllOf(selection, db));
    assert.deepEqual(of(null), ['shop', 'crm', 'admin']);
    assert.deepEqual(of(narrowed(INCLUDED, undefined)), ['shop']);
    assert.deepEqual(of(narrowed(EXCLUDED, undefined)), ['admin']);
  });
});
