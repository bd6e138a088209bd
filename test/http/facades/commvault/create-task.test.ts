import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { COPY_ID, ORDERS_ID, OTHER_ID, SHOP_ID } from '../../../support/memory-services.ts';
import { pageExample } from '../../../support/page-keys.ts';

interface Body { readonly taskInfo: { readonly associations: readonly Record<string, unknown>[]; readonly task: Record<string, unknown>; readonly subTasks: readonly Record<string, unknown>[] } }

/** The page's literal body with real names: every integer 0, every other name `string`. */
function page(names: Readonly<Record<string, unknown>> = {}, subTask?: Readonly<Record<string, unknown>>, task?: Readonly<Record<string, unknown>>): Body {
  const { taskInfo } = pageExample('commvault-createtask.request') as unknown as Body;
  const association = { ...taskInfo.associations[0], clientName: 'shop', instanceName: 'orders', subclientName: 'default', ...names };
  return { taskInfo: { associations: [association], task: { ...taskInfo.task, ...task }, subTasks: [{ ...taskInfo.subTasks[0], ...subTask }] } };
}

describe('createtask of Commvault', () => {
  let facade: FacadeServer;
  let snapshotId: string;

  before(async () => { facade = await startFacades(); });
  beforeEach(async () => {
    snapshotId = String((await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    facade.completeSnapshot(snapshotId);
  });
  after(() => facade.close());

  const post = (body: unknown, path = '/createtask') => facade.commvault(path, { method: 'POST', body });
  const jobsOf = (json: Readonly<Record<string, unknown>>) => (json['jobIds'] as string[]).map((id) => [...facade.jobs.values()].find(({ number }) => String(number) === id));

  test('starts a backup from the literal body of the page', async () => {
    const { status, json, headers } = await post(page());
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.deepEqual(Object.keys(json), ['taskId', 'jobIds']);
    assert.ok(Number.isInteger(json['taskId']));
    assert.match((json['jobIds'] as string[])[0] ?? '', /^[1-9][0-9]*$/);
    const [job] = jobsOf(json);
    assert.deepEqual([job?.kind, job?.clusterId, job?.state], ['snapshot', ORDERS_ID, 'queued']);
    assert.equal(facade.snapshots.get(String(job?.snapshotId))?.retentionDays, 30);
    assert.equal(facade.lastSelection, undefined);
  });

  for (const path of ['/createTask', '/CreateTask', '/Createtask', '//createtask', '/CREATETASK/']) {
    test(`is found as ${path}`, async () => assert.equal((await post(page(), path)).status, 200));
  }

  test('is found below the older base path, in any case', async () => {
    for (const base of ['/webconsole/api', '/CommandCenter/API', '/WebConsole/Api']) {
      const token = await facade.identity.openSession({ kind: 'user', id: '5f00000000000000000000aa', name: 'admin', orgId: '5f0000000000000000000001', grants: [{ role: 'GLOBAL_OWNER' }] });
      const { status } = await facade.ask(`${base}/createtask`, { method: 'POST', body: page(), headers: { authorization: '', authtoken: token } });
      assert.equal(status, 200, base);
    }
  });

  test('makes one job for each association', async () => {
    const { taskInfo } = page();
    const { json } = await post({ taskInfo: { ...taskInfo, associations: [taskInfo.associations[0], page({ instanceName: 'copy' }).taskInfo.associations[0]] } });
    assert.deepEqual(jobsOf(json).map((job) => job?.clusterId), [ORDERS_ID, COPY_ID]);
  });

  test('makes none when one of several associations cannot be found', async () => {
    const before = facade.jobs.size;
    const { taskInfo } = page();
    const { status } = await post({ taskInfo: { ...taskInfo, associations: [taskInfo.associations[0], page({ instanceName: 'none' }).taskInfo.associations[0]] } });
    assert.equal(status, 404);
    assert.equal(facade.jobs.size, before);
  });

  test('finds names in any case, as the SDK sends them', async () => {
    assert.equal((await post(page({ clientName: 'SHOP', instanceName: 'Orders', subclientName: 'DEFAULT', backupsetName: 'defaultbackupset', appName: 'cloud apps' }))).status, 200);
  });

  test('backs up what a named subclient chooses', async () => {
    facade.subclients.set('sales', { databases: ['sales'], collections: ['crm.people'] });
    assert.equal((await post(page({ subclientName: 'Sales' }))).status, 200);
    assert.deepEqual(facade.lastSelection, { databases: ['sales'], collections: ['crm.people'] });
  });

  test('takes ids that agree with the names', async () => {
    const { numbers } = facade.services;
    const ids = {
      clientId: await numbers.numberOf('project', SHOP_ID), instanceId: await numbers.numberOf('cluster', ORDERS_ID), backupsetId: await numbers.numberOf('backupset', ORDERS_ID),
      subclientId: await numbers.numberOf('subclient', (await facade.services.subclients.resolve(ORDERS_ID, 'default')).id), applicationId: 134,
    };
    assert.equal((await post(page(ids))).status, 200);
    assert.equal((await post(page({ ...ids, clientName: '', instanceName: '' }))).status, 200, 'ids alone');
    for (const name of Object.keys(ids)) {
      const { status, json } = await post(page({ ...ids, [name]: 99_999 }));
      assert.equal(status, 400, name);
      assert.match(String(json['errorMessage']), new RegExp(`${name} does not belong`));
    }
  });

  for (const [what, subTask] of [
    ['numbers', { subTask: { subTaskType: 2, operationType: 2 } }],
    ['words', { subTask: { subTaskType: 'BACKUP', operationType: 'BACKUP' } }],
    ['one of both', { subTask: { subTaskType: 2 } }],
    ['an incremental level', { options: { backupOpts: { backupLevel: 'Incremental' } } }],
    ['no level', { options: { backupOpts: {} } }],
    ['nothing but options', { subTask: undefined }],
  ] as const) {
    test(`understands a backup told by ${what}`, async () => {
      const { json } = await post(page({}, subTask));
      assert.equal(jobsOf(json)[0]?.kind, 'snapshot');
    });
  }

  const restoreOf = (form: unknown, more: Readonly<Record<string, unknown>> = {}) => ({
    subTask: { subTaskType: 3, operationType: 1001 },
    options: { restoreOptions: { destination: { inPlace: true, destClient: { clientName: 'shop' } }, fileOption: { sourceItem: [] }, cloudAppsRestoreOptions: { documentDBRestoreOptions: form }, ...more } },
  });

  test('restores a snapshot by its name in the form of DocumentDB', async () => {
    const { status, json, text } = await post(page({ subclientName: undefined, backupsetName: undefined }, restoreOf({ restoreSnapshotId: snapshotId, targetInstanceId: 'copy', restoreTags: false }), { taskType: 1 }));
    assert.equal(status, 200, text);
    const [job] = jobsOf(json);
    const restore = facade.restores.get(String(job?.restoreId));
    assert.deepEqual([job?.kind, restore?.snapshotId, restore?.targetClusterName], ['restore', snapshotId, 'copy']);
  });

  test('restores in place where no target is named', async () => {
    const { json } = await post(page({}, restoreOf({ restoreSnapshotId: snapshotId }, { destination: undefined })));
    assert.equal(facade.restores.get(String(jobsOf(json)[0]?.restoreId))?.targetClusterId, ORDERS_ID);
  });

  test('restores the items that are chosen, however they are written', async () => {
    const { text } = await post(page({}, restoreOf({ restoreSnapshotId: snapshotId }, { fileOption: { sourceItem: ['/shop/orders', 'crm', 'crm.people.old'] } })));
    assert.deepEqual(facade.lastSelection, { databases: ['crm'], collections: ['shop.orders', 'crm.people.old'], renames: [] }, text);
    await post(page({}, restoreOf({ restoreSnapshotId: snapshotId }, { fileOption: { sourceItem: ['/', '/shop/orders'] } })));
    assert.deepEqual(facade.lastSelection, { databases: [], collections: [], renames: [] });
  });

  const bigData = (form: unknown, more: Readonly<Record<string, unknown>> = {}) => ({
    subTask: { subTaskType: 3, operationType: 1001 }, options: { restoreOptions: { fileOption: { sourceItem: ['/'] }, distributedAppsRestoreOptions: { distributedRestore: true, mongoDBRestoreOptions: form }, ...more } },
  });

  test('restores the newest snapshot in the form of the big data apps, as the SDK sends it', async () => {
    const shard = { srcShardName: 'rs0', destShardName: 'rs0', destHostName: false, destPortNumber: false, target: { hostName: false, clientName: 'shop', clientId: 0 } };
    const inPlace = page({ subclientId: -1, applicationId: 64, appName: 'Big Data Apps' }, bigData({
      destShardList: [shard], restoreFilesOnly: false, recover: true, pointInTimeToEndOfBackup: true, latestEndOfBackup: true, isGranularRecovery: false, isInplaceRestore: true,
    }));
    const { json, text } = await post(inPlace);
    const restore = facade.restores.get(String(jobsOf(json)[0]?.restoreId));
    assert.deepEqual([restore?.snapshotId, restore?.targetClusterId], [snapshotId, ORDERS_ID], text);
    assert.deepEqual(facade.lastSelection, { databases: [], collections: [], renames: [] });
  });

  test('tells in the details of its task which parts were chosen, and under which names they come back', async () => {
    const toldOf = async (body: object): Promise<Record<string, unknown>> => {
      const { json, text } = await post(body);
      const details = (await facade.commvault(`/Job/${jobsOf(json)[0]?.number}/TaskDetails`)).json as { taskInfo?: { subTasks: { options: { restoreOptions: Record<string, unknown> } }[] } };
      assert.ok(details.taskInfo !== undefined, text);
      return details.taskInfo.subTasks[0]?.options.restoreOptions ?? {};
    };
    const documentDb = { cloudAppsRestoreOptions: { documentDBRestoreOptions: { restoreSnapshotId: snapshotId } }, destination: { inPlace: true, destinationInstance: { instanceName: 'orders' } } };
    assert.deepEqual(await toldOf(page({}, restoreOf({ restoreSnapshotId: snapshotId }))), { ...documentDb, fileOption: { sourceItem: ['/'] } });
    assert.deepEqual(
      await toldOf(page({}, restoreOf({ restoreSnapshotId: snapshotId }, { fileOption: { sourceItem: ['shop.orders.old', '/crm'] } }))),
      { ...documentDb, fileOption: { sourceItem: ['/crm', '/shop/orders.old'] } });
    const entities = [{ srcDbName: 'shop', destDbName: 'shop2', isDbEntity: true }, { srcDbName: 'crm', srcCollectionName: 'people', destDbName: 'crm', destCollectionName: 'old', isDbEntity: false }];
    assert.deepEqual(await toldOf(page({}, bigData({ destGranularEntityList: entities, isGranularRecovery: true }))), {
      ...documentDb, fileOption: { sourceItem: ['/shop', '/crm/people'] }, distributedAppsRestoreOptions: { mongoDBRestoreOptions: { isGranularRecovery: true, destGranularEntityList: entities } },
    });
  });

  test('restores single databases and collections under other names in that form, up to a time', async () => {
    facade.clock.advance(60_000);
    const later = String((await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    facade.completeSnapshot(later);
    const entities = [{ srcDbName: 'shop', destDbName: 'shop2', isDbEntity: true, destCollectionName: '' }, { srcDbName: 'crm', srcCollectionName: 'people', destCollectionName: 'old', isDbEntity: false }];
    const at = Math.floor(facade.clock.now().getTime() / 1000) - 30;
    const { json, text } = await post(page({}, bigData({ destGranularEntityList: entities, isGranularRecovery: true }, {
      browseOption: { timeRange: { toTime: at } }, destination: { destinationInstance: { clientName: 'shop', instanceName: 'copy' } },
    })));
    const restore = facade.restores.get(String(jobsOf(json)[0]?.restoreId));
    assert.deepEqual([restore?.snapshotId, restore?.targetClusterId], [snapshotId, COPY_ID], text);
    assert.deepEqual(facade.lastSelection, { databases: ['shop'], collections: ['crm.people'], renames: [{ from: 'shop', to: 'shop2' }, { from: 'crm.people', to: 'crm.old' }] });
  });

  test('restores no snapshot that is older than the begin of the time range', async () => {
    const taken = Math.floor(facade.clock.now().getTime() / 1000);
    for (const form of [bigData({ isInplaceRestore: true }, { browseOption: { timeRange: { fromTime: taken + 1 } } }), { subTask: { subTaskType: 3, operationType: 1001 }, options: { restoreOptions: { browseOption: { timeRange: { fromTimeValue: new Date((taken + 1) * 1000).toISOString().slice(0, 19).replace('T', ' ') } }, fileOption: { sourceItem: ['/'] } } } }]) {
      const { status, json } = await post(page({}, form));
      assert.deepEqual([status, String(json['errorMessage']).slice(0, 51)], [404, 'Failed to run task. No snapshot named [newest since']);
    }
    const { status, json, text } = await post(page({}, bigData({ isInplaceRestore: true }, { browseOption: { timeRange: { fromTime: taken, toTime: taken + 10 } } })));
    assert.deepEqual([status, facade.restores.get(String(jobsOf(json)[0]?.restoreId))?.snapshotId], [200, snapshotId], text);
    const { status: refused } = await post(page({}, bigData({ isInplaceRestore: true, pointInTimeToEndOfBackup: false }, { browseOption: { timeRange: { fromTime: taken, toTime: taken - 1 } } })));
    assert.equal(refused, 400, 'nor to an instant before it');
  });

  describe('to an instant between snapshots, in that form', () => {
    let options: { readonly browseOption: { readonly timeRange: { readonly toTime: number } } };
    let at: number;
    beforeEach(() => {
      at = Math.floor(facade.clock.now().getTime() / 1000) + 50;
      facade.world.window = { chainId: 'c'.repeat(24), from: { t: at - 50, i: 1 }, to: { t: at + 50, i: 9 }, snapshotId };
      facade.clock.advance(120_000);
      options = { browseOption: { timeRange: { toTime: at } } };
    });
    after(() => { facade.world.window = null; });
    const BETWEEN = { isInplaceRestore: true, pointInTimeToEndOfBackup: false, latestEndOfBackup: false };
    const ordered = async (form: object, { names = {}, more = options }: { readonly names?: Readonly<Record<string, unknown>>; readonly more?: Readonly<Record<string, unknown>> } = {}) => {
      const { status, json, text } = await post(page(names, bigData(form, more)));
      assert.equal(status, 200, text);
      return facade.restores.get(String(jobsOf(json)[0]?.restoreId));
    };

    test('restores where no end of a backup is meant, else to a snapshot', async () => {
      const wanted = { time: new Date(at * 1000) };
      assert.deepEqual((await ordered(BETWEEN))?.instant?.asked, wanted);
      assert.deepEqual((await ordered({ isInplaceRestore: true, pointInTimeToEndOfBackup: false }))?.instant?.asked, wanted, 'the time alone is told to be none of a backup');
      for (const form of [{}, { pointInTimeToEndOfBackup: true, latestEndOfBackup: false }, { pointInTimeToEndOfBackup: false, latestEndOfBackup: true }]) {
        assert.equal((await ordered({ isInplaceRestore: true, ...form }))?.instant ?? null, null, JSON.stringify(form));
      }
    });

    test('restores of a named subclient what that has, never everything', async () => {
      facade.subclients.set('people', { databases: ['crm'], collections: ['shop.orders'] });
      const subclientId = await facade.services.numbers.numberOf('subclient', (await facade.services.subclients.resolve(ORDERS_ID, 'people')).id);
      for (const names of [{ subclientName: 'People' }, { subclientName: undefined, subclientId }]) {
        await ordered(BETWEEN, { names });
        assert.deepEqual(facade.lastSelection, { databases: ['crm'], collections: ['shop.orders'], renames: [] }, JSON.stringify(names));
      }
      await ordered(BETWEEN, { names: { subclientName: 'people' }, more: { ...options, fileOption: { sourceItem: ['/crm/people', '/shop/orders'] } } });
      assert.deepEqual(facade.lastSelection, { databases: [], collections: ['crm.people', 'shop.orders'], renames: [] });
      for (const names of [{ subclientName: 'default' }, { subclientName: undefined }]) {
        await ordered(BETWEEN, { names });
        assert.deepEqual(facade.lastSelection, { databases: [], collections: [], renames: [] }, JSON.stringify(names));
      }
    });

    test('takes the time as a text of UTC, and no text that could mean another time', async () => {
      const until = (toTimeValue: string, timeZone?: string) => ({ browseOption: { timeRange: { toTimeValue }, ...(timeZone === undefined ? {} : { timeZone: { TimeZoneName: timeZone } }) } });
      const text = new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ');
      for (const more of [until(text), until(text.replace(' ', 'T')), until(String(at)), until(text, 'UTC'), until(text, '(UTC) Coordinated Universal Time'), until(String(at), '(UTC+01:00) Berlin')]) {
        assert.deepEqual((await ordered(BETWEEN, { more }))?.instant?.asked, { time: new Date(at * 1000) }, JSON.stringify(more));
      }
      for (const value of ['2026-02-30 10:00:00', '1/2/2026', '2026-03', '12 Mar 2026', '2026-03-01 25:00:00', '2026-03-01 12:00:00 +01:00', 'now']) {
        const { status, json } = await post(page({}, bigData(BETWEEN, until(value))));
        assert.deepEqual([status, String(json['errorMessage']).replace(/^.*: /, '')], [400, 'browseOption.timeRange.toTimeValue'], value);
      }
      const { status, json } = await post(page({}, bigData(BETWEEN, until(text, '(UTC+01:00) Berlin'))));
      assert.deepEqual([status, json['errorMessage']], [400, 'Failed to run task. A time in the time zone (UTC+01:00) Berlin, which is no UTC, is not supported']);
    });

    test('is refused for what the subclient does not have, for one that is not there or empty, and without a time', async () => {
      facade.subclients.set('people', { databases: ['crm'], collections: ['shop.orders'] });
      facade.subclients.set('bare', { databases: [], collections: [] });
      const refused = async (names: Readonly<Record<string, unknown>>, more: Readonly<Record<string, unknown>> = options): Promise<string> => {
        const { status, json } = await post(page(names, bigData(BETWEEN, more)));
        return `${status} ${String(json['errorMessage'])}`;
      };
      for (const item of ['/shop', '/shop/carts', '/other']) {
        assert.match(await refused({ subclientName: 'people' }, { ...options, fileOption: { sourceItem: [item] } }), /^400 .*fileOption\.sourceItem does not belong/, item);
      }
      assert.match(await refused({ subclientName: 'none' }), /^404 .*No subclient named \[none\]/);
      assert.match(await refused({ subclientName: 'bare' }), /^400 .*\[bare\] has no content/);
      assert.match(await refused({}, {}), /^400 .*browseOption\.timeRange\.toTime$/);
    });
  });

  const plain = (restoreOptions: unknown, operationType = 1001) => ({ subTask: { subTaskType: 3, operationType }, options: { restoreOptions } });
  const restoredBy = async (body: unknown) => {
    const { json, text } = await post(body);
    assert.ok(Array.isArray(json['jobIds']), text);
    return facade.restores.get(String(jobsOf(json)[0]?.restoreId));
  };

  test('restores what was browsed, of a backup by its number or of the newest', async () => {
    const { number } = [...facade.jobs.values()].find((job) => job.snapshotId === snapshotId)!;
    const byJob = await restoredBy(page({}, plain({ jobIds: [String(number)], fileOption: { sourceItem: ['/shop/orders', `2:${number}`] } }, 1005)));
    assert.deepEqual([byJob?.snapshotId, byJob?.targetClusterId, facade.lastSelection], [snapshotId, ORDERS_ID, { databases: [], collections: ['shop.orders'], renames: [] }]);
    await restoredBy(page({}, plain({ fileOption: { sourceItem: [`2:${number}`] } }, 1005)));
    assert.deepEqual(facade.lastSelection, { databases: [], collections: [], renames: [] }, 'a backup alone is all of it');
    await restoredBy(page({}, plain({ jobIds: [number], fileOption: { sourceItem: ['', '/shop/orders'] } }, 1005)));
    assert.deepEqual(facade.lastSelection, { databases: [], collections: ['shop.orders'], renames: [] }, 'an empty item says nothing');
    const elsewhere = await restoredBy(page({}, plain({ fileOption: { sourceItem: ['\\\\crm'] }, destination: { inPlace: false, destinationInstance: { instanceName: 'copy' } } })));
    assert.deepEqual([elsewhere?.snapshotId, elsewhere?.targetClusterId, facade.lastSelection], [snapshotId, COPY_ID, { databases: ['crm'], collections: [], renames: [] }]);
  });

  test('restores into the instance that is named, whatever says that it stays in place', async () => {
    const numberOfCopy = await facade.services.numbers.numberOf('cluster', COPY_ID);
    for (const destination of [{ destinationInstance: { instanceName: 'copy' } }, { destinationInstance: { instanceId: numberOfCopy } }, { inPlace: false, destPath: [''], destClient: { clientName: 'Shop' }, destinationInstance: { instanceName: 'copy' } }]) {
      const told = JSON.stringify(destination);
      assert.equal((await restoredBy(page({}, plain({ fileOption: { sourceItem: ['/'] }, destination }))))?.targetClusterId, COPY_ID, `plain: ${told}`);
      assert.equal((await restoredBy(page({}, restoreOf({ restoreSnapshotId: snapshotId }, { destination }))))?.targetClusterId, COPY_ID, `of DocumentDB: ${told}`);
      assert.equal((await restoredBy(page({}, bigData({}, { destination }))))?.targetClusterId, COPY_ID, `of big data apps: ${told}`);
    }
    for (const destination of [undefined, { inPlace: true, destClient: { clientName: 'SHOP' } }, { destinationInstance: { instanceName: 'Orders' } }]) {
      assert.equal((await restoredBy(page({}, plain({ fileOption: { sourceItem: ['/'] }, destination }))))?.targetClusterId, ORDERS_ID, JSON.stringify(destination));
    }
  });

  test('restores a subclient of its own newest backup, never of everything', async () => {
    facade.subclients.set('people', { databases: ['crm'], collections: [] });
    const none = await post(page({ subclientName: 'people' }, plain({ fileOption: { sourceItem: ['/crm'] } })));
    assert.deepEqual([none.status, none.json['errorMessage']], [404, 'Failed to run task. No snapshot named [newest]']);
    const [job] = jobsOf((await post(page({ subclientName: 'people' }))).json);
    facade.completeSnapshot(String(job?.snapshotId));
    assert.equal((await restoredBy(page({ subclientName: 'people' }, plain({ fileOption: { sourceItem: ['/crm'] } }))))?.snapshotId, job?.snapshotId);
    assert.equal((await restoredBy(page({ subclientName: 'people' }, bigData({ isInplaceRestore: true }))))?.snapshotId, job?.snapshotId);
  });

  test('restores a backup for the subclient that is told where it is of that one, by its name, its number or both', async () => {
    facade.subclients.set('people', { databases: ['crm'], collections: [] });
    const { services } = facade;
    const [job] = jobsOf((await post(page({ subclientName: 'people' }))).json);
    facade.completeSnapshot(String(job?.snapshotId));
    const subclientId = await services.numbers.numberOf('subclient', (await services.subclients.resolve(ORDERS_ID, 'people')).id);
    const ofEverything = [...facade.jobs.values()].find((each) => each.snapshotId === snapshotId)!;
    for (const told of [{ subclientName: 'People' }, { subclientName: undefined, subclientId }, { subclientName: 'people', subclientId }]) {
      for (const [snapshot, { number }, status] of [[job?.snapshotId, job!, 200], [snapshotId, ofEverything, 400]] as const) {
        for (const form of [restoreOf({ restoreSnapshotId: snapshot }), plain({ jobIds: [number] }, 1005)]) {
          const { status: answered, text } = await post(page(told, form));
          assert.equal(answered, status, `${JSON.stringify(told)}: ${text}`);
          if (status === 400) assert.match(text, /subclientName does not belong/);
        }
      }
    }
    assert.equal((await post(page({ subclientName: 'default' }, restoreOf({ restoreSnapshotId: job?.snapshotId })))).status, 400, 'a part is not everything');
    assert.equal((await post(page({ subclientName: undefined }, restoreOf({ restoreSnapshotId: job?.snapshotId })))).status, 200, 'nothing told');
    assert.equal((await post(page({ subclientName: 'default', subclientId }, restoreOf({ restoreSnapshotId: snapshotId })))).status, 400, 'two subclients');
  });

  const refusals: readonly (readonly [string, () => unknown, number, number, RegExp])[] = [
    ['no client', () => page({ clientName: '' }), 404, 4, /^No client is specified$/],
    ['no instance', () => page({ instanceName: undefined }), 404, 4, /^No instance is specified$/],
    ['no subclient', () => page({ subclientName: '' }), 404, 4, /^No subclient is specified$/],
    ['an unknown client', () => page({ clientName: 'string' }), 404, 587207178, /no eligible subclients were found\. No client named \[string\]/],
    ['an unknown instance', () => page({ instanceName: 'string' }), 404, 587207178, /No instance named \[string\]/],
    ['an instance of another client', () => page({ instanceName: 'vault' }), 404, 587207178, /No instance named \[vault\]/],
    ['an unknown subclient', () => page({ subclientName: 'string' }), 404, 587207178, /No subclient named \[string\]/],
    ['an unknown backup set', () => page({ backupsetName: 'mine' }), 404, 587207178, /No backup set named \[mine\]/],
    ['another agent', () => page({ applicationId: 33 }), 400, 587203993, /applicationId does not belong/],
    ['a schedule without a pattern', () => page({}, { pattern: undefined }, { taskType: 2 }), 400, 587203993, /format is invalid: taskInfo\.subTasks\.pattern/],
    ['a restore by schedule', () => page({}, { ...restoreOf({ restoreSnapshotId: snapshotId }), pattern: { freq_type: 4 } }, { taskType: 2 }), 400, 587203993, /restore by schedule is not supported/],
    ['an unknown type of task', () => page({}, {}, { taskType: 4 }), 400, 587203993, /task of type 4 is not supported/],
    ['a subclient without content', () => { facade.subclients.set('empty', { databases: [], collections: [] }); return page({ subclientName: 'empty' }); }, 400, 587207178, /Subclient \[empty\] has no content/],
    ['an unknown kind of task', () => page({}, { subTask: { subTaskType: 77 } }), 400, 587203993, /type 77 is not supported/],
    ['a type and an operation that disagree', () => page({}, { subTask: { subTaskType: 2, operationType: 1001 } }), 400, 587203993, /is not supported/],
    ['no options', () => page({}, { options: {} }), 400, 587203993, /exactly one of backupOpts and restoreOptions/],
    ['an unknown level', () => page({}, { options: { backupOpts: { backupLevel: 'HALF' } } }), 400, 587203993, /format is invalid: backupLevel \[HALF\]/],
    ['a restore without its form', () => page({}, { subTask: { subTaskType: 3 }, options: { restoreOptions: {} } }), 400, 587203993, /format is invalid: fileOption\.sourceItem/],
    ['a restore without a snapshot', () => page({}, restoreOf({ targetInstanceId: 'copy' })), 400, 587203993, /format is invalid: restoreSnapshotId/],
    ['a granular restore of nothing', () => page({}, bigData({ isGranularRecovery: true })), 400, 587203993, /format is invalid: destGranularEntityList/],
    ['a restore whose only item is empty', () => page({}, plain({ fileOption: { sourceItem: [''] } })), 400, 587203993, /format is invalid: fileOption\.sourceItem/],
    ['a restore of files alone', () => page({}, bigData({ restoreFilesOnly: true })), 400, 587203993, /files without the data/],
    ['a restore to an instant that was not followed', () => page({}, bigData({ pointInTimeToEndOfBackup: false, latestEndOfBackup: false }, { browseOption: { timeRange: { toTime: 1_772_366_400 } } })), 400, 587203993, /continuous backup is off/],
    ['a restore to a host that two have', () => page({}, bigData({ destShardList: [{ destHostName: 'db2.example', destPortNumber: 27017 }] })), 400, 587203993, /host \[db2\.example:27017\].*: shop\/orders, shop\/copy, other\/vault$/],
    ['a restore of several backups', () => page({}, plain({ jobIds: [2, 3] })), 400, 587203993, /several backups at once is not supported/],
    ['a restore elsewhere that names no instance', () => page({}, plain({ fileOption: { sourceItem: ['/'] }, destination: { inPlace: false, destClient: { clientName: 'shop' }, destPath: [''] } })), 400, 587203993, /format is invalid: destination\.destinationInstance\.instanceName/],
    ['a restore of DocumentDB elsewhere that names no instance', () => page({}, restoreOf({ restoreSnapshotId: snapshotId }, { destination: { inPlace: false } })), 400, 587203993, /destinationInstance\.instanceName/],
    ['a restore of big data apps elsewhere that names no instance', () => page({}, bigData({ isInplaceRestore: false })), 400, 587203993, /destinationInstance\.instanceName/],
    ['a restore to another client that names no instance', () => page({}, plain({ fileOption: { sourceItem: ['/'] }, destination: { destClient: { clientName: 'other' } } })), 400, 587203993, /destinationInstance\.instanceName/],
    ['a restore to a path', () => page({}, plain({ fileOption: { sourceItem: ['/'] }, destination: { inPlace: false, destClient: { clientName: 'shop' }, destPath: ['/tmp/out'] } })), 400, 587203993, /restore to a path \(destPath\) is not supported/],
    ['a restore in place that names another instance', () => page({}, plain({ fileOption: { sourceItem: ['/'] }, destination: { inPlace: true, destinationInstance: { instanceName: 'copy' } } })), 400, 587203993, /in place into another instance is not supported/],
    ['a restore of big data apps in place that names another instance', () => page({}, bigData({ isInplaceRestore: true }, { destination: { destinationInstance: { instanceName: 'copy' } } })), 400, 587203993, /in place into another instance is not supported/],
    ['a restore of big data apps in place and elsewhere', () => page({}, bigData({ isInplaceRestore: true }, { destination: { inPlace: false, destinationInstance: { instanceName: 'copy' } } })), 400, 587203993, /isInplaceRestore does not belong/],
    ['a restore to two instances', () => page({}, restoreOf({ restoreSnapshotId: snapshotId, targetInstanceId: 'orders' }, { destination: { destinationInstance: { instanceName: 'copy' } } })), 400, 587203993, /destinationInstance does not belong/],
    ['a restore to two clients', () => page({}, restoreOf({ restoreSnapshotId: snapshotId, targetInstanceId: 'copy' }, { destination: { destClient: { clientName: 'other' }, destinationInstance: { clientName: 'shop' } } })), 400, 587203993, /destClient does not belong/],
    ['a restore to an instance with the number of another', () => page({}, plain({ fileOption: { sourceItem: ['/'] }, destination: { destinationInstance: { instanceName: 'copy', instanceId: 99_999 } } })), 400, 587203993, /instanceId does not belong/],
    ['a restore to an instance and the host of others', () => page({}, bigData({ destShardList: [{ destHostName: 'orders.example', destPortNumber: 27017 }] }, { destination: { destinationInstance: { instanceName: 'copy' } } })), 400, 587203993, /destHostName does not belong/],
    ['a restore of an unknown backup', () => page({}, plain({ jobIds: [99_999] })), 404, 4, /Job \[99999\] does not exist/],
    ['a restore to a host that nobody has', () => page({}, bigData({ destShardList: [{ destHostName: 'db9.example', destPortNumber: 27017 }] })), 404, 587203993, /No target instance named \[db9\.example:27017\]/],
    ['a restore of an unknown snapshot', () => page({}, restoreOf({ restoreSnapshotId: '0'.repeat(24) })), 404, 587203993, /No snapshot named/],
    ['a restore of a name that is none', () => page({}, restoreOf({ restoreSnapshotId: 'nightly' })), 404, 587203993, /No snapshot named \[nightly\]/],
    ['a restore to an unknown target', () => page({}, restoreOf({ restoreSnapshotId: snapshotId, targetInstanceId: 'none' })), 404, 587203993, /^Failed to run task\. No target instance named \[none\]$/],
    ['a text for an id', () => page({ clientId: 'five' }), 400, 587203993, /format is invalid: taskInfo\.associations\.0\.clientId/],
    ['no associations', () => ({ taskInfo: { ...page().taskInfo, associations: [] } }), 400, 587203993, /format is invalid/],
    ['no task', () => ({}), 400, 587203993, /format is invalid: taskInfo/],
    ['a list', () => [], 400, 587203993, /format is invalid$/],
    ['nothing', () => undefined, 400, 587203993, /format is invalid/],
  ];
  for (const [what, body, status, errorCode, words] of refusals) {
    test(`answers ${what} with ${status} and its words`, async () => {
      const before = facade.jobs.size;
      const answer = await post(body());
      assert.deepEqual([answer.status, answer.json['errorCode']], [status, errorCode], answer.text);
      assert.match(String(answer.json['errorMessage']), words);
      assert.equal(facade.jobs.size, before);
    });
  }

  test('answers in JSON whatever goes wrong with the body', async () => {
    for (const [body, contentType, status] of [['{', 'application/json', 400], ['<a/>', 'application/xml', 415], ['a=b', 'application/x-www-form-urlencoded', 415], [`"${'x'.repeat(1_048_576)}"`, 'application/json', 413]] as const) {
      const { status: told, json } = await facade.commvault('/createtask', { method: 'POST', body, headers: { 'content-type': contentType } });
      assert.equal(told, status);
      assert.deepEqual(Object.keys(json), ['errorMessage', 'errorCode']);
    }
  });

  test('asks for the role of a backup, and of a restore', async () => {
    const session = async (role: 'GROUP_READ_ONLY' | 'GROUP_BACKUP_CREATOR') => ({
      authtoken: await facade.identity.openSession({ kind: 'user', id: role, name: role, orgId: '5f0000000000000000000001', grants: [{ role, projectId: SHOP_ID }] }),
    });
    const reader = await facade.commvault('/createtask', { method: 'POST', body: page(), headers: await session('GROUP_READ_ONLY') });
    assert.deepEqual([reader.status, reader.json['errorCode']], [403, 5]);
    const creator = await session('GROUP_BACKUP_CREATOR');
    assert.equal((await facade.commvault('/createtask', { method: 'POST', body: page(), headers: creator })).status, 200);
    assert.equal((await facade.commvault('/createtask', { method: 'POST', body: page({}, restoreOf({ restoreSnapshotId: snapshotId })), headers: creator })).status, 403);
    const stranger = { authtoken: await facade.identity.openSession({ kind: 'user', id: 'x', name: 'x', orgId: '5f0000000000000000000001', grants: [{ role: 'GROUP_OWNER', projectId: OTHER_ID }] }) };
    assert.equal((await facade.commvault('/createtask', { method: 'POST', body: page(), headers: stranger })).status, 404, 'what one may not see is not there');
  });
});
