import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import type { Document } from 'mongodb';
import type { Cluster } from '../../../../src/domain/records.ts';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { ORDERS_ID } from '../../../support/memory-services.ts';

type Json = Document;
/** As the SDK's SchedulePattern makes it. */
const DAILY = { freq_type: 4, active_start_date: 1_772_323_200, active_start_time: 9000, freq_recurrence_factor: 1, freq_interval: 0, freq_relative_interval: 0, timeZone: { TimeZoneName: '' } };

describe('schedules of Commvault', () => {
  let facade: FacadeServer;
  beforeEach(async () => {
    await facade?.close();
    facade = await startFacades();
  });
  after(() => facade?.close());

  const ask = (pattern: unknown, names: Json = {}, headers: Record<string, string> = {}) => facade.commvault('/CreateTask', {
    method: 'POST', headers,
    body: { taskInfo: { associations: [{ clientName: 'shop', instanceName: 'orders', subclientName: 'default', ...names }], task: { taskType: 2 }, subTasks: [{ subTask: { subTaskType: 2, operationType: 2, subTaskName: 'nightly' }, pattern, options: { backupOpts: { backupLevel: 1 } } }] } },
  });
  const schedule = () => facade.services.schedules.get({ id: ORDERS_ID, createdAt: facade.clock.now() } as Cluster);
  const items = async () => (await schedule()).items.map(({ frequencyType, frequencyInterval, retentionUnit, retentionValue }) => `${frequencyType} ${frequencyInterval}, ${retentionValue} ${retentionUnit}`);

  test('are items of the one schedule, listed as tasks, and deleted by the SDK\'s command', async () => {
    const { status, json, text } = await ask(DAILY);
    assert.equal(status, 200, text);
    assert.deepEqual(Object.keys(json), ['taskId']);
    assert.deepEqual([await items(), (await schedule()).referenceHour, (await schedule()).referenceMinute], [['daily 1, 30 days'], 2, 30]);
    const { taskDetail } = (await facade.commvault('//Schedules')).json as Json;
    assert.deepEqual([taskDetail.length, taskDetail[0].task.taskId], [1, json['taskId']]);
    const { subTaskId, subTaskName } = taskDetail[0].subTasks[0].subTask as Json;
    assert.equal(subTaskName, 'daily 1');
    const one = (await facade.commvault(`/Schedules/${subTaskId}`)).json['taskInfo'] as Json;
    assert.deepEqual([one['subTasks'][0].pattern.freq_type, one['subTasks'][0].pattern.active_start_time], [4, 9000]);
    const clusterId = await facade.services.numbers.numberOf('cluster', ORDERS_ID);
    assert.equal(((await facade.commvault(`/Schedules?instanceId=${clusterId}&apptypeId=134`)).json as Json)['taskDetail'].length, 1);
    assert.deepEqual((await facade.commvault('/Schedules?subclientId=99999')).json, {});
    const done = await facade.commvault('/QCommand/qoperation%20execute', { method: 'POST', body: { TMMsg_TaskOperationReq: { opType: 3, subtaskEntity: [{ _type_: 68, subtaskId: subTaskId }] } } });
    assert.deepEqual(done.json, { errorCode: 0, errorMessage: '' });
    assert.deepEqual(await items(), []);
    assert.deepEqual((await facade.commvault('/Schedules')).json, {});
    assert.equal((await facade.commvault('/QCommand/qoperation%20execute', { method: 'POST', body: { other: {} } })).status, 400);
  });

  for (const [what, pattern, wanted] of [
    ['days of the week', { ...DAILY, freq_type: 8, freq_interval: 1 + 2 + 64 }, ['weekly 7, 30 days', 'weekly 1, 30 days', 'weekly 6, 30 days']],
    ['a day of the month', { ...DAILY, freq_type: 16, freq_interval: 10 }, ['monthly 10, 31 days']],
    ['the last day of the month', { ...DAILY, freq_type: 32, freq_interval: 8, freq_relative_interval: 5 }, ['monthly 40, 31 days']],
    ['a month of the year', { ...DAILY, freq_type: 64, freq_interval: 1, freq_recurrence_factor: 12 }, ['yearly 12, 31 days']],
    ['hours', { ...DAILY, freq_subday_interval: 21_600, active_end_time: 86_340 }, ['hourly 6, 30 days']],
    ['a word', { ...DAILY, freq_type: 'DAILY', timeZone: { TimeZoneName: '(UTC) Coordinated Universal Time' } }, ['daily 1, 30 days']],
  ] as const) {
    test(`understand ${what}`, async () => {
      const { status, text } = await ask(pattern);
      assert.equal(status, 200, text);
      assert.deepEqual(await items(), wanted);
      const shown = (await facade.commvault('/Schedules')).json as Json;
      await facade.services.schedules.change({ cluster: { id: ORDERS_ID, createdAt: facade.clock.now() } as Cluster, principal: {} as never, change: { items: [] } });
      for (const { subTasks } of shown['taskDetail']) assert.equal((await ask(subTasks[0].pattern)).status, 200, 'what is shown means the same when it is sent');
      assert.deepEqual(await items(), wanted);
    });
  }

  test('keep a new item as long as the others allow', async () => {
    const cluster = { id: ORDERS_ID, createdAt: facade.clock.now() } as Cluster;
    await facade.services.schedules.change({ cluster, principal: {} as never, change: { referenceHour: 2, referenceMinute: 30, items: [
      { frequencyType: 'hourly', frequencyInterval: 6, retentionUnit: 'days', retentionValue: 7 }, { frequencyType: 'weekly', frequencyInterval: 6, retentionUnit: 'weeks', retentionValue: 4 },
    ] } });
    assert.equal((await ask(DAILY)).status, 200);
    assert.deepEqual(await items(), ['hourly 6, 7 days', 'weekly 6, 4 weeks', 'daily 1, 28 days']);
  });

  test('refuse by name what the one schedule can not say', async () => {
    for (const [pattern, words] of [
      [{ ...DAILY, timeZone: { TimeZoneName: 'Eastern Standard Time' } }, /time zone Eastern Standard Time/],
      [{ ...DAILY, freq_recurrence_factor: 3 }, /every 3th time/],
      [{ ...DAILY, active_end_occurence: 5 }, /ends by itself/],
      [{ ...DAILY, active_start_time: 9001 }, /to the second/],
      [{ ...DAILY, repeatPattern: [{ exception: true }] }, /exceptions/],
      [{ ...DAILY, freq_subday_interval: 3600, active_end_time: 43_200 }, /part of the day/],
      [{ ...DAILY, freq_subday_interval: 5400 }, /whole hours/],
      [{ ...DAILY, freq_subday_interval: 18_000 }, /interval of an hourly item/],
      [{ ...DAILY, freq_type: 16, freq_interval: 30 }, /interval of a monthly item/],
      [{ ...DAILY, freq_type: 32, freq_interval: 2, freq_relative_interval: 1 }, /not counted from its first/],
      [{ ...DAILY, freq_type: 64, freq_interval: 10, freq_recurrence_factor: 1 }, /first of a month/],
      [{ ...DAILY, freq_type: 8 }, /without days/],
      [{ ...DAILY, freq_type: 1 }, /pattern of the type 1/],
      [{ freq_type: 1024 }, /pattern of the type 1024/],
    ] as const) {
      const { status, json } = await ask(pattern);
      assert.equal(status, 400, String(words));
      assert.match(String(json['errorMessage']), words);
    }
    facade.subclients.set('sales', { databases: ['sales'], collections: [] });
    assert.match(String((await ask(DAILY, { subclientName: 'sales' })).json['errorMessage']), /schedule of the subclient sales: only everything/);
    await ask(DAILY);
    assert.match(String((await ask({ ...DAILY, freq_type: 8, freq_interval: 2, active_start_time: 10_800 })).json['errorMessage']), /Another time of the day than 02:30 UTC/);
    assert.match(String((await ask(DAILY)).json['errorMessage']), /two items of daily/);
    assert.deepEqual(await items(), ['daily 1, 30 days']);
  });

  test('are made for all instances of a task or for none', async () => {
    const association = { clientName: 'shop', instanceName: 'orders', subclientName: 'default' };
    const body = { taskInfo: { associations: [association, { ...association, instanceName: 'none' }], task: { taskType: 2 }, subTasks: [{ subTask: { subTaskType: 2 }, pattern: DAILY, options: { backupOpts: {} } }] } };
    assert.equal((await facade.commvault('/CreateTask', { method: 'POST', body })).status, 404);
    assert.deepEqual(await items(), []);
  });

  test('are for backup managers', async () => {
    const authtoken = await facade.identity.openSession({ kind: 'user', id: 'u', name: 'u', orgId: '5f0000000000000000000001', grants: [{ role: 'GROUP_BACKUP_CREATOR', projectId: '5f0000000000000000000003' }] });
    assert.equal((await ask(DAILY, {}, { authtoken })).status, 403);
  });
});
