// What the Atlas CLI and the Terraform provider send, request by request with their headers and their two requests for each call, to Leafvault as its
// users run it with a real mongod behind it. What they need back is asserted as they read it; what came of it is looked for on the server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Timestamp } from 'mongodb';
import { ATLAS_PARAMS, ORGANIZATION_ID, startAtlasInstallation, type AtlasInstallation } from '../support/atlas-installation.ts';
import { goAnswer } from '../support/digest-clients.ts';
import { CLUSTER as ORDERS, KEY, PROJECT } from '../support/installation.ts';

const V2 = '/api/atlas/v2';
const GROUP = `${V2}/groups/${PROJECT.id}`;
const CLUSTER = `${GROUP}/clusters/${ORDERS.name}`;
const FLEX = `${GROUP}/flexClusters/${ORDERS.name}`;
const BUCKETS = `${GROUP}/backup/exportBuckets`;
const PAGE = 'includeCount=true&itemsPerPage=100&pageNum=1';
const DOCUMENTS = 200;
/** Both look every few seconds; here there is no need to. */
const PAUSE_MS = 100;
const WAIT_MS = 60_000;
const AUTHORIZED = { authorizedEmail: 'first.last@example.com', authorizedUserFirstName: 'First', authorizedUserLastName: 'Last' };

type Json = Readonly<Record<string, unknown>>;
interface Told { readonly status: number; readonly json: Json; readonly text: string; readonly contentType: string }
type Call = (method: string, target: string, version: string, body?: unknown) => Promise<Told>;

let installation: AtlasInstallation;
before(async () => { installation = await startAtlasInstallation(DOCUMENTS); });
after(() => installation?.[Symbol.asyncDispose]());

/** Go's digest: no nonce is kept, so each call is challenged first, with body and all. */
function goClient(userAgent: string): Call {
  return async (method, target, version, body) => {
    const type = `application/vnd.atlas.${version}+json`;
    const send = (more: Readonly<Record<string, string>>): Promise<Response> => fetch(`${installation.origin}${target}`, {
      method, headers: { accept: type, 'user-agent': userAgent, ...(body === undefined ? {} : { 'content-type': type }), ...more }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const challenged = await send({});
    await challenged.text();
    assert.equal(challenged.status, 401);
    const answer = await send({ authorization: goAnswer(challenged.headers.get('www-authenticate') ?? '', { method, target }, KEY) });
    const text = await answer.text();
    const contentType = answer.headers.get('content-type') ?? '';
    // Go's SDK decodes nothing else, errors included.
    assert.match(contentType, /^(application|text)\/(vnd\.[^;]+\+)?json/);
    return { status: answer.status, json: text === '' ? {} : JSON.parse(text) as Json, text, contentType };
  };
}

const cli = goClient('atlascli/1.54.0 (linux;amd64;binary)');
const terraform = goClient('terraform-provider-mongodbatlas/2.1.0 Terraform/1.11.4');

async function done(answer: Promise<Told>, status = 200): Promise<Json> {
  const told = await answer;
  assert.equal(told.status, status, told.text);
  return told.json;
}

/** Asks until it is over. @throws Error after a minute */
async function watch(call: Call, target: string, isOver: (json: Json) => boolean): Promise<Json> {
  let last: Json = {};
  for (const deadline = performance.now() + WAIT_MS; performance.now() < deadline; await delay(PAUSE_MS)) {
    last = await done(call('GET', target, '2023-01-01'));
    if (isOver(last)) return last;
  }
  throw new Error(`Waited ${WAIT_MS} ms for ${target}: ${JSON.stringify(last)}`);
}

const resultsOf = (json: Json): Json[] => json['results'] as Json[];
/** List, describe and watch ask flex first, and go on with this code alone. */
const probe = async (path: string): Promise<void> => assert.equal((await done(cli('GET', `${FLEX}${path}`, '2024-11-13'), 400))['errorCode'], 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API');
const orders = () => installation.source.client.db('shop').collection('orders');

async function snapshotByCli(): Promise<string> {
  const { id } = await done(cli('POST', `${CLUSTER}/backup/snapshots`, '2023-01-01', { description: 'from the cli', retentionInDays: 1 }));
  await probe(`/backup/snapshots/${String(id)}`);
  const taken = await watch(cli, `${CLUSTER}/backup/snapshots/${String(id)}`, ({ status }) => /^(completed|failed)$/i.test(String(status)));
  assert.equal(taken['status'], 'completed');
  return String(id);
}

/** `restores start` and `restores watch`: the cluster is read first, and the end is told by flags alone. */
async function restoreByCli(body: Json): Promise<Json> {
  await done(cli('GET', CLUSTER, '2024-08-05'));
  const { id } = await done(cli('POST', `${CLUSTER}/backup/restoreJobs`, '2023-01-01', body));
  await probe(`/backup/restoreJobs/${String(id)}`);
  const job = await watch(cli, `${CLUSTER}/backup/restoreJobs/${String(id)}`, ({ expired, cancelled, failed, finishedAt, deliveryType, deliveryUrl }) =>
    Boolean(expired) || Boolean(cancelled) || Boolean(failed) || finishedAt !== undefined || (deliveryType === 'download' && (deliveryUrl as unknown[]).length > 0));
  assert.deepEqual([job['expired'], job['cancelled'], job['failed']], [false, false, false]);
  return job;
}

describe('the Atlas CLI on a real cluster', { timeout: 240_000 }, () => {
  const target = { targetClusterName: ORDERS.name, targetGroupId: PROJECT.id };
  let snapshotId: string;

  test('creates a snapshot, watches it, lists and describes it', async () => {
    snapshotId = await snapshotByCli();
    await probe(`/backup/snapshots?${PAGE}`);
    const [row] = resultsOf(await done(cli('GET', `${CLUSTER}/backup/snapshots?${PAGE}`, '2023-01-01')));
    for (const column of ['id', 'snapshotType', 'status', 'createdAt', 'expiresAt']) assert.equal(typeof row?.[column], 'string', column);
    assert.equal((await done(cli('GET', `${CLUSTER}/backup/snapshots/${snapshotId}`, '2023-01-01')))['id'], snapshotId);
  });

  test('starts an automated restore, which brings back what was deleted, and lists it', async () => {
    await orders().deleteMany({});
    const job = await restoreByCli({ deliveryType: 'automated', snapshotId, ...target });
    assert.notEqual(job['finishedAt'], undefined);
    assert.equal(await orders().countDocuments(), DOCUMENTS);
    await probe(`/backup/restoreJobs?${PAGE}`);
    assert.deepEqual(resultsOf(await done(cli('GET', `${CLUSTER}/backup/restoreJobs?${PAGE}`, '2023-01-01'))).map(({ id }) => id), [job['id']]);
  });

  test('starts a download, and fetches the archive at its address; one of the flex form has it at once', async () => {
    const { deliveryUrl } = await restoreByCli({ deliveryType: 'download', snapshotId });
    const { snapshotUrl } = await done(cli('POST', `${FLEX}/backup/download`, '2024-11-13', { snapshotId }));
    for (const url of [(deliveryUrl as string[])[0], snapshotUrl as string]) {
      const archive = await fetch(String(url));
      assert.deepEqual([archive.status, [...new Uint8Array(await archive.arrayBuffer()).slice(0, 2)]], [200, [0x1f, 0x8b]]);
    }
  });

  test('is told why there is no restore to an instant without continuous backup', async () => {
    const early = await done(cli('POST', `${CLUSTER}/backup/restoreJobs`, '2023-01-01', { deliveryType: 'pointInTime', ...target, pointInTimeUTCSeconds: 1_700_000_000 }), 409);
    assert.equal(early['errorCode'], 'NO_CHECKPOINT_FOR_PIT_RESTORE');
  });

  test('starts a restore to an instant, once the cluster has continuous backup', { skip: process.env['LEAFVAULT_LONG_TESTS'] === undefined ? 'long: the contract suite has one' : false }, async () => {
    await done(cli('PATCH', CLUSTER, '2024-10-23', { pitEnabled: true }));
    await installation.settled(`/api/leafvault/v1/groups/${PROJECT.id}/clusters/${ORDERS.id}/continuous`, ({ state, recoveryPoint }) => state === 'running' && recoveryPoint !== null);
    const { operationTime } = await installation.source.client.db('shop').command({ insert: 'orders', documents: [{ _id: 'just before' }], writeConcern: { w: 'majority' } });
    await orders().deleteMany({});
    const { t: oplogTs, i: oplogInc } = operationTime as Timestamp;
    const job = await restoreByCli({ deliveryType: 'pointInTime', ...target, oplogTs, oplogInc });
    assert.deepEqual([job['oplogTs'], job['oplogInc']], [oplogTs, oplogInc]);
    assert.equal(await orders().countDocuments(), DOCUMENTS + 1);
    await done(cli('PATCH', CLUSTER, '2024-10-23', { pitEnabled: false }));
  });

  test('describes the schedule, updates an item of it, and deletes it', async () => {
    const [policy] = (await done(cli('GET', `${CLUSTER}/backup/schedule`, '2023-01-01')))['policies'] as { id: string }[];
    const update = async (item: Json): Promise<Json> => {
      const updated = await done(cli('PATCH', `${CLUSTER}/backup/schedule`, '2023-01-01', { clusterName: ORDERS.name, referenceHourOfDay: 5, policies: [{ id: policy?.id, policyItems: [item] }] }));
      return (updated['policies'] as [{ policyItems: Json[] }])[0].policyItems[0] ?? {};
    };
    const item = await update({ frequencyType: 'hourly', frequencyInterval: 6, retentionUnit: 'days', retentionValue: 2 });
    assert.deepEqual(await update({ ...item, retentionValue: 3 }), { ...item, retentionValue: 3 });
    const deleted = await done(cli('DELETE', `${CLUSTER}/backup/schedule`, '2024-08-05'));
    assert.deepEqual(deleted['policies'], [{ id: policy?.id, policyItems: [] }], 'it reads the schedule from the answer');
  });

  test('makes a bucket, exports a snapshot into it, watches the job, and deletes the bucket', async () => {
    const { _id: exportBucketId } = await done(cli('POST', BUCKETS, '2024-05-30', { bucketName: 'cli-exports', cloudProvider: 'AWS', iamRoleId: ATLAS_PARAMS['exportTarget'] }));
    assert.deepEqual(resultsOf(await done(cli('GET', `${BUCKETS}?${PAGE}`, '2024-05-30'))).map(({ _id }) => _id), [exportBucketId]);
    const { id } = await done(cli('POST', `${CLUSTER}/backup/exports`, '2023-01-01', { customData: [], exportBucketId, snapshotId }));
    const job = await watch(cli, `${CLUSTER}/backup/exports/${String(id)}`, ({ state }) => /^(successful|failed|cancelled)$/i.test(String(state)));
    assert.deepEqual([job['state'], (job['exportStatus'] as Json)['exportedCollections']], ['Successful', (job['exportStatus'] as Json)['totalCollections']]);
    assert.equal((await done(cli('GET', `${CLUSTER}/backup/exports?includeCount=true`, '2023-01-01')))['totalCount'], 1);
    await done(cli('DELETE', `${BUCKETS}/${String(exportBucketId)}`, '2023-01-01'), 204);
  });

  test('enables a compliance policy, waits until it is active, and builds it up by sending all of it back', async () => {
    const { id: projectId } = await done(cli('POST', `${V2}/groups`, '2023-01-01', { name: 'guarded-by-cli', orgId: ORGANIZATION_ID, withDefaultAlertsSettings: true }));
    const path = `${V2}/groups/${String(projectId)}/backupCompliancePolicy`;
    assert.equal((await done(cli('GET', path, '2023-10-01')))['projectId'], undefined, 'none is read as none');
    await done(cli('PUT', `${path}?overwriteBackupPolicies=true`, '2023-10-01', { ...AUTHORIZED, projectId }));
    const active = await done(cli('GET', path, '2023-10-01'));
    assert.equal(active['state'], 'ACTIVE', 'exactly');
    const scheduledPolicyItems = [{ frequencyInterval: 1, frequencyType: 'daily', retentionUnit: 'days', retentionValue: 7 }];
    const grown = await done(cli('PUT', `${path}?overwriteBackupPolicies=true`, '2023-10-01', { ...Object.fromEntries(Object.entries(active).filter(([, value]) => value !== null)), scheduledPolicyItems }));
    assert.equal((grown['scheduledPolicyItems'] as Json[])[0]?.['retentionValue'], 7);
  });

  test('deletes a snapshot', async () => {
    await done(cli('DELETE', `${CLUSTER}/backup/snapshots/${snapshotId}`, '2023-01-01'), 204);
    assert.equal((await cli('GET', `${CLUSTER}/backup/snapshots/${snapshotId}`, '2023-01-01')).status, 404);
  });
});

describe('the Terraform provider on a real cluster', { timeout: 240_000 }, () => {
  test('creates, reads and destroys a snapshot and its restore job', async () => {
    assert.equal((await done(terraform('GET', CLUSTER, '2024-08-05')))['stateName'], 'IDLE');
    const { id } = await done(terraform('POST', `${CLUSTER}/backup/snapshots`, '2023-01-01', { description: 'tf', retentionInDays: 1 }));
    const snapshot = `${CLUSTER}/backup/snapshots/${String(id)}`;
    await watch(terraform, snapshot, ({ status }) => {
      assert.ok(['queued', 'inProgress', 'completed'].includes(String(status)), `${String(status)} is an error to it`);
      return status === 'completed';
    });
    assert.equal((await done(terraform('GET', `${CLUSTER}/backup/snapshots/shardedCluster/${String(id)}`, '2023-01-01')))['id'], id);
    const { id: jobId } = await done(terraform('POST', `${CLUSTER}/backup/restoreJobs`, '2023-01-01', { deliveryType: 'download', snapshotId: id }));
    assert.equal((await done(terraform('GET', `${CLUSTER}/backup/restoreJobs/${String(jobId)}`, '2023-01-01')))['snapshotId'], id, 'it is there at once: nobody polls');
    await done(terraform('DELETE', `${CLUSTER}/backup/restoreJobs/${String(jobId)}`, '2023-01-01'), 204);
    await done(terraform('DELETE', snapshot, '2023-01-01'), 204);
    assert.equal((await terraform('GET', snapshot, '2023-01-01')).status, 404, 'which drops it from the state');
  });

  test('creates a schedule with a bucket, changes it, and destroys both', async () => {
    const { _id: exportBucketId } = await done(terraform('POST', BUCKETS, '2024-05-30', { bucketName: 'tf-exports', cloudProvider: 'AWS', iamRoleId: ATLAS_PARAMS['exportTarget'] }));
    assert.equal((await done(terraform('GET', `${BUCKETS}/${String(exportBucketId)}`, '2024-05-30')))['bucketName'], 'tf-exports');
    await done(terraform('DELETE', `${CLUSTER}/backup/schedule`, '2024-08-05'));
    const read = async (version = '2024-08-05'): Promise<{ readonly id: string; readonly policyItems: readonly Json[] }> =>
      ((await done(terraform('GET', `${CLUSTER}/backup/schedule`, version)))['policies'] as [{ id: string; policyItems: Json[] }])[0];
    const { id } = await read();
    const item = { frequencyInterval: 1, frequencyType: 'daily', retentionUnit: 'days', retentionValue: 7 };
    await done(terraform('PATCH', `${CLUSTER}/backup/schedule`, '2024-08-05', {
      referenceHourOfDay: 3, referenceMinuteOfHour: 45, restoreWindowDays: 4, autoExportEnabled: true, export: { exportBucketId, frequencyType: 'daily' }, policies: [{ id, policyItems: [item] }],
    }));
    const { policyItems: [made] } = await read();
    await done(terraform('PATCH', `${CLUSTER}/backup/schedule`, '2024-08-05', { policies: [{ id, policyItems: [{ ...made, retentionValue: 9 }] }] }));
    assert.deepEqual((await read('2023-01-01')).policyItems, [{ ...made, retentionValue: 9 }], 'the data source reads the older form');

    assert.equal((await done(terraform('DELETE', `${BUCKETS}/${String(exportBucketId)}`, '2023-01-01'), 400))['errorCode'], 'EXPORT_BUCKET_DELETE_FAILED');
    await done(terraform('DELETE', `${CLUSTER}/backup/schedule`, '2024-08-05'));
    await done(terraform('DELETE', `${BUCKETS}/${String(exportBucketId)}`, '2023-01-01'), 204);
    for (const { name } of resultsOf(await done(terraform('GET', `${GROUP}/clusters?${PAGE}`, '2024-08-05')))) {
      const schedule = await done(terraform('GET', `${GROUP}/clusters/${String(name)}/backup/schedule`, '2024-08-05'));
      assert.notEqual((schedule['export'] as Json | undefined)?.['exportBucketId'], exportBucketId, 'else the provider waits for an hour');
    }
    assert.equal((await terraform('GET', `${BUCKETS}/${String(exportBucketId)}`, '2024-05-30')).status, 404);
  });

  test('creates a compliance policy and changes it, reads back what it sent, and cannot destroy it', async () => {
    const { id: projectId } = await done(terraform('POST', `${V2}/groups`, '2023-01-01', { name: 'guarded-by-terraform', orgId: ORGANIZATION_ID }));
    const path = `${V2}/groups/${String(projectId)}/backupCompliancePolicy`;
    for (const restoreWindowDays of [0, 5]) {
      const sent = {
        ...AUTHORIZED, projectId, copyProtectionEnabled: false, encryptionAtRestEnabled: false, pitEnabled: restoreWindowDays > 0, restoreWindowDays,
        scheduledPolicyItems: [{ frequencyInterval: 6, frequencyType: 'hourly', retentionUnit: 'days', retentionValue: 7 }],
      };
      await done(terraform('PUT', path, '2023-10-01', sent));
      const { scheduledPolicyItems, ...read } = await done(terraform('GET', path, '2023-10-01'));
      const { scheduledPolicyItems: items, ...plain } = sent;
      assert.deepEqual(Object.fromEntries(Object.keys(plain).map((name) => [name, read[name]])), plain, 'else the next plan has a change');
      assert.deepEqual((scheduledPolicyItems as Json[]).map(({ id: _, ...item }) => item), items);
    }
    assert.equal((await done(terraform('DELETE', path, '2024-11-13'), 400))['errorCode'], 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID');
  });
});
