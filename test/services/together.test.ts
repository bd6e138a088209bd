// Several things that are asked for at once, on a real catalog: each test by two connections that want the same rows.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/foundation/clock.ts';
import { until } from '../support/job-rows.ts';
import { startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { COPY, openRealDoors, ORDERS, type DoorAnswer, type RealDoors } from '../support/real-doors.ts';

const DAILY = { freq_type: 4, active_start_time: 9000, freq_recurrence_factor: 1, freq_interval: 0, freq_relative_interval: 0, timeZone: { TimeZoneName: '' } };

describe('two tasks that name the same clusters in opposite order', () => {
  let database: TestDatabase;
  let doors: RealDoors;
  before(async () => {
    database = await startEmbedded();
    doors = await openRealDoors(database, systemClock);
  });
  after(async () => {
    await doors?.close();
    await database?.stop();
  });

  const ask = (instances: readonly string[], task: unknown, subTask: object): Promise<DoorAnswer> => doors.commvault('POST', '/CreateTask', {
    taskInfo: { associations: instances.map((instanceName) => ({ clientName: 'shop', instanceName, subclientName: 'default' })), ...(task as object), subTasks: [subTask] },
  });
  const waiting = async (): Promise<number> => (await doors.catalog.transaction((tx) => tx.executeSql('select distinct pid from pg_locks where not granted', []))).rows.length;
  /** Both wait for the first row that they want, and go on at once. */
  const atOnce = (lock: string, task: unknown, subTask: object): Promise<readonly DoorAnswer[]> => doors.catalog.transaction(async (tx) => {
    await tx.executeSql(lock, [[ORDERS, COPY]]);
    const both = [['orders', 'copy'], ['copy', 'orders']].map((names) => ask(names, task, subTask));
    await until('both wait', async () => (await waiting()) === 2);
    return both;
  }).then((both) => Promise.all(both));

  test('of backups are both done, each in the order of its own', async () => {
    const answers = await atOnce('select 1 from clusters where id = any($1) for no key update', {}, { subTask: { subTaskType: 2, operationType: 2 }, options: { backupOpts: { backupLevel: 1 } } });
    assert.deepEqual(answers.map(({ status }) => status), [200, 200], answers.map(({ text }) => text).join());
    const clustersOf = ({ json }: DoorAnswer): Promise<readonly string[]> => Promise.all((json['jobIds'] as readonly string[]).map(async (number) => (await doors.services.jobs.byNumber(Number(number))).clusterId));
    assert.deepEqual(await Promise.all(answers.map(clustersOf)), [[ORDERS, COPY], [COPY, ORDERS]]);
  });

  test('of schedules are both understood, and the second one finds what the first one made', async () => {
    for (const id of [ORDERS, COPY]) await doors.services.schedules.change({ cluster: await clusterOf(id), principal: {} as never, change: { items: [] } });
    const answers = await atOnce('select 1 from schedules where cluster_id = any($1) for update', { task: { taskType: 2 } }, { subTask: { subTaskType: 2, operationType: 2 }, pattern: DAILY, options: { backupOpts: { backupLevel: 1 } } });
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400], answers.map(({ text }) => text).join());
    for (const id of [ORDERS, COPY]) assert.equal((await doors.services.schedules.get(await clusterOf(id))).items.length, 1);
  });

  const clusterOf = async (id: string) => {
    const cluster = await doors.catalog.clusters.get(id);
    assert.ok(cluster);
    return cluster;
  };
});
