import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LeafvaultError } from '../../../../src/foundation/errors.ts';
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
      lastUpdateTime: 0,
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
        clientId, clientName: 'shop', displayName: 'shop', instanceId: await numbers.numberOf('cluster', ORDERS_ID), instanceName: 'orders',
        subclientId: await numbers.numberOf('subclient', (await facade.services.subclients.resolve(ORDERS_ID, 'default')).id), subclientName: 'default',
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
    assert.deepEqual(details.json, { error: { errList: [{ errorCode: 4, errLogMessage: 'Job [99999] does not exist', errorMessage: 'Job [99999] does not exist' }] } });
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
    assert.deepEqual(numbersIn(await list('?ClientID=99999')), [], 'names come in any case');
    assert.equal(numbersIn(await list(`?CLIENTID=${clientId}&Limit=1`)).length, 1);
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

  test('rest and go on, with empty XML bodies, and say why they can not', async () => {
    const number = await backup();
    const act = (action: string) => facade.commvault(`/Job/${number}/action/${action}`, { method: 'POST', headers: { 'content-type': 'application/xml' } });
    assert.match(JSON.stringify((await act('resume')).json), /"errLogMessage":"The job is not suspended: it is queued"/);
    assert.deepEqual((await act('pause')).json, { errorCode: 0, errorMessage: '' });
    assert.equal((await summary(number))['status'], 'Suspended');
    assert.ok(numbersIn((await facade.commvault('/Job?jobCategory=Active&limit=100')).json).includes(number));
    assert.deepEqual((await act('Resume')).json, { errorCode: 0, errorMessage: '' });
    facade.startJob(idOf(number), 'scan');
    await act('Pause');
    assert.equal((await summary(number))['status'], 'Suspend Pending');
    facade.endJob(idOf(number), 'completed');
    assert.equal((await summary(number))['status'], 'Completed');
    assert.match(JSON.stringify((await act('pause')).json), /"errors":.*can not be suspended: it is already completed/);
    assert.match(JSON.stringify((await act('dance')).json), /"errors":.*dance is not supported/);
  });

  test('are asked for again once they are over', async () => {
    const number = await backup();
    const resubmit = (query = '') => facade.commvault(`/Job/${number}/action/Resubmit${query}`, { method: 'POST', headers: { 'content-type': 'application/xml' } });
    assert.match(JSON.stringify((await resubmit()).json), /can not be submitted again: it is still queued/);
    const active = async (): Promise<unknown[]> => numbersIn((await facade.commvault('/Jobs/Active')).json);
    assert.ok((await active()).includes(number));
    facade.endJob(idOf(number), 'failed', 'the disk was full');
    assert.ok(!(await active()).includes(number), 'what is over is not among the active ones');
    const { json } = await resubmit('?startInSuspendedState=True');
    const again = Number((json['jobIds'] as string[])[0]);
    assert.notEqual(again, number);
    assert.equal((await summary(again))['status'], 'Suspended');
  });

  test('say inside the answer that nothing of them is left to be backed up, when they are asked for again', async () => {
    const number = await backup();
    const { jobs } = facade.services;
    const { repeat } = jobs;
    // As after a filter of namespaces was set that leaves out all of the subclient.
    Object.assign(jobs, { repeat: () => Promise.reject(new LeafvaultError('SELECTION_EMPTY', 'Asking for a snapshot failed: nothing is left')) });
    const { status, json } = await facade.commvault(`/Job/${number}/action/Resubmit`, { method: 'POST' });
    Object.assign(jobs, { repeat });
    assert.equal(status, 200);
    assert.match(JSON.stringify(json), /"errors":.*leave out all of its content/);
  });

  test('tell their task and what happened to them', async () => {
    const { subclients } = facade.services;
    const { cluster } = (await facade.services.inventory.visibleClusters({ kind: 'user', id: 'u', name: 'u', orgId: '', grants: [{ role: 'GLOBAL_OWNER' }] })).find((each) => each.cluster.id === ORDERS_ID) ?? {};
    assert.ok(cluster);
    const { id } = await subclients.create({ cluster, name: 'Told', databases: ['sales'], collections: [] });
    const subclientId = await facade.services.numbers.numberOf('subclient', id);
    const { json: started } = await facade.commvault(`/Subclient/${subclientId}/action/backup?BackupLevel=incremental&collectMetaInfo=False`, { method: 'POST', headers: { 'content-type': 'application/xml' } });
    const number = Number((started['jobIds'] as string[])[0]);
    const note = /^Asked for as Incremental: a whole snapshot/;
    const shown = await summary(number);
    assert.match(String(shown['pendingReason']), note);
    assert.equal(shown['backupLevelName'], 'Full');
    assert.deepEqual([(shown['subclient'] as Record<string, unknown>)['subclientName'], (shown['subclient'] as Record<string, unknown>)['subclientId']], ['Told', subclientId]);
    const { json: { taskInfo } } = await facade.commvault(`/Job/${number}/TaskDetails`);
    const { task, subTasks } = taskInfo as { task: Record<string, unknown>; subTasks: { options: unknown }[] };
    assert.equal(task['taskId'], started['taskId']);
    assert.deepEqual(subTasks[0]?.options, { backupOpts: { backupLevel: 'Incremental' } });
    const active = async (): Promise<unknown[]> => numbersIn((await facade.commvault('/Jobs/Active')).json);
    assert.ok((await active()).includes(number));
    facade.endJob(idOf(number), 'failed', 'the disk was full');
    assert.ok(!(await active()).includes(number), 'what is over is not among the active ones');
    const { json } = await facade.commvault(`/Events?JobId=${number}`);
    const events = json['commservEvents'] as { severity: number; description: string; jobId: number }[];
    assert.deepEqual([events[0]?.severity, events[0]?.description, events[0]?.jobId], [6, 'Backup failed: the disk was full', number]);
    assert.ok(events.some(({ description }) => note.test(description)));
    const every = (await facade.commvault('/Events')).json['commservEvents'] as { id: number; jobId: number; timeSource: number }[];
    assert.ok(new Set(every.map(({ jobId }) => jobId)).size > 1, 'without a job those of the newest ones');
    assert.deepEqual(every.filter(({ jobId }) => jobId === number), events);
    assert.ok(every.every(({ timeSource }, n) => n === 0 || timeSource <= (every[n - 1]?.timeSource ?? 0)), 'newest first');
    assert.equal((await facade.commvault('/Events?jobId=99999')).status, 404);
    assert.deepEqual((await facade.commvault(`/Events/${every[0]?.id}`)).json['commservEvents'], [every[0]]);
    const none = await facade.commvault(`/Events/${(every[0]?.id ?? 0) + 500}`);
    assert.deepEqual([none.status, none.json['errorCode']], [404, 4]);
    assert.match(JSON.stringify((await facade.commvault('/Job/99999/TaskDetails')).json), /^\{"error":\{"errList":\[.*"errorMessage":"Job \[99999\] does not exist"/);
    const query = async (jobFilter: unknown, more: Readonly<Record<string, unknown>> = {}) => numbersIn((await facade.commvault('/Jobs', { method: 'POST', body: { scope: 1, category: 0, pagingConfig: { offset: 0, limit: 100 }, jobFilter, ...more } })).json);
    assert.deepEqual(await query({ entity: { subclientId } }), [number]);
    assert.deepEqual(await query({ entity: { subclientId, backupsetId: await facade.services.numbers.numberOf('backupset', ORDERS_ID) } }), [number]);
    assert.deepEqual(await query({ entity: { subclientId, backupsetId: 99_999 } }), []);
    assert.ok((await query({ jobTypeList: ['BACKUP'], clientList: [{ clientId: await facade.services.numbers.numberOf('project', SHOP_ID) }] })).includes(number));
    assert.deepEqual(await query({ jobTypeList: ['AUXCOPY'] }), []);
    assert.ok(!(await query({ hideAdminJobs: true }, { category: 1 })).includes(number));
    facade.clock.advance(3_600_000);
    assert.ok(!(await query({ completedJobLookupTime: 60 })).includes(number));
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

  test('leave what is done to them in the events of their project, what failed as a failure', async () => {
    const number = await backup();
    facade.audit.length = 0;
    for (const name of ['pause', 'resume', 'kill', 'kill']) await facade.commvault(`/Job/${number}/action/${name}`, { method: 'POST' });
    await facade.commvault('/createtask', { method: 'POST', body: { taskInfo: {
      associations: [{ clientName: 'shop', instanceName: 'orders', subclientName: 'default' }, { clientName: 'other', instanceName: 'vault', subclientName: 'default' }],
      subTasks: [{ subTask: { subTaskType: 2 }, options: { backupOpts: {} } }],
    } } });
    const told = facade.audit.map((event) => event as unknown as { readonly action: string; readonly projectId: string; readonly details: Record<string, unknown> });
    assert.deepEqual(told.map(({ action, projectId, details }) => [action.split(' ')[2], projectId, details['clusterName'], details['status']]), [
      ...[200, 200, 200, 409].map((status) => ['/job/:number/action/:action', SHOP_ID, 'orders', status]),
      ['/createtask', SHOP_ID, 'orders', 200], ['/createtask', OTHER_ID, 'vault', 200],
    ]);
  });
});
