import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { ORDERS_ID, OTHER_ID, SHOP_ID } from '../../../support/memory-services.ts';

describe('jobs of Commvault', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const backup = async (instanceName = 'orders', clientName = 'shop'): Promise<number> => {
    const body = { taskInfo: { associations: [{ clientName, instanceName, subclientName: 'default' }], subTasks: [{ subTask: { subTaskType: 2 }, options: { backupOpts: { backupLevel: 'FULL' } } }] } };
    return Number(((await facade.commvault('/createtask', { method: 'POST', body })).json['jobIds'] as string[])[0]);
  };
  const idOf = (number: number): string => [...facade.jobs.values()].find((job) => job.number === number)?.id ?? '';
  const summary = async (number: number): Promise<Record<string, unknown>> => {
    const { status, json } = await facade.commvault(`/Job/${number}`);
    assert.equal(status, 200);
    assert.equal(json['totalRecordsWithoutPaging'], 1);
    return (json['jobs'] as { jobSummary: Record<string, unknown> }[])[0]?.jobSummary ?? {};
  };
  const numbersIn = (json: Readonly<Record<string, unknown>>): unknown[] => (json['jobs'] as { jobSummary: { jobId: number } }[]).map(({ jobSummary }) => jobSummary.jobId);

  test('are there the moment their number is told, with every field', async () => {
    const number = await backup();
    const { numbers } = facade.services;
    const clientId = await numbers.numberOf('project', SHOP_ID);
    assert.deepEqual(await summary(number), {
      jobId: number,
      status: 'Queued',
      jobType: 'Backup',
      jobStartTime: 1772366400,
      jobEndTime: 0,
      jobElapsedTime: 0,
      percentComplete: 0,
      currentPhaseName: '',
      pendingReason: '',
      backupLevel: 1,
      backupLevelName: 'Full',
      localizedOperationName: 'Backup',
      localizedStatus: 'Queued',
      appTypeName: 'Cloud Apps',
      attempts: 1,
      isVisible: true,
      isAged: false,
      sizeOfApplication: 0,
      sizeOfMediaOnDisk: 0,
      totalNumOfFiles: 0,
      subclient: {
        _type_: 5, appName: 'Cloud Apps', applicationId: 134, backupsetId: await numbers.numberOf('backupset', ORDERS_ID), backupsetName: 'defaultBackupSet',
        clientId, clientName: 'shop', displayName: 'shop', instanceId: await numbers.numberOf('cluster', ORDERS_ID), instanceName: 'orders', subclientName: 'default',
      },
      destinationClient: { clientId, clientName: 'shop', displayName: 'shop' },
      userName: { userId: 0, userName: 'user admin' },
      storagePolicy: { storagePolicyId: 0, storagePolicyName: 'leafvault' },
    });
  });

  test('show their progress, and 100 percent only at the end', async () => {
    const number = await backup();
    facade.startJob(idOf(number), 'scan');
    const job = facade.jobs.get(idOf(number));
    assert.ok(job);
    facade.jobs.set(job.id, { ...job, bytesDone: 999, bytesTotal: 1000, documentsDone: 12 });
    const running = await summary(number);
    assert.deepEqual([running['status'], running['percentComplete'], running['currentPhaseName'], running['sizeOfApplication']], ['Running', 99, 'scan', 999]);
    facade.clock.advance(5000);
    facade.endJob(job.id, 'completed');
    const done = await summary(number);
    assert.deepEqual([done['status'], done['percentComplete'], done['jobElapsedTime']], ['Completed', 100, 5]);
    assert.equal(Number(done['jobEndTime']) - Number(done['jobStartTime']), 5);
  });

  test('tell how much a finished snapshot added to the store', async () => {
    const number = await backup();
    const job = facade.jobs.get(idOf(number));
    facade.completeSnapshot(job?.snapshotId ?? '');
    assert.equal((await summary(number))['sizeOfMediaOnDisk'], 250_000);
    const { json } = await facade.commvault('/JobDetails', { method: 'POST', body: { jobId: number } });
    const { job: { jobDetail } } = json as unknown as { readonly job: { readonly jobDetail: { readonly detailInfo: { readonly dataWritten: string } } } };
    assert.equal(jobDetail.detailInfo.dataWritten, '250000');
  });

  test('say why they failed', async () => {
    const number = await backup();
    facade.endJob(idOf(number), 'failed', 'Connecting to db1.example:27017 failed: authentication was refused');
    const failed = await summary(number);
    assert.deepEqual([failed['status'], failed['pendingReason']], ['Failed', 'Connecting to db1.example:27017 failed: authentication was refused']);
  });

  test('answer the details that the SDK polls', async () => {
    const number = await backup();
    const { status, json } = await facade.commvault('/JobDetails', { method: 'POST', body: { jobId: number, showAttempt: true } });
    assert.equal(status, 200);
    const { jobDetail } = (json as { job: { jobDetail: Record<string, Record<string, unknown>> } }).job;
    assert.deepEqual(Object.keys(jobDetail), ['progressInfo', 'detailInfo', 'generalInfo', 'attemptsInfo']);
    assert.equal(jobDetail['progressInfo']?.['state'], 'Queued');
    assert.equal(jobDetail['generalInfo']?.['jobId'], number);
    assert.equal(typeof jobDetail['detailInfo']?.['sizeOfApplication'], 'string');
    assert.deepEqual((await facade.commvault('/JobDetails', { method: 'POST', body: { jobId: String(number) } })).status, 200);
  });

  test('that are unknown are 404, and an error inside the details', async () => {
    for (const id of ['99999', 'abc', '-1', '0', '99999999999999999999']) {
      const { status, json } = await facade.commvault(`/Job/${id}`);
      assert.deepEqual([status, json['errorCode']], [404, 4], id);
      assert.match(String(json['errorMessage']), /^Job \[.*\] does not exist$/);
    }
    const details = await facade.commvault('/JobDetails', { method: 'POST', body: { jobId: 99_999 } });
    assert.equal(details.status, 200);
    assert.deepEqual(details.json, { error: { errList: [{ errorCode: 4, errLogMessage: 'Job [99999] does not exist' }] } });
  });

  test('of others are not there', async () => {
    const number = await backup('vault', 'other');
    const headers = { authtoken: await facade.identity.openSession({ kind: 'user', id: 'u', name: 'u', orgId: '5f0000000000000000000001', grants: [{ role: 'GROUP_OWNER', projectId: SHOP_ID }] }) };
    assert.equal((await facade.commvault(`/Job/${number}`, { headers })).status, 404);
    assert.ok(!numbersIn((await facade.commvault('/Job', { headers })).json).includes(number));
    assert.equal((await facade.commvault(`/Job/${number}/action/kill`, { method: 'POST', headers })).status, 404);
  });

  test('list with their filters, and pages out of headers or the query', async () => {
    const all = [...facade.jobs.values()].map(({ number }) => number).reverse();
    const list = async (query: string, headers: Record<string, string> = {}) => (await facade.commvault(`/Job${query}`, { headers })).json;
    assert.deepEqual(numbersIn(await list('?jobCategory=All&limit=100')), all);
    assert.deepEqual(numbersIn(await list('', { limit: '2', offset: '1' })), all.slice(1, 3));
    assert.deepEqual(numbersIn(await list('?limit=3&offset=2')), all.slice(2, 5));
    assert.equal((await list('?limit=1'))['totalRecordsWithoutPaging'], all.length);
    const states = (json: Readonly<Record<string, unknown>>): Set<unknown> => new Set((json['jobs'] as { jobSummary: { status: string } }[]).map(({ jobSummary }) => jobSummary.status));
    assert.ok(![...states(await list('?jobCategory=Active'))].some((status) => ['Completed', 'Failed', 'Killed'].includes(String(status))));
    assert.ok(![...states(await list('?jobCategory=Finished'))].some((status) => ['Queued', 'Running'].includes(String(status))));
    assert.deepEqual(numbersIn(await list('?jobFilter=Restore')), []);
    const clientId = await facade.services.numbers.numberOf('project', OTHER_ID);
    assert.equal(numbersIn(await list(`?clientId=${clientId}`)).length, 1);
    assert.deepEqual(numbersIn(await list('?clientId=99999')), []);
    facade.clock.advance(3_600_000);
    assert.ok(!states(await list('?completedJobLookupTime=60')).has('Failed'));
    for (const query of ['?jobCategory=Some', '?limit=many', '?offset=-1', '?limit=1001']) assert.equal((await facade.commvault(`/Job${query}`)).status, 400, query);
  });

  test('end by kill, with an empty XML body, and only while they live', async () => {
    const number = await backup();
    const kill = () => facade.commvault(`/Job/${number}/Action/Kill`, { method: 'POST', headers: { 'content-type': 'application/xml' } });
    assert.deepEqual((await kill()).json, { errorCode: 0, errorMessage: '' });
    assert.equal((await summary(number))['status'], 'Killed');
    const again = await kill();
    assert.equal(again.status, 200);
    assert.match(JSON.stringify(again.json), /^\{"errors":\[\{"errList":\[\{"errorCode":587203993,"errLogMessage":"The job is already cancelled"\}\]\}\]\}$/);
  });

  test('say that pausing is not offered', async () => {
    const { status, json } = await facade.commvault(`/Job/${await backup()}/action/pause`, { method: 'POST' });
    assert.equal(status, 200);
    assert.match(JSON.stringify(json), /"errors":.*pause is not supported/);
  });

  test('are not for readers to end', async () => {
    const number = await backup();
    const headers = { authtoken: await facade.identity.openSession({ kind: 'user', id: 'u', name: 'u', orgId: '5f0000000000000000000001', grants: [{ role: 'GROUP_READ_ONLY', projectId: SHOP_ID }] }) };
    assert.equal((await facade.commvault(`/Job/${number}`, { headers })).status, 200);
    assert.equal((await facade.commvault(`/Job/${number}/action/kill`, { method: 'POST', headers })).status, 403);
  });

  test('leave snapshots that can be browsed by the number of an instance', async () => {
    const number = await backup();
    const snapshotId = String(facade.jobs.get(idOf(number))?.snapshotId);
    facade.completeSnapshot(snapshotId);
    const instanceId = await facade.services.numbers.numberOf('cluster', ORDERS_ID);
    const { json } = await facade.commvault('/BrowseRDSBackups', { method: 'POST', body: { entity: { instanceId }, copyPresedence: 0, includeAgedData: false } });
    assert.equal((json['snapList'] as { snapShotName: string }[])[0]?.snapShotName, snapshotId, 'newest first');
    assert.equal((await facade.commvault('/BrowseRDSBackups', { method: 'POST', body: { entity: { instanceId: 99_999 } } })).status, 404);
  });
});
