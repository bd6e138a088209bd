// Clusters in our own API, through the real door, services and catalog.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { emptySchedule } from '../../../src/domain/schedule.ts';
import { freshProgress } from '../../../src/domain/plan-run.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { startEmbedded, type TestDatabase } from '../../support/postgres.ts';
import { COPY, openRealDoors, ORDERS, SHOP, type RealDoors } from '../../support/real-doors.ts';

const CLUSTERS = `/api/leafvault/v1/groups/${SHOP}/clusters`;

describe('clusters in our own API', () => {
  let database: TestDatabase;
  let clock: FakeClock;
  let doors: RealDoors;

  before(async () => {
    database = await startEmbedded();
    clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
    doors = await openRealDoors(database, clock);
  });
  after(async () => {
    await doors?.close();
    await database?.stop();
  });

  const read = async (path = `${CLUSTERS}/${ORDERS}`): Promise<Record<string, unknown>> => {
    const { status, json, text } = await doors.bearer('GET', path);
    assert.equal(status, 200, text);
    return json;
  };

  test('tell what they are, and that nothing is taken of one that has no schedule', async () => {
    assert.deepEqual(await read(), {
      id: ORDERS, groupId: SHOP, name: 'orders', hosts: ['127.0.0.1:1'], replicaSetName: null, mongodbVersion: null, createdAt: '2026-03-01T12:00:00.000Z',
      backups: { state: 'inactive', filter: null }, continuous: { isOn: false, state: 'off' }, lastSuccessAt: null, lastProvenAt: null,
    });
  });

  test('tell the state and the filter that another door set, and what rests for them', async () => {
    const stateOf = async (): Promise<unknown> => {
      const { backups, continuous } = await read();
      return { backups, continuous };
    };
    const config = `/groups/${SHOP}/backupConfigs/${ORDERS}`;
    await doors.catalog.schedules.save({ schedule: emptySchedule(ORDERS, clock.now()), progress: freshProgress(clock.now()) });
    await doors.catalog.clusters.learn(ORDERS, { replicaSetName: 'rs0', mongodbVersion: '6.0.5' });
    assert.equal((await doors.opsManager('PATCH', config, { statusName: 'STARTED' })).status, 200);
    assert.deepEqual(await stateOf(), { backups: { state: 'started', filter: null }, continuous: { isOn: true, state: 'starting' } });
    assert.equal((await doors.opsManager('PATCH', config, { excludedNamespaces: ['cache', 'shop.sessions'] })).status, 200);
    assert.deepEqual(await stateOf(), {
      backups: { state: 'started', filter: { kind: 'excluded', databases: ['cache'], collections: ['shop.sessions'] } }, continuous: { isOn: true, state: 'off' },
    });
    assert.equal((await doors.opsManager('PATCH', config, { excludedNamespaces: [], statusName: 'STOPPED' })).status, 200);
    assert.deepEqual(await stateOf(), { backups: { state: 'stopped', filter: null }, continuous: { isOn: true, state: 'off' } });
  });

  test('are listed in pages, by name, each as it is read alone', async () => {
    const all = await read(CLUSTERS);
    assert.deepEqual([all['totalCount'], (all['results'] as { id: string }[]).map(({ id }) => id)], [2, [COPY, ORDERS]]);
    assert.deepEqual((await read(`${CLUSTERS}?itemsPerPage=1&pageNum=2`))['results'], [await read()]);
  });

  test('are those of the group, and no others', async () => {
    assert.equal((await doors.bearer('GET', `${CLUSTERS}/${SHOP}`)).json['code'], 'CLUSTER_NOT_FOUND');
    assert.equal((await doors.bearer('GET', `${CLUSTERS}/orders`)).json['code'], 'ID_MALFORMED');
  });
});
