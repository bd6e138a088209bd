// While a project has a compliance policy nothing of it is shortened or deleted, whatever door it is asked through; on a real catalog.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRetentionChores } from '../../src/jobs/index.ts';
import type { FoundServer } from '../../src/services/administration-contracts.ts';
import { applyDeclared, cancelJob } from '../../src/services/index.ts';
import type { KeptItem } from '../../src/domain/retention.ts';
import { newId } from '../../src/foundation/ids.ts';
import { OUTCOME } from '../support/catalog-rows.ts';
import { checkAgainst } from '../support/check-schema.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { COPY, declaration, openRealDoors, ORDERS, SHOP, type DoorAnswer, type RealDoors } from '../support/real-doors.ts';

const DAY_MS = 86_400_000;
const CLUSTER = `/groups/${SHOP}/clusters/orders`;
const POLICY = `/groups/${SHOP}/backupCompliancePolicy`;
const DAILY = { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 } as const;
const ASKED = {
  authorizedEmail: 'legal@example.com', authorizedUserFirstName: 'Lee', authorizedUserLastName: 'Gal', copyProtectionEnabled: true, encryptionAtRestEnabled: true, pitEnabled: true, restoreWindowDays: 2,
  onDemandPolicyItem: { frequencyType: 'ondemand', frequencyInterval: 0, retentionUnit: 'days', retentionValue: 10 }, scheduledPolicyItems: [DAILY],
};

let database: TestDatabase;
let clock: FakeClock;
let doors: RealDoors;
/** What answers a connection string. */
let found: FoundServer = { topology: 'replicaSet', replicaSetName: 'rs0', version: '6.0.5' };

before(async () => {
  database = await startEmbedded();
  clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
  doors = await openRealDoors(database, clock, { probe: () => Promise.resolve(found) });
});
after(async () => {
  await doors?.close();
  await database?.stop();
});

async function takenSnapshot(retentionInDays = 30): Promise<string> {
  const { json, text } = await doors.atlas('POST', `${CLUSTER}/backup/snapshots`, { body: { description: 'kept', retentionInDays } });
  assert.match(String(json['id']), /^[0-9a-f]{24}$/, text);
  const id = String(json['id']);
  await doors.catalog.snapshots.complete(id, { ...OUTCOME, capturedAt: clock.now(), expiresAt: new Date(clock.now().getTime() + retentionInDays * DAY_MS) });
  return id;
}

async function refused(answer: Promise<DoorAnswer>, errorCode: string, status = 400): Promise<void> {
  const { status: told, json, text } = await answer;
  assert.deepEqual([told, json['errorCode'] ?? json['code']], [status, errorCode], text);
}

describe('a backup compliance policy', () => {
  test('is none before it is made, refuses to overlook clusters, and then counts at once', async () => {
    assert.deepEqual([(await doors.atlas('GET', POLICY)).json, (await doors.atlas('DELETE', POLICY)).status], [{}, 404]);
    const unmet = await doors.atlas('PUT', `${POLICY}?overwriteBackupPolicies=false`, { body: ASKED });
    assert.deepEqual([unmet.status, unmet.json['errorCode']], [400, 'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS']);
    assert.match(String(unmet.json['detail']), /copy, orders/);
    assert.deepEqual((await doors.atlas('GET', POLICY)).json, {}, 'nothing of it stays');
    const made = await doors.atlas('PUT', POLICY, { body: ASKED });
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(checkAgainst('updateGroupBackupCompliancePolicy', '2023-10-01', made.json), []);
    assert.deepEqual([made.json['state'], made.json['deletable'], made.json['updatedDate'], made.json['projectId']], ['ACTIVE', false, '2026-03-01T12:00:00Z', SHOP]);
    const [item] = made.json['scheduledPolicyItems'] as { readonly id: string }[];
    assert.match(String(item?.id), /^[0-9a-f]{24}$/);
    // What was read can be sent back: read-only members are ignored, ids stay.
    const read = await doors.atlas('GET', POLICY);
    assert.deepEqual(checkAgainst('getGroupBackupCompliancePolicy', '2023-10-01', read.json), []);
    assert.deepEqual((await doors.atlas('PUT', POLICY, { body: read.json })).json, read.json);
    const old = await doors.atlas('GET', POLICY, { version: '2023-01-01' });
    assert.deepEqual(checkAgainst('getGroupBackupCompliancePolicy', '2023-01-01', old.json), []);
    assert.deepEqual((await doors.bearer('GET', `/api/atlas/v1.0${POLICY}`)).json, read.json, 'v1.0 has it, too');
  });

  test('raised the schedules of its clusters and turned continuous backup on', async () => {
    const { json } = await doors.atlas('GET', `${CLUSTER}/backup/schedule`);
    const [{ policyItems }] = json['policies'] as [{ readonly policyItems: readonly object[] }];
    assert.deepEqual(policyItems.map((each) => ({ ...each, id: undefined })), [{ ...DAILY, id: undefined }]);
    assert.deepEqual((await doors.catalog.clusters.ofProjects([SHOP])).map(({ continuousBackup }) => continuousBackup), [true, true]);
  });

  test('keeps every door from deleting a snapshot', async () => {
    const id = await takenSnapshot();
    const code = 'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY';
    await refused(doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${id}`), code);
    await refused(doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/shardedCluster/${id}`), code);
    await refused(doors.bearer('DELETE', `/api/atlas/v1.0${CLUSTER}/backup/snapshots/${id}`), code);
    const snapshot = `/groups/${SHOP}/clusters/${ORDERS}/snapshots/${id}`;
    await refused(doors.opsManager('DELETE', snapshot), code);
    // An expiry that went by is a deletion in Ops Manager.
    await refused(doors.opsManager('PATCH', snapshot, { expires: '2026-03-01T11:00:00Z' }), code);
    const running = await doors.atlas('POST', `${CLUSTER}/backup/snapshots`, { body: { retentionInDays: 30 } });
    await refused(doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${String(running.json['id'])}`), code);
    const job = await doors.catalog.jobs.get((await doors.catalog.snapshots.get(String(running.json['id'])))?.jobId ?? '');
    const killed = await doors.commvault('POST', `/Job/${job?.number}/action/kill`, {});
    assert.equal(killed.status, 403, killed.text);
    assert.match(killed.text, /compliance policy/);
    assert.deepEqual([(await doors.catalog.jobs.get(job?.id ?? ''))?.state, (await doors.catalog.snapshots.get(id))?.deletedAt], ['queued', null]);
    // What failed stands for nothing.
    await doors.catalog.transaction((tx) => tx.executeSql("update snapshots set state = 'failed' where id = $1", [String(running.json['id'])]));
    assert.equal((await doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${String(running.json['id'])}`)).status, 204);
  });

  test('keeps every door from letting a snapshot end earlier, and lets it end later', async () => {
    const id = await takenSnapshot();
    const code = 'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY';
    const body = { retentionUnit: 'DAYS', retentionValue: 29 };
    await refused(doors.atlas('PATCH', `${CLUSTER}/backup/snapshots/${id}`, { body }), code);
    await refused(doors.bearer('PATCH', `/api/atlas/v1.0${CLUSTER}/backup/snapshots/${id}`, body), code);
    await refused(doors.opsManager('PATCH', `/groups/${SHOP}/clusters/${ORDERS}/snapshots/${id}`, { expires: '2026-03-20T12:00:00Z' }), code);
    assert.equal((await doors.atlas('PATCH', `${CLUSTER}/backup/snapshots/${id}`, { body: { ...body, retentionValue: 40 } })).json['expiresAt'], '2026-04-10T12:00:00Z');
    await refused(doors.atlas('PATCH', `${CLUSTER}/backup/snapshots/${id}`, { body: { ...body, retentionValue: 39 } }), code);
  });

  test('is the least that a snapshot on demand is kept', async () => {
    await refused(doors.atlas('POST', `${CLUSTER}/backup/snapshots`, { body: { retentionInDays: 9 } }), 'SNAPSHOT_RETENTION_LESS_THAN_BACKUP_COMPLIANCE_POLICY');
    assert.equal((await doors.atlas('POST', `${CLUSTER}/backup/snapshots`, { body: {} })).json['expiresAt'], '2026-03-11T12:00:00Z', 'nobody asked for fewer');
    const task = { taskInfo: { associations: [{ clientName: 'shop', instanceName: 'orders', subclientName: 'default' }], subTasks: [{ subTask: { subTaskType: 2 }, options: { backupOpts: { backupLevel: 'FULL' } } }] } };
    assert.equal((await doors.commvault('POST', '/createtask', task)).status, 200);
  });

  test('keeps schedules from keeping less, in each of their parts', async () => {
    const schedule = `${CLUSTER}/backup/schedule`;
    const policyItems = ((await doors.atlas('GET', schedule)).json['policies'] as [{ readonly policyItems: readonly (typeof DAILY & { readonly id: string })[] }])[0].policyItems;
    const code = 'BACKUP_POLICY_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS';
    await refused(doors.atlas('PATCH', schedule, { body: { policies: [{ policyItems: policyItems.map((item) => ({ ...item, retentionValue: 6 })) }] } }), code);
    await refused(doors.bearer('PATCH', `/api/atlas/v1.0${schedule}`, { policies: [{ policyItems: [{ ...DAILY, frequencyType: 'hourly', frequencyInterval: 6 }] }] }), code);
    await refused(doors.atlas('DELETE', schedule), code);
    await refused(doors.bearer('DELETE', `/api/atlas/v1.0${schedule}`), code);
    await refused(doors.atlas('PATCH', schedule, { body: { restoreWindowDays: 1 } }), 'CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY');
    assert.equal((await doors.atlas('PATCH', schedule, { body: { policies: [{ policyItems: policyItems.map((item) => ({ ...item, retentionValue: 9 })) }] } })).status, 200, 'more may be');
  });

  test('keeps a change of a schedule from shortening or deleting what is there, all of it or nothing', async () => {
    const schedule = `${CLUSTER}/backup/schedule`;
    const { items } = await doors.services.schedules.get((await doors.catalog.clusters.get(ORDERS))!);
    const daily: KeptItem = { ...items[0]!, extraDays: 0 };
    const id = await scheduledSnapshot(daily);
    await refused(doors.atlas('PATCH', schedule, { body: { policies: [{ policyItems: [{ ...items[0], retentionValue: 8 }] }], updateSnapshots: true } }), 'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY');
    // The newest is never deleted.
    clock.advance(1000);
    await scheduledSnapshot({ ...daily, id: newId() });
    await refused(doors.atlas('PATCH', schedule, { body: { policies: [{ policyItems: [{ ...DAILY, retentionValue: 9 }] }], deleteSnapshots: true } }), 'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY');
    assert.deepEqual([(await doors.services.schedules.get((await doors.catalog.clusters.get(ORDERS))!)).items, (await doors.catalog.snapshots.get(id))?.deletedAt], [items, null]);
    assert.equal((await doors.atlas('PATCH', schedule, { body: { policies: [{ policyItems: [{ ...items[0], retentionValue: 8 }] }] } })).status, 200, 'what comes may be kept less long, down to the policy');
  });

  test('keeps clusters and their project from being deleted, with their snapshots or without, and continuous backup on', async () => {
    const id = await takenSnapshot();
    const [v1, pit] = ['/api/atlas/v1.0', 'CANNOT_DISABLE_PIT_WITH_BACKUUP_COMPLIANCE_POLICY'];
    for (const query of ['', '?retainBackups=true']) await refused(doors.atlas('DELETE', `${CLUSTER}${query}`), 'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY');
    await refused(doors.bearer('DELETE', `${v1}${CLUSTER}`), 'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY');
    await refused(doors.atlas('PATCH', CLUSTER, { body: { pitEnabled: false } }), pit);
    await refused(doors.bearer('PATCH', `${v1}${CLUSTER}`, { pitEnabled: false }), pit);
    // As good as a deletion: nothing of these servers would be taken any more.
    await refused(doors.atlas('PATCH', CLUSTER, { body: { leafvaultConnectionString: 'mongodb://127.0.0.1:5/' } }), 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID');
    for (const answer of [doors.atlas('DELETE', `/groups/${SHOP}`), doors.bearer('DELETE', `${v1}/groups/${SHOP}`)]) await refused(answer, 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID');
    const [cluster, schedule] = [(await doors.catalog.clusters.get(ORDERS))!, await doors.catalog.schedules.get(ORDERS)];
    assert.deepEqual([cluster.deletedAt, cluster.continuousBackup, schedule?.schedule.items.length, (await doors.catalog.snapshots.get(id))?.deletedAt], [null, true, 1, null]);
    assert.equal((await doors.catalog.projects.get(SHOP))?.deletedAt, null);
    assert.equal((await doors.atlas('PATCH', CLUSTER, { body: { tags: [{ key: 'team', value: 'shop' }] } })).status, 200, 'anything else may be changed');
  });

  test('has a cluster that is registered keep what it asks for, or refuses one that can\'t', async () => {
    const register = (name: string) => doors.atlas('POST', `/groups/${SHOP}/clusters`, { body: { name, leafvaultConnectionString: 'mongodb://127.0.0.1:4/', backupEnabled: false, pitEnabled: false } });
    const made = await register('registered');
    assert.deepEqual([made.status, made.json['pitEnabled']], [201, true], made.text);
    assert.deepEqual((await doors.catalog.schedules.get(String(made.json['id'])))?.schedule.items.map(({ frequencyType, retentionValue }) => [frequencyType, retentionValue]), [['daily', 7]]);
    found = { ...found, topology: 'standalone', replicaSetName: null };
    await refused(register('single'), 'UNSUPPORTED_CLUSTER_SETTING');
    assert.equal(await doors.catalog.clusters.byName(SHOP, 'single'), null);
  });

  test('counts for Commvault: subclients come and go, and no snapshot with them; none is paused, and schedules stay', async () => {
    const { commvault, catalog } = doors;
    const entity = { clientName: 'shop', instanceName: 'orders', backupsetName: 'defaultBackupSet' };
    const made = await commvault('POST', '/Subclient', { subClientProperties: { subClientEntity: { ...entity, subclientName: 'sales' }, cloudDbContent: { children: [{ path: '/shop' }] } } });
    const subclientId = (made.json['response'] as { readonly entity: { readonly subclientId: number } }).entity.subclientId;
    const backup = await commvault('POST', `/Subclient/${subclientId}/action/backup?backupLevel=Full`);
    const number = Number((backup.json['jobIds'] as string[])[0]);
    const job = (await catalog.jobs.byNumber(number))!;
    for (const action of ['pause', 'kill']) {
      const { status, text } = await commvault('POST', `/Job/${number}/action/${action}`);
      assert.equal(status, 403, text);
      assert.match(text, /compliance policy/);
    }
    await refused(doors.bearer('DELETE', `/api/leafvault/v1/groups/${SHOP}/clusters/${ORDERS}/jobs/${job.id}`), 'COMPLIANCE_PROTECTED', 409);
    // As the command line asks.
    await assert.rejects(cancelJob({ catalog, cancel: catalog.jobs.requestCancel }, { id: job.id, by: 'test' }), { code: 'COMPLIANCE_PROTECTED' });
    const sql = (text: string, ...values: readonly unknown[]) => catalog.transaction((tx) => tx.executeSql(text, [...values]));
    await sql('update jobs set paused_at = now() where id = $1', job.id);
    assert.equal((await commvault('POST', `/Job/${number}/action/resume`)).status, 200, 'one that rested before may go on');
    assert.equal((await catalog.jobs.get(job.id))?.pausedAt, null);
    // Fewer days than the policy's, of before.
    await sql("update jobs set state = 'failed', finished_at = now() where id = $1", job.id);
    await sql("update snapshots set state = 'failed', retention_days = 3 where id = $1", job.snapshotId);
    const count = async () => (await catalog.jobs.list({ clusterIds: [ORDERS] }, { pageNumber: 1, itemsPerPage: 1 })).totalCount;
    const before = await count();
    assert.equal((await commvault('POST', `/Job/${number}/action/Resubmit?startInSuspendedState=True`)).status, 403);
    assert.equal(await count(), before, 'none is made that would have to rest');
    const again = await commvault('POST', `/Job/${number}/action/Resubmit`);
    const repeated = (await catalog.jobs.byNumber(Number((again.json['jobIds'] as string[])[0])))!;
    assert.equal((await catalog.snapshots.get(repeated.snapshotId ?? ''))?.retentionDays, 10);
    await catalog.snapshots.complete(repeated.snapshotId ?? '', { ...OUTCOME, capturedAt: clock.now(), expiresAt: new Date(clock.now().getTime() + 10 * DAY_MS) });
    assert.equal((await commvault('POST', `/Subclient/${subclientId}`, { subClientProperties: { cloudDbContent: { children: [{ path: '/other' }] } } })).status, 200);
    assert.equal((await commvault('DELETE', `/Subclient/${subclientId}`)).status, 200);
    const kept = await catalog.snapshots.get(repeated.snapshotId ?? '');
    assert.deepEqual([kept?.deletedAt, kept?.selection], [null, { databases: ['shop'], collections: [] }]);
    const { taskDetail } = (await commvault('GET', '/Schedules')).json as { readonly taskDetail: readonly { readonly subTasks: readonly [{ readonly subTask: { readonly subTaskId: number } }] }[] };
    const subtaskId = taskDetail[0]?.subTasks[0].subTask.subTaskId;
    const removed = await commvault('POST', '/QCommand/qoperation%20execute', { TMMsg_TaskOperationReq: { opType: 3, subtaskEntity: [{ _type_: 68, subtaskId }] } });
    assert.equal(removed.status, 403, removed.text);
  });

  test('is not undone by the settings file', async () => {
    const report = await applyDeclared({ catalog: doors.catalog, clock }, declaration({ continuousBackup: false }));
    assert.equal(report.differs.filter((each) => each.includes('compliance policy')).length, 2);
    assert.equal((await doors.catalog.clusters.get(COPY))?.continuousBackup, true);
    const more = declaration().map((each) => ({ ...each, projects: [{ name: 'shop', id: SHOP, clusters: [{ name: 'later', uri: 'mongodb://127.0.0.1:3/', schedule: 'none' as const }] }] }));
    await applyDeclared({ catalog: doors.catalog, clock }, more);
    const later = (await doors.catalog.clusters.byName(SHOP, 'later'))!;
    assert.deepEqual([later.continuousBackup, (await doors.catalog.schedules.get(later.id))?.schedule.items.map(({ frequencyType }) => frequencyType)], [true, ['daily']]);
  });

  test('lets the retention job take what is over, and nothing before', async () => {
    const [short, newest] = [await takenSnapshot(10), await takenSnapshot(30)];
    const [endExpired] = createRetentionChores({ catalog: doors.catalog, repositories: () => Promise.resolve([]), clock, log: silent });
    clock.advance(10 * DAY_MS - 1);
    await endExpired!.run(AbortSignal.timeout(60_000));
    assert.equal((await doors.catalog.snapshots.get(short))?.deletedAt, null);
    clock.advance(1);
    await endExpired!.run(AbortSignal.timeout(60_000));
    assert.deepEqual([(await doors.catalog.snapshots.get(short))?.deletedAt, (await doors.catalog.snapshots.get(newest))?.deletedAt], [clock.now(), null]);
  });

  test('is not made weaker, and goes only after somebody on the machine released it', async () => {
    const { json } = await doors.atlas('GET', POLICY);
    for (const [weaker, code] of [
      [{ scheduledPolicyItems: [] }, 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID'], [{ onDemandPolicyItem: null }, 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID'],
      [{ pitEnabled: false }, 'CANNOT_DISABLE_PIT_WITH_BACKUUP_COMPLIANCE_POLICY'], [{ encryptionAtRestEnabled: false }, 'CANNOT_DISABLE_ENCRYPTION_AT_REST_WITH_BACKUP_COMPLIANCE_POLICY'],
      [{ restoreWindowDays: 1 }, 'CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY'],
    ] as const) await refused(doors.atlas('PUT', POLICY, { body: { ...json, ...weaker } }), code);
    await refused(doors.atlas('PUT', POLICY, { body: { ...json, deletable: true, scheduledPolicyItems: [] } }), 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID');
    await refused(doors.atlas('DELETE', POLICY), 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID');
    assert.equal(await doors.catalog.compliance.release(SHOP), true);
    assert.equal((await doors.atlas('GET', POLICY)).json['deletable'], true);
    assert.equal((await doors.atlas('DELETE', POLICY)).status, 204);
    assert.deepEqual((await doors.atlas('GET', POLICY)).json, {});
    const id = await takenSnapshot();
    assert.equal((await doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${id}`)).status, 204, 'and everything may be deleted again');
    assert.equal((await doors.atlas('DELETE', `/groups/${SHOP}/clusters/copy`)).status, 202);
  });

  test('counts for a declared cluster that comes back', async () => {
    assert.equal((await doors.atlas('PUT', POLICY, { body: ASKED })).status, 200);
    await doors.catalog.clusters.setBackupState(COPY, 'inactive');
    await doors.catalog.clusters.setNamespaceFilter(COPY, { kind: 'included', databases: ['shop'], collections: [] });
    await applyDeclared({ catalog: doors.catalog, clock }, declaration());
    const copy = await doors.catalog.clusters.get(COPY);
    assert.deepEqual([copy?.deletedAt, copy?.continuousBackup, (await doors.catalog.schedules.get(COPY))?.schedule.items.map(({ frequencyType }) => frequencyType)], [null, true, ['daily']]);
    assert.deepEqual([copy?.backupState, copy?.namespaceFilter], ['started', null], 'what its backups were before it was deleted is over');
    await doors.catalog.compliance.release(SHOP);
    assert.equal((await doors.atlas('DELETE', POLICY)).status, 204);
  });

  test('and a deletion at the same moment come one after the other', async () => {
    const id = await takenSnapshot();
    const { catalog } = doors;
    const held = Promise.withResolvers<undefined>();
    const mayEnd = Promise.withResolvers<undefined>();
    const making = catalog.transaction(async (tx) => {
      await tx.compliance.holdToChange(SHOP);
      held.resolve(undefined);
      await mayEnd.promise;
      await tx.compliance.save({ projectId: SHOP, authorizedEmail: 'legal@example.com', authorizedUserFirstName: null, authorizedUserLastName: null, copyProtectionEnabled: false, encryptionAtRestEnabled: false, pitEnabled: false, restoreWindowDays: 0, onDemandItem: null, scheduledItems: [] }, 'test');
    });
    await held.promise;
    const deleting = doors.atlas('DELETE', `${CLUSTER}/backup/snapshots/${id}`);
    mayEnd.resolve(undefined);
    await making;
    assert.equal((await deleting).status, 400, 'it waited, and saw the policy');
    assert.equal((await catalog.snapshots.get(id))?.deletedAt, null);
  });
});

/** Whole, taken by its schedule. */
async function scheduledSnapshot(item: KeptItem): Promise<string> {
  const id = newId();
  await doors.catalog.transaction(async (tx) => {
    const job = await tx.jobs.insert({ id: newId(), kind: 'snapshot', projectId: SHOP, clusterId: ORDERS, snapshotId: id, restoreId: null, payload: {}, requestedBy: 'test', exclusiveKey: null });
    const expiresAt = new Date(clock.now().getTime() + item.retentionValue * DAY_MS);
    await tx.snapshots.insert({ id, projectId: SHOP, clusterId: ORDERS, clusterName: 'orders', type: 'scheduled', description: null, retentionDays: item.retentionValue, selection: null, expiresAt, jobId: job.id, policyItems: [item] });
    await tx.snapshots.complete(id, { ...OUTCOME, capturedAt: clock.now(), expiresAt });
  });
  return id;
}
