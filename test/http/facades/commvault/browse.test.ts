import assert from 'node:assert/strict';
import { before, after, describe, test } from 'node:test';
import type { Document } from 'mongodb';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { COPY_ID, ORDERS_ID, OTHER_ID, SHOP_ID } from '../../../support/memory-services.ts';

type Json = Document;

const HELD = [
  { db: 'crm', name: 'a/b', documents: 1, bytes: 10 },
  { db: 'crm', name: 'people', documents: 2, bytes: 20 },
  { db: 'shop', name: 'carts', documents: 3, bytes: 300 },
  { db: 'shop', name: 'orders', documents: 4, bytes: 400 },
  { db: 'shop', name: 'orders.old', documents: 5, bytes: 50 },
];

describe('DoBrowse of Commvault', () => {
  let facade: FacadeServer;
  const at: { readonly snapshotId: string; readonly jobNumber: number; readonly seconds: number }[] = [];
  let entity: Json;

  before(async () => {
    facade = await startFacades();
    facade.held.push(...HELD);
    for (let round = 0; round < 2; round += 1) {
      facade.clock.advance(60_000);
      const { json } = await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: {} });
      const snapshotId = String(json['id']);
      const { jobId, capturedAt } = facade.completeSnapshot(snapshotId);
      at.push({ snapshotId, jobNumber: facade.jobs.get(jobId)!.number, seconds: Math.floor(capturedAt!.getTime() / 1000) });
    }
    const { numbers } = facade.services;
    entity = { clientId: await numbers.numberOf('project', SHOP_ID), applicationId: 134, instanceId: await numbers.numberOf('cluster', ORDERS_ID), backupsetId: await numbers.numberOf('backupset', ORDERS_ID), subclientId: 0 };
  });
  after(() => facade.close());

  const post = (body: Json, path = '/DoBrowse') => facade.commvault(path, { method: 'POST', body: { entity, ...body } });
  const resultOf = async (body: Json): Promise<Json> => {
    const { status, json, text } = await post(body);
    assert.equal(status, 200, text);
    const [first] = json['browseResponses'] as Json[];
    assert.ok(first?.['browseResult'], text);
    return first['browseResult'] as Json;
  };
  const pathsAt = async (path: string, more: Json = {}): Promise<string[]> => (await resultOf({ paths: [{ path }], ...more }))['dataResultSet'].map((each: Json) => each.path);
  const complaint = async (body: Json): Promise<string> => ((await post(body)).json['browseResponses'] as Json[])[0]?.['messages'][0].errorMessage;

  test('lists databases as folders, with the sums of what is in them', async () => {
    const { queryId, totalItems, dataResultSet } = await resultOf({ opType: 0, mode: { mode: 3 }, paths: [{ path: '\\' }], queries: [{ type: 0, queryId: 'dataQuery' }] });
    assert.deepEqual([queryId, totalItems], ['dataQuery', 2]);
    assert.deepEqual(dataResultSet[1], {
      displayName: 'shop', name: 'shop', path: '/shop', size: 750, modificationTime: at[1]!.seconds, flags: { file: false, folder: true },
      advancedData: { backupTime: at[1]!.seconds, backupJobId: at[1]!.jobNumber, snapShotName: at[1]!.snapshotId, objectCount: 12, childCount: 3 },
    });
  });

  for (const [path, wanted] of [
    ['', ['/crm', '/shop']], ['/', ['/crm', '/shop']], ['/shop', ['/shop/carts', '/shop/orders', '/shop/orders.old']], ['\\shop\\', ['/shop/carts', '/shop/orders', '/shop/orders.old']],
    ['/shop/orders', ['/shop/orders']], ['\\shop\\orders', ['/shop/orders']], ['shop.orders.old', ['/shop/orders.old']], ['/crm/a/b', ['/crm/a/b']],
    ['/*/orders*', ['/shop/orders', '/shop/orders.old']], ['/shop/?arts', ['/shop/carts']], ['*', ['/crm', '/shop']], ['/nothing*', []],
  ] as const) {
    test(`browses [${path}]`, async () => assert.deepEqual(await pathsAt(path), wanted));
  }

  for (const [path, wanted] of [
    ['\\**\\*', 7], ['/**/*', 7], ['/**/orders', 1], ['/shop/**/*', 3], ['/shop', 4], ['/', 7], ['/shop/*', 3],
  ] as const) {
    test(`finds ${wanted} items at [${path}]`, async () => assert.equal((await pathsAt(path, { opType: 'FIND' })).length, wanted));
  }

  test('filters by name, size and flags, all of them together', async () => {
    const find = (...criteria: Json[]) => pathsAt('\\**\\*', { opType: 1, queries: [{ type: 0, whereClause: criteria.map((each) => ({ connector: 0, criteria: each })) }] });
    assert.deepEqual(await find({ field: 'FileName', values: ['o*'] }), ['/shop/orders', '/shop/orders.old']);
    assert.deepEqual(await find({ field: 'FileName', values: ['o*'] }, { field: 'FileSize', dataOperator: 'GTE', values: ['400'] }), ['/shop/orders']);
    assert.deepEqual(await find({ field: 'FileSize', dataOperator: 'LTE', values: [20] }), ['/crm/a/b', '/crm/people']);
    assert.deepEqual(await find({ field: 'FileSize', dataOperator: 'EQUALSBLAH', values: ['300'] }), ['/shop/carts']);
    assert.deepEqual(await find({ field: 'Flags', dataOperator: 'IN', values: ['folder'] }), ['/crm', '/shop']);
  });

  test('cuts pages and sorts, and says how many there are in all', async () => {
    const page = (dataParam: Json) => resultOf({ paths: [{ path: '/shop' }], queries: [{ type: 'DATA', dataParam }] });
    const { totalItems, itemCount, dataResultSet } = await page({ paging: { pageSize: 1, skipNode: 1, firstNode: 0 }, sortParam: { ascending: false, sortBy: [0] } });
    assert.deepEqual([totalItems, itemCount, dataResultSet[0].path], [3, 1, '/shop/orders']);
    const bySize = await page({ sortParam: { ascending: false, sortBy: ['FileSize'] } });
    assert.deepEqual(bySize['dataResultSet'].map((each: Json) => each.size), [400, 300, 50]);
  });

  test('counts and sums, one answer for each query', async () => {
    const files = [{ criteria: { field: 'Flags', dataOperator: 'IN', values: ['file'] }, connector: 'AND' }];
    const kinds = ['COUNT', 'min', 'max', 'SUM', 'avg'];
    const { json } = await post({ opType: 1, paths: [{ path: '/**/*' }], queries: [
      ...kinds.map((aggrType) => ({ type: 'AGGREGATE', queryId: aggrType, aggrParam: { aggrType, field: 'FileSize' }, whereClause: files })),
      { type: 'TOPBOTTOM', queryId: 'top', topBottomParam: { count: 2, field: 'FileSize', ascending: false }, whereClause: files },
    ] });
    const results = (json['browseResponses'] as Json[]).map(({ respType, browseResult }) => [respType, browseResult.queryId, browseResult.aggrResultSet?.[0].result ?? browseResult.dataResultSet.map((each: Json) => each.path)]);
    assert.deepEqual(results, [[0, 'COUNT', 5], [0, 'min', 10], [0, 'max', 400], [0, 'SUM', 780], [0, 'avg', 156], [0, 'top', ['/shop/orders', '/shop/carts']]]);
  });

  test('looks into the snapshot of a job, or the newest between two times', async () => {
    const snapshotOf = async (body: Json) => (await resultOf({ paths: [{ path: '/' }], ...body }))['dataResultSet'][0].advancedData.snapShotName;
    assert.equal(await snapshotOf({ advOptions: { advConfig: { browseAdvancedConfigBrowseByJob: { jobId: at[0]!.jobNumber } } } }), at[0]!.snapshotId);
    assert.equal(await snapshotOf({ timeRange: { fromTime: 0, toTime: at[0]!.seconds + 1 } }), at[0]!.snapshotId);
    assert.equal(await snapshotOf({ timeRange: { fromTime: at[1]!.seconds, toTime: 0 } }), at[1]!.snapshotId);
    assert.match(await complaint({ timeRange: { fromTime: at[1]!.seconds + 60, toTime: 0 } }), /No snapshot named \[newest since/);
    assert.match(await complaint({ advOptions: { advConfig: { browseAdvancedConfigBrowseByJob: { jobId: 99_999 } } } }), /Job \[99999\] does not exist/);
  });

  test('lists all versions of a path, the oldest with the number 1', async () => {
    const { dataResultSet } = await resultOf({ opType: 2, paths: [{ path: '/shop/orders' }] });
    assert.deepEqual(dataResultSet.map((each: Json) => [each.version, each.advancedData.snapShotName]), [[2, at[1]!.snapshotId], [1, at[0]!.snapshotId]]);
  });

  test('lists the one version of a backup by its number', async () => {
    const { dataResultSet } = await resultOf({ opType: 2, paths: [{ path: '/shop/orders' }], advOptions: { advConfig: { browseAdvancedConfigBrowseByJob: { jobId: at[0]!.jobNumber } } } });
    assert.deepEqual(dataResultSet.map((each: Json) => [each.version, each.advancedData.snapShotName]), [[1, at[0]!.snapshotId]]);
  });

  test('looks into the backups of a named subclient alone', async () => {
    facade.subclients.set('people', { databases: ['crm'], collections: [] });
    const people = await facade.services.subclients.resolve(ORDERS_ID, 'people');
    const subclientId = await facade.services.numbers.numberOf('subclient', people.id);
    assert.match(await complaint({ entity: { ...entity, subclientId } }), /No snapshot named/);
    const { json } = await facade.commvault(`/Subclient/${subclientId}/action/backup`, { method: 'POST' });
    const { snapshotId } = [...facade.jobs.values()].find(({ number }) => String(number) === (json['jobIds'] as string[])[0])!;
    facade.completeSnapshot(String(snapshotId));
    for (const given of [{ ...entity, subclientId }, { subclientId }, { clientName: 'SHOP', instanceName: 'Orders', subclientName: 'People' }]) {
      const { dataResultSet } = await resultOf({ entity: given });
      assert.equal(dataResultSet[0].advancedData.snapShotName, snapshotId);
    }
    const short = await facade.commvault(`/Subclient/${subclientId}/Browse?path=%5Ccrm`);
    assert.deepEqual((short.json['browseResponses'] as Json[])[0]?.['browseResult'].dataResultSet.map((each: Json) => each.name), ['a/b', 'people']);
  });

  for (const [what, body, words] of [
    ['a path that is not there', { paths: [{ path: '/shop/none' }] }, /\[\/shop\/none\] is in no snapshot/],
    ['a list of media', { opType: 3 }, /A list of media is not supported/],
    ['a deletion', { opType: 7 }, /Deleting a part of a snapshot is not supported/],
    ['a comparison', { advOptions: { advConfig: { compareBackupsReqType: 1 } } }, /Comparing backups is not supported/],
    ['a search for threats', { advOptions: { advConfig: { threatAnalysisRequest: true } } }, /threats is not supported/],
    ['an alternative', { queries: [{ whereClause: [{ connector: 'OR', criteria: { field: 'FileName', values: ['a'] } }] }] }, /joined by something else than AND/],
    ['an unknown field', { queries: [{ whereClause: [{ criteria: { field: 38, values: ['a'] } }] }] }, /filter by 38 is not supported/],
  ] as const) {
    test(`tells ${what} inside, where the SDK reads it`, async () => assert.match(await complaint(body), words));
  }

  for (const [what, body, status, words] of [
    ['nobody', { entity: {} }, 404, /No instance is specified/],
    ['an unknown instance', { entity: { instanceId: 99_999 } }, 404, /No instance named \[99999\]/],
    ['a subclient of another instance', { entity: { instanceName: 'orders', subclientId: 'copy' } }, 400, /subclientId does not belong/],
    ['a number of a subclient and the name of another', { entity: { subclientId: 'copy', subclientName: 'people' } }, 400, /subclientId does not belong/],
    ['an unknown backup set', { entity: { instanceName: 'orders', backupsetName: 'mine' } }, 404, /No backup set named \[mine\]/],
    ['an unknown number of a backup set', { entity: { backupsetId: 99_999 } }, 404, /No backup set named \[99999\]/],
    ['another agent', { entity: { instanceName: 'orders', applicationId: 33 } }, 400, /applicationId does not belong/],
    ['a number of another instance', { entity: { instanceName: 'orders', instanceId: 99_999 } }, 400, /instanceId does not belong/],
    ['an unknown operation', { opType: 55 }, 400, /opType \[55\]/],
    ['an unknown kind of query', { queries: [{ type: 9 }] }, 400, /queries\.type \[9\]/],
    ['a size that is none', { queries: [{ whereClause: [{ criteria: { field: 'FileSize', dataOperator: 'GT', values: ['big'] } }] }] }, 400, /whereClause/],
  ] as const) {
    test(`answers ${what} with ${status}`, async () => {
      const copy = await facade.services.numbers.numberOf('subclient', (await facade.services.subclients.resolve(COPY_ID, 'default')).id);
      const answer = await post(JSON.parse(JSON.stringify(body).replace('"copy"', String(copy))) as Json);
      assert.equal(answer.status, status, answer.text);
      assert.match(String(answer.json['errorMessage']), words);
    });
  }

  test('shows nothing of what one may not see', async () => {
    const stranger = await facade.identity.openSession({ kind: 'user', id: 'x', name: 'x', orgId: '5f0000000000000000000001', grants: [{ role: 'GROUP_OWNER', projectId: OTHER_ID }] });
    const { status } = await facade.commvault('/DoBrowse', { method: 'POST', body: { entity }, headers: { authtoken: stranger } });
    assert.equal(status, 404);
  });
});
