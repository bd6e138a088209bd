import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON } from 'mongodb';
import type { NamespaceSelection } from '../../../../src/domain/namespace-selection.ts';
import type { Catalog } from '../../../../src/engine/backup/collections/catalog.ts';
import { chooseCollections } from '../../../../src/engine/backup/collections/choose-collections.ts';

function catalogOf(names: readonly (readonly [db: string, name: string, temp: boolean])[]): Catalog {
  return new Map(names.map(([db, name, temp], n) => [String(n), { uuid: String(n), db, name, options: Buffer.from(BSON.serialize(temp ? { temp } : {})), indexes: new Map(), bornAt: null }]));
}

describe('what of the catalog is taken', () => {
  const catalog = catalogOf([['shop', 'orders', false], ['shop', 'tmp.agg_out.1', true], ['crm', 'people', false], ['crm', 'tmp.agg_out.2', true]]);
  const taken = (selection: NamespaceSelection | undefined, temporaries = true): string[] => chooseCollections(catalog, { selection, shadows: new Set(), temporaries }).map(({ collection: { db }, name }) => `${db}.${name}`);

  test('has what a server has for a while where that is asked for', () => {
    assert.deepEqual(taken(undefined), ['shop.orders', 'shop.tmp.agg_out.1', 'crm.people', 'crm.tmp.agg_out.2']);
    assert.deepEqual(taken(undefined, false), ['shop.orders', 'crm.people']);
  });

  test('has nothing that a server has for a while of a database of which something is left out: it may hold that', () => {
    assert.deepEqual(taken({ databases: [], collections: [], excluded: { databases: [], collections: ['crm.people'] } }), ['shop.orders', 'shop.tmp.agg_out.1']);
    assert.deepEqual(taken({ databases: ['shop'], collections: ['crm.people'] }), ['shop.orders', 'shop.tmp.agg_out.1', 'crm.people']);
    assert.deepEqual(taken({ databases: [], collections: [], excluded: { databases: ['shop', 'crm'], collections: [] } }), []);
  });
});
