import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServicesWorld, type ServicesWorld } from '../support/services-world.ts';

describe('subclients', () => {
  let world: ServicesWorld;
  before(async () => { world = await startServicesWorld(); });
  after(() => world?.close());

  test('are everything by default, and chosen namespaces otherwise', async () => {
    const { services: { subclients }, inventory: { cluster } } = world;
    const everything = await subclients.resolve(cluster.id, 'DEFAULT');
    assert.deepEqual([everything.isDefault, subclients.selectionOf(everything)], [true, undefined]);
    const made = await subclients.create({ cluster, name: 'Sales', databases: ['sales', 'sales'], collections: ['crm.people'], description: 'sold' });
    assert.deepEqual(subclients.selectionOf(made), { databases: ['sales'], collections: ['crm.people'] });
    assert.deepEqual(await subclients.resolve(cluster.id, 'sales'), made);
    assert.deepEqual((await subclients.list(cluster.id)).map(({ name }) => name), ['default', 'Sales']);
    const changed = await subclients.change(made, { name: 'Sold', content: { databases: [], collections: [] } });
    assert.deepEqual([changed.name, changed.description], ['Sold', 'sold']);
    assert.throws(() => subclients.selectionOf(changed), { code: 'SUBCLIENT_EMPTY' });
    await subclients.remove(changed);
    await assert.rejects(subclients.get(changed.id), { code: 'SUBCLIENT_NOT_FOUND' });
    await assert.rejects(subclients.change(changed, { description: 'gone' }), { code: 'SUBCLIENT_NOT_FOUND' });
  });

  test('refuse what no subclient can be', async () => {
    const { services: { subclients }, inventory: { cluster } } = world;
    const content = { databases: [], collections: [] };
    await subclients.create({ cluster, name: 'One', ...content });
    await assert.rejects(subclients.create({ cluster, name: 'ONE', ...content }), { code: 'SUBCLIENT_EXISTS' });
    await assert.rejects(subclients.create({ cluster, name: 'default', ...content }), { code: 'SUBCLIENT_EXISTS' });
    for (const name of ['', ' ', 'x'.repeat(129), 'a\0b']) await assert.rejects(subclients.create({ cluster, name, ...content }), { code: 'SUBCLIENT_NAME_INVALID' });
    for (const wrong of [{ databases: ['a.b'], collections: [] }, { databases: [], collections: ['a'] }, { databases: ['a/b'], collections: [] }]) {
      await assert.rejects(subclients.create({ cluster, name: 'Two', ...wrong }), { code: 'SELECTION_INVALID' });
    }
    await assert.rejects(subclients.create({ cluster, name: 'Two', ...content, description: 'a\0b' }), { code: 'TEXT_NOT_STORABLE' });
    const everything = await subclients.resolve(cluster.id, 'default');
    await assert.rejects(subclients.change(everything, { name: 'all' }), { code: 'SUBCLIENT_FIXED' });
    await assert.rejects(subclients.change(everything, { content: { databases: ['a'], collections: [] } }), { code: 'SUBCLIENT_FIXED' });
    await assert.rejects(subclients.remove(everything), { code: 'SUBCLIENT_FIXED' });
    assert.equal((await subclients.change(everything, { content, name: 'Default', description: 'all of it' })).description, 'all of it');
  });
});
