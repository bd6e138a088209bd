import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { RESTORE_ROLE } from '../../../src/engine/mongo/roles.ts';
import { restoreSnapshot } from '../../../src/engine/restore/index.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { writeCorpus } from '../../support/odd-corpus.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer, restoreWorld } from '../../support/restore-world.ts';

describe('a restore with only the role leafvaultRestore', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;
  let uri: string;
  let original: Record<string, string>;

  before(async () => {
    server = await startReplicaSet({ auth: true });
    client = new MongoClient(server.adminUri);
    await writeCorpus(client);
    await server.createRole(RESTORE_ROLE);
    await server.createRole({ createRole: 'reader', privileges: [], roles: [{ role: 'read', db: 'shop' }] });
    await server.createUser({ user: 'alice', password: 'first', roles: ['reader'] });
    uri = await server.createUser({ user: 'leafvault', password: 'secret', roles: ['leafvaultRestore'] });
    repository = await openTestRepository(createMemoryStorage());
    root = await buildSnapshot(server.adminUri, { repository, usersAndRoles: true });
    original = await contentOfServer(server.adminUri, { ordered: true });
    assert.equal(Object.keys(original).length, 19);
  });

  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });

  test('brings everything back byte for byte after damage, and users and roles too', async () => {
    await client.db('shop').dropDatabase();
    await client.db('odd').collection<{ _id: number }>('documents').deleteMany({ _id: { $in: [1, 101, 103] } });
    await client.db('odd').collection('later').insertOne({ made: 'after the snapshot' });
    await client.db('stranger').collection('x').insertOne({ made: 'after the snapshot' });
    await server.admin({ dropUser: 'alice' });
    await server.admin({ dropRole: 'reader' });
    await using world = await restoreWorld(repository, root, uri, { usersAndRoles: true });
    const result = await restoreSnapshot(world.options);
    assert.deepEqual(result.collections.flatMap(({ from, failedIndexes }) => failedIndexes.map((each) => ({ from, ...each }))), []);
    assert.deepEqual(await contentOfServer(server.adminUri, { ordered: true }), original);
    const { users } = await server.admin({ usersInfo: 'alice', showPrivileges: false });
    assert.equal(users[0].roles[0].role, 'reader');
    assert.equal((await server.admin({ rolesInfo: 'reader' })).roles.length, 1);
    await using _alice = new MongoClient(server.adminUri.replace(/\/\/[^@]*@/, '//alice:first@'), { serverSelectionTimeoutMS: 5_000 }) as MongoClient & AsyncDisposable;
    await _alice.db('shop').collection('orders').findOne({});
    assert.deepEqual((world.journal.saved.at(-1)?.auth as { leftOut: string[] }).leftOut.sort(), ['admin.leafvault', 'admin.leafvaultRestore']);
    assert.deepEqual(await client.db('__leafvault').collection('plans').countDocuments(), 0);
  });

  test('leaves a live time series alone, puts it beside or replaces it, as was chosen', async () => {
    await client.db('shop').collection('weather').insertOne({ t: new Date(), sensor: { id: 99 }, celsius: 1 });
    const selection = { databases: [], collections: ['shop.weather'], renames: [] };
    await using undecided = await restoreWorld(repository, root, uri, { selection });
    await assert.rejects(restoreSnapshot(undecided.options), /shop\.weather is a time series that is there/);
    await using beside = await restoreWorld(repository, root, uri, { selection, timeSeries: 'beside' });
    const result = await restoreSnapshot(beside.options);
    const to = result.collections[0]?.to ?? '';
    assert.match(to, /^shop\.weather_restored_[0-9a-f]{12}$/);
    const content = await contentOfServer(server.adminUri, { ordered: true });
    assert.equal(content[to], original['shop.weather']);
    assert.notEqual(content['shop.weather'], original['shop.weather']);
    await client.db('shop').dropCollection(to.slice('shop.'.length));
    await using replacing = await restoreWorld(repository, root, uri, { selection, timeSeries: 'replace' });
    assert.equal((await restoreSnapshot(replacing.options)).collections[0]?.to, 'shop.weather');
    assert.deepEqual(await contentOfServer(server.adminUri, { ordered: true }), original);
  });

  test('gives new names to a database and a collection and leaves the rest alone', async () => {
    const selection = { databases: [], collections: [], renames: [{ from: 'shop', to: 'shop2' }, { from: 'odd.documents', to: 'elsewhere.papers' }] };
    await using world = await restoreWorld(repository, root, uri, { selection });
    await restoreSnapshot(world.options);
    const content = await contentOfServer(server.adminUri, { ordered: true });
    for (const [name, line] of Object.entries(original)) {
      assert.equal(content[name], line);
      if (name.startsWith('shop.')) assert.equal(content[name.replace('shop.', 'shop2.')], line);
    }
    assert.equal(content['elsewhere.papers'], original['odd.documents']);
    await client.db('shop2').dropDatabase();
    await client.db('elsewhere').dropDatabase();
  });

  test('keeps the old collections when asked and names them', async () => {
    await client.db('odd').collection<{ _id: number }>('documents').deleteMany({ _id: 1 });
    const damaged = await client.db('odd').collection('documents').countDocuments();
    await using world = await restoreWorld(repository, root, uri, { selection: { databases: [], collections: ['odd.documents'], renames: [] }, oldCollections: 'keep' });
    const { movedAside } = await restoreSnapshot(world.options);
    assert.equal(movedAside.length, 1);
    assert.equal(await client.db('odd').collection((movedAside[0] ?? '').slice(4)).countDocuments(), damaged);
    const [plan] = await client.db('__leafvault').collection('plans').find().toArray();
    assert.deepEqual(plan?.shadows, movedAside);
    await client.db('odd').dropCollection((movedAside[0] ?? '').slice(4));
    assert.deepEqual(await contentOfServer(server.adminUri, { ordered: true }), original);
  });

  test('builds no indexes, or none with an expiry, when asked', async () => {
    const selection = { databases: [], collections: ['shop.events', 'shop.people', 'shop.clustered'], renames: [{ from: 'shop', to: 'bare' }] };
    await using none = await restoreWorld(repository, root, uri, { selection, indexStrategy: 'NONE' });
    await restoreSnapshot(none.options);
    assert.deepEqual((await client.db('bare').collection('people').indexes()).map(({ name }) => name), ['_id_']);
    await using mostly = await restoreWorld(repository, root, uri, { selection, indexStrategy: 'ALL_EXCEPT_TTL' });
    await restoreSnapshot(mostly.options);
    assert.deepEqual((await client.db('bare').collection('events').indexes()).map(({ name }) => name), ['_id_']);
    assert.deepEqual((await client.db('bare').collection('people').indexes()).map(({ name }) => name), ['_id_', 'inherited', 'simple']);
    assert.equal((await client.db('bare').listCollections({ name: 'clustered' }).toArray())[0]?.type, 'collection');
    await client.db('bare').dropDatabase();
  });
});
