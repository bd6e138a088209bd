// The customer's five pages against one running installation: every field that a page names is answered from a job that
// a real worker did on a real replica set.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Timestamp } from 'mongodb';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource, takeSnapshot, until, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { keyPaths, pageExample } from '../support/page-keys.ts';

type Json = Record<string, unknown>;

const TARGET = { targetClusterName: CLUSTER.name, targetGroupId: PROJECT.id };
const OPS_MANAGER = `/api/public/v1.0/groups/${PROJECT.id}/clusters/${CLUSTER.id}/restoreJobs`;
const JOB_FIELDS = ['id', 'groupId', 'clusterId', 'created', 'snapshotId', 'pointInTime', 'statusName', 'timestamp.date', 'timestamp.increment', 'encryptionEnabled', 'links[].rel', 'links[].href', 'delivery.methodName'];
const HTTP_FIELDS = ['delivery.statusName', 'delivery.url', 'delivery.expires', 'delivery.expirationHours', 'delivery.maxDownloads', 'hashes[].typeName', 'hashes[].fileName', 'hashes[].hash'];

describe('the reference pages, on a real installation', { timeout: 900_000 }, () => {
  let source: Source;
  let folder: LeafvaultFolder;
  let leafvault: LeafvaultProcess;
  let snapshotId: string;

  before(async () => {
    [source, folder] = await Promise.all([startSource(500), leafvaultFolder()]);
    const settings = settingsFor(source.uri, {}, { continuousBackup: true });
    leafvault = await startLeafvault({ folder, port: await freePort(), settings });
    snapshotId = String((await takeSnapshot(leafvault.origin)).id);
  });

  after(async () => {
    await leafvault?.stop();
    await source?.[Symbol.asyncDispose]();
    await folder?.remove();
  });

  const get = async (path: string): Promise<Json> => {
    const { status, body } = await call(leafvault.origin, 'GET', path);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const order = async (path: string, asked: object): Promise<Json> => {
    const { status, body } = await call(leafvault.origin, 'POST', path, asked);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const missing = (expected: readonly string[], shown: unknown): string[] => {
    const names = new Set(keyPaths(shown));
    return expected.filter((path) => !names.has(path));
  };

  test('Atlas v1.0: a tenant download answers every field of its page, and Atlas v2 reads it back', async () => {
    const asked = { snapshotId, targetDeploymentItemName: CLUSTER.name, targetProjectId: PROJECT.id };
    const made = await order(`/api/atlas/v1.0/groups/${PROJECT.id}/clusters/${CLUSTER.name}/backup/tenant/download`, asked);
    assert.deepEqual(missing(keyPaths(pageExample('atlas-v1-tenant-download.response')), made), []);
    assert.equal((await fetch(String(made['snapshotUrl']))).status, 200);
    const read = await get(`${BACKUP}/tenant/restores/${String(made['id'])}`);
    assert.deepEqual(missing(keyPaths(pageExample('atlas-v2-get-tenant-restore.response')), read), []);
    assert.deepEqual([read['status'], read['deliveryType'], read['snapshotUrl']], ['COMPLETED', 'DOWNLOAD', made['snapshotUrl']]);
  });

  test('Atlas v2: a tenant restore answers every field of its page but the address of a download', async () => {
    const made = await order(`${BACKUP}/tenant/restore`, { snapshotId, targetDeploymentItemName: CLUSTER.name, targetProjectId: PROJECT.id });
    const read = await until(() => call(leafvault.origin, 'GET', `${BACKUP}/tenant/restores/${String(made['id'])}`), (job) => (['COMPLETED', 'FAILED'].includes(String(job['status'])) ? job : null));
    assert.equal(read['status'], 'COMPLETED', await leafvault.log());
    assert.deepEqual(missing(keyPaths(pageExample('atlas-v2-get-tenant-restore.response')), read), ['snapshotUrl']);
  });

  test('Atlas v2: the list of restore jobs answers every field of its page over an automated one, a download and one to an instant', async () => {
    const { operationTime } = await source.client.db('shop').command({ insert: 'orders', documents: [{ text: 'one more' }], writeConcern: { w: 'majority' } });
    const { t, i } = operationTime as Timestamp;
    const jobs = [
      await order(`${BACKUP}/restoreJobs`, { deliveryType: 'download', snapshotId }),
      await orderUntilAccepted({ deliveryType: 'pointInTime', ...TARGET, oplogTs: t, oplogInc: i }),
      await orderUntilAccepted({ deliveryType: 'pointInTime', ...TARGET, pointInTimeUTCSeconds: t }),
      await order(`${BACKUP}/restoreJobs`, { deliveryType: 'automated', snapshotId, ...TARGET }),
    ];
    const over = ({ deliveryType, deliveryUrl, finishedAt, failed }: Json): boolean => failed === true || (deliveryType === 'download' ? (deliveryUrl as unknown[]).length > 0 : finishedAt !== undefined);
    for (const { id } of jobs) {
      const job = await until(() => call(leafvault.origin, 'GET', `${BACKUP}/restoreJobs/${String(id)}`), (each) => (over(each) ? each : null));
      assert.equal(job['failed'], false, await leafvault.log());
    }
    const listed = await get(`${BACKUP}/restoreJobs?includeCount=true`);
    // Private endpoints are a thing of clouds: their lists are there, and empty.
    const expected = keyPaths(pageExample('atlas-v2-list-restore-jobs.response')).filter((path) => !path.includes('privateDownloadDeliveryUrls[]'));
    assert.deepEqual(missing(expected, listed), []);
  });

  test('Ops Manager: a restore job to a file and one to a cluster answer the fields of the page', async () => {
    const file = await order(OPS_MANAGER, { snapshotId, delivery: { methodName: 'HTTP', maxDownloads: 2, expirationHours: 1 } });
    assert.deepEqual(missing(['results', 'links', 'totalCount'], file), []);
    const [made] = file['results'] as Json[];
    const path = `${OPS_MANAGER}/${String(made?.['id'])}`;
    const ready = await until(() => call(leafvault.origin, 'GET', path), (job) => ((job['delivery'] as Json)['statusName'] === 'READY' ? job : null));
    assert.equal((await fetch(String((ready['delivery'] as Json)['url'])).then((answer) => answer.arrayBuffer())).byteLength > 0, true);
    // The hash of a file is known once it was sent.
    const fetched = await until(() => call(leafvault.origin, 'GET', path), (job) => ((job['hashes'] as unknown[] | undefined)?.length === 1 ? job : null));
    assert.deepEqual(missing([...JOB_FIELDS, ...HTTP_FIELDS], fetched), []);

    const cluster = await order(OPS_MANAGER, { snapshotId, delivery: { methodName: 'AUTOMATED_RESTORE', targetGroupId: PROJECT.id, targetClusterId: CLUSTER.id } });
    const [job] = cluster['results'] as Json[];
    const ended = await until(() => call(leafvault.origin, 'GET', `${OPS_MANAGER}/${String(job?.['id'])}`), (each) => (each['statusName'] === 'IN_PROGRESS' ? null : each));
    assert.equal(ended['statusName'], 'FINISHED', await leafvault.log());
    assert.deepEqual(missing([...JOB_FIELDS, 'delivery.targetGroupId', 'delivery.targetClusterId'], ended), []);
  });

  test("Commvault: the page's literal body, with real names, answers taskId and jobIds, and its job completes with data", async () => {
    const api = `${leafvault.origin}/commandcenter/api`;
    const json = { 'content-type': 'application/json', accept: 'application/json' };
    const login = await fetch(`${api}/Login`, { method: 'POST', headers: json, body: JSON.stringify({ username: 'admin', password: Buffer.from('change-me-now').toString('base64') }) });
    const authtoken = String(((await login.json()) as Json)['token']);
    const body = pageExample('commvault-createtask.request') as { taskInfo: { associations: Json[] } };
    Object.assign(body.taskInfo.associations[0] ?? {}, { clientName: PROJECT.name, instanceName: CLUSTER.name, subclientName: 'default' });
    const started = (await (await fetch(`${api}/createtask`, { method: 'POST', headers: { ...json, authtoken }, body: JSON.stringify(body) })).json()) as { readonly taskId: number; readonly jobIds: readonly string[] };
    assert.ok(Number.isInteger(started.taskId) && started.jobIds.length === 1, JSON.stringify(started));
    const summary = await until(async () => {
      const answer = await fetch(`${api}/Job/${started.jobIds[0]}`, { headers: { authtoken, accept: 'application/json' } });
      return { status: answer.status, body: (await answer.json()) as Json };
    }, ({ jobs }) => {
      const [{ jobSummary } = { jobSummary: {} as Json }] = jobs as { readonly jobSummary: Json }[];
      return /completed|failed|killed/i.test(String(jobSummary['status'])) ? jobSummary : null;
    });
    assert.equal(summary['status'], 'Completed', JSON.stringify(summary));
    assert.ok(Number(summary['totalNumOfFiles']) >= 500 && Number(summary['sizeOfApplication']) > 0, 'documents and bytes are counted');
  });

  /** The newest entries can be restored to a moment later, when their slice was put. */
  function orderUntilAccepted(asked: object): Promise<Json> {
    return until(() => call(leafvault.origin, 'POST', `${BACKUP}/restoreJobs`, asked), (job) => job);
  }
});
