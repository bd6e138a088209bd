// What a state of backups starts and stops, and what a filter of namespaces changes, on a real catalog and through the real doors.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createScheduleChores, openPostgresQueue, type JobQueue } from '../../src/jobs/index.ts';
import { createHosts } from '../../src/services/hosts.ts';
import { OUTCOME } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { COPY, openRealDoors, ORDERS, ORG, SHOP, type DoorAnswer, type RealDoors } from '../support/real-doors.ts';

const CONFIG = `/groups/${SHOP}/backupConfigs/${ORDERS}`;
const CLUSTER = `/groups/${SHOP}/clusters/${ORDERS}`;
const HOUR_MS = 3_600_000;

let database: TestDatabase;
let clock: FakeClock;
let doors: RealDoors;
const probed: string[] = [];
let queue: JobQueue & { close(): Promise<void> };

before(async () => {
  database = await startEmbedded();
  clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
  doors = await openRealDoors(database, clock, {
    probe: (uri) => { probed.push(uri); return Promise.resolve({ topology: 'replicaSet', replicaSetName: 'rs0', version: '6.0.5', members: [{ host: 'db1.example:27017', state: 'PRIMARY' }, { host: 'db2.example:27018', state: 'SECONDARY' }] }); },
  });
  queue = await openPostgresQueue({ catalog: doors.catalog, log: silent });
});
after(async () => {
  await queue?.close();
  await doors?.close();
  await database?.stop();
});

const patch = (body: unknown): Promise<DoorAnswer> => doors.opsManager('PATCH', CONFIG, body);
const stateOf = async (): Promise<unknown> => (await doors.opsManager('GET', CONFIG)).json['statusName'];
const followed = async (): Promise<string[]> => (await doors.catalog.tailers.free([])).map(({ id }) => id);

async function refused(answer: Promise<DoorAnswer>, status: number, errorCode: string): Promise<void> {
  const { status: told, json, text } = await answer;
  assert.deepEqual([told, json['errorCode']], [status, errorCode], text);
}

/** As a worker does every few seconds. @returns how many snapshots the schedule has asked for so far */
async function followSchedules(): Promise<number> {
  const [follow] = createScheduleChores({ catalog: doors.catalog, queue, clock, log: silent, catchUp: 'once' });
  await follow?.run(new AbortController().signal);
  const { items } = await doors.catalog.snapshots.list(ORDERS, { pageNumber: 1, itemsPerPage: 500 });
  return items.filter(({ type }) => type === 'scheduled').length;
}

describe('a backup configuration', () => {
  test('is inactive where nothing would be taken, and cannot be stopped or ended then', async () => {
    const { json } = await doors.opsManager('GET', CONFIG);
    assert.deepEqual([json['statusName'], json['provisioned'], json['excludedNamespaces'], json['authMechanismName'], json['sslEnabled']], ['INACTIVE', false, [], 'MONGODB_CR', false]);
    await refused(patch({ statusName: 'STOPPED' }), 409, 'CANNOT_STOP_BACKUP_INVALID_STATE');
    await refused(patch({ statusName: 'TERMINATING' }), 409, 'CANNOT_TERMINATE_BACKUP_INVALID_STATE');
    assert.deepEqual(await followed(), []);
    const orders = `/groups/${SHOP}/clusters/orders`;
    for (const [method, body] of [['GET', undefined], ['PATCH', { backupEnabled: false }]] as const) {
      assert.equal((await doors.atlas(method, orders, { body, version: '2024-08-05' })).json['backupEnabled'], false, 'Atlas says so, and takes what holds already');
    }
    const [group] = (await doors.atlas('GET', '/clusters')).json['results'] as [{ readonly clusters: readonly { readonly backupEnabled: boolean }[] }];
    assert.ok(group.clusters.every(({ backupEnabled }) => !backupEnabled));
  });

  test('of one that is started has a schedule, and its oplog is followed', async () => {
    const started = await patch({ groupId: SHOP, clusterId: ORDERS, statusName: 'STARTED' });
    assert.deepEqual([started.status, started.json['statusName'], started.json['provisioned']], [200, 'STARTED', true], started.text);
    assert.deepEqual(await followed(), [ORDERS]);
    assert.equal((await doors.opsManager('GET', `${CONFIG}/snapshotSchedule`)).json['snapshotIntervalHours'], 6);
    clock.advance(7 * HOUR_MS);
    assert.equal(await followSchedules(), 1);
    await refused(patch({ statusName: 'STARTED' }), 409, 'CANNOT_START_BACKUP_INVALID_STATE');
    await refused(doors.atlas('PATCH', `/groups/${SHOP}/clusters/orders`, { body: { backupEnabled: false }, version: '2024-08-05' }), 400, 'UNSUPPORTED_CLUSTER_SETTING');
  });

  test('that is stopped takes nothing, follows nothing and makes up for nothing', async () => {
    assert.equal((await patch({ statusName: 'STOPPED' })).json['statusName'], 'STOPPED');
    assert.deepEqual(await followed(), []);
    clock.advance(48 * HOUR_MS);
    assert.equal(await followSchedules(), 1, 'as many as before');
    const atlas = await doors.atlas('GET', `/groups/${SHOP}/clusters/orders`);
    assert.equal(atlas.json['backupEnabled'], false);
    assert.equal((await doors.atlas('GET', `/groups/${SHOP}/clusters/orders/backup/schedule`)).json['nextSnapshot'], undefined);
    assert.equal((await doors.atlas('PATCH', `/groups/${SHOP}/clusters/orders`, { body: { backupEnabled: true }, version: '2024-08-05' })).json['backupEnabled'], true, 'Atlas\'s clients see it, and start it again');
    assert.equal(await stateOf(), 'STARTED');
    assert.equal(await followSchedules(), 1, 'what was due meanwhile is owed by nobody');
    clock.advance(7 * HOUR_MS);
    assert.equal(await followSchedules(), 1, 'the one before still waits for its job and takes this due time, too');
    assert.deepEqual(await followed(), [ORDERS]);
  });

  test('that is ended loses every snapshot, and can be started anew', async () => {
    const made = await doors.opsManager('POST', `${CLUSTER}/snapshots/onDemandSnapshot?retentionDays=3`);
    assert.equal(made.status, 200, made.text);
    await doors.catalog.snapshots.complete(String(made.json['id']), { ...OUTCOME, capturedAt: clock.now(), expiresAt: new Date(clock.now().getTime() + 72 * HOUR_MS) });
    await refused(patch({ statusName: 'TERMINATING' }), 409, 'CANNOT_TERMINATE_BACKUP_INVALID_STATE');
    await patch({ statusName: 'STOPPED' });
    assert.equal((await doors.opsManager('GET', `${CLUSTER}/snapshots?completed=all`)).json['totalCount'], 2);
    assert.equal((await patch({ statusName: 'TERMINATING' })).json['statusName'], 'INACTIVE');
    assert.equal((await doors.opsManager('GET', `${CLUSTER}/snapshots?completed=all`)).json['totalCount'], 0);
    assert.equal(await stateOf(), 'INACTIVE');
    assert.equal((await patch({ statusName: 'STARTED' })).json['statusName'], 'STARTED');
  });

  test('of a cluster that got a schedule first is followed once somebody starts it', async () => {
    const config = `/groups/${SHOP}/backupConfigs/${COPY}`;
    const state = async (statusName: string): Promise<unknown> => (await doors.opsManager('PATCH', config, { statusName })).json['statusName'];
    const scheduled = await doors.opsManager('PATCH', `${config}/snapshotSchedule`, {
      // As mongocli sends `schedule update --snapshotIntervalHours 12`.
      clusterId: COPY, groupId: SHOP, snapshotIntervalHours: 12, dailySnapshotRetentionDays: 0, weeklySnapshotRetentionWeeks: 0, monthlySnapshotRetentionMonths: 0, pointInTimeWindowHours: 0, referenceHourOfDay: 0, referenceMinuteOfHour: 0,
    });
    assert.deepEqual([scheduled.status, scheduled.json['snapshotIntervalHours'], scheduled.json['snapshotRetentionDays']], [200, 12, 7], scheduled.text);
    assert.equal((await doors.opsManager('GET', config)).json['statusName'], 'STARTED', 'its schedule is followed');
    assert.deepEqual((await followed()).includes(COPY), false);
    assert.deepEqual([await state('STOPPED'), await state('STARTED')], ['STOPPED', 'STARTED']);
    assert.equal((await followed()).includes(COPY), true);
    assert.equal((await doors.opsManager('GET', `${config}/snapshotSchedule`)).json['snapshotIntervalHours'], 12, 'its schedule is the same');
    await doors.catalog.clusters.setContinuousBackup(COPY, false);
    const emptied = await doors.atlas('DELETE', `/groups/${SHOP}/clusters/copy/backup/schedule`);
    assert.ok(emptied.status < 300, emptied.text);
  });

  test('goes on with an end that broke off', async () => {
    await doors.catalog.clusters.setBackupState(ORDERS, 'terminating');
    assert.equal(await stateOf(), 'TERMINATING');
    const orders = `/groups/${SHOP}/clusters/orders`;
    await refused(doors.atlas('PATCH', orders, { body: { backupEnabled: true, tags: [{ key: 'a', value: 'b' }] }, version: '2024-08-05' }), 409, 'CANNOT_START_BACKUP_INVALID_STATE');
    assert.deepEqual((await doors.atlas('GET', orders, { version: '2024-08-05' })).json['tags'], [], 'nothing of what was refused is done');
    assert.deepEqual(await followed(), []);
    assert.equal((await patch({ statusName: 'TERMINATING' })).json['statusName'], 'INACTIVE');
    await patch({ statusName: 'STARTED' });
  });

  test('writes its filter into each snapshot that is asked for behind it', async () => {
    const filterOf = async (id: unknown): Promise<unknown> => (await doors.opsManager('GET', `${CLUSTER}/snapshots/${String(id)}`)).json['namespaceFilterList'];
    const onDemand = async (): Promise<unknown> => (await doors.opsManager('POST', `${CLUSTER}/snapshots/onDemandSnapshot?retentionDays=1`)).json['id'];
    const before = await onDemand();
    assert.deepEqual((await patch({ excludedNamespaces: ['logs', 'shop.carts'] })).json['excludedNamespaces'], ['logs', 'shop.carts']);
    const excluded = await onDemand();
    const { json } = await patch({ includedNamespaces: ['shop'] });
    assert.deepEqual([json['includedNamespaces'], json['excludedNamespaces']], [['shop'], undefined]);
    const included = await onDemand();
    assert.deepEqual(await Promise.all([before, excluded, included].map(filterOf)), [
      { filterList: [], filterType: 'blacklist' }, { filterList: ['logs', 'shop.carts'], filterType: 'blacklist' }, { filterList: ['shop'], filterType: 'whitelist' },
    ]);
    assert.deepEqual(await followed(), [], 'slices of the oplog are kept whole, so none is');
    clock.advance(7 * HOUR_MS);
    await followSchedules();
    const { items } = await doors.catalog.snapshots.list(ORDERS, { pageNumber: 1, itemsPerPage: 500 });
    assert.deepEqual(items.find(({ type }) => type === 'scheduled')?.selection, { databases: ['shop'], collections: [] });
    assert.deepEqual((await patch({ excludedNamespaces: [] })).json['includedNamespaces'], ['shop'], 'an empty list takes its own kind away, and no other');
    assert.deepEqual((await patch({ includedNamespaces: [] })).json['excludedNamespaces'], []);
    assert.deepEqual(await followed(), [ORDERS]);
  });

  test('refuses what it does not have', async () => {
    for (const [body, status, code] of [
      [{ statusName: 'PROVISIONING' }, 403, 'UNSUPPORTED_SET_BACKUP_STATE'],
      [{ statusName: 'INACTIVE' }, 403, 'UNSUPPORTED_SET_BACKUP_STATE'],
      [{ statusName: 'ON' }, 400, 'INVALID_ENUM_VALUE'],
      [{ includedNamespaces: ['a'], excludedNamespaces: ['b'] }, 400, 'INVALID_FILTERLIST'],
      [{ includedNamespaces: ['a.*'] }, 400, 'INVALID_FILTERLIST'],
      [{ excludedNamespaces: ['a$b'] }, 400, 'INVALID_FILTERLIST'],
      [{ authMechanismName: 'KERBEROS' }, 400, 'INVALID_AUTH_MECHANISM'],
      [{ authMechanismName: 'PLAIN' }, 403, 'UNSUPPORTED_FOR_CURRENT_CONFIG'],
      [{ username: 'u', password: 'p' }, 403, 'UNSUPPORTED_FOR_CURRENT_CONFIG'],
      [{ sslEnabled: true }, 403, 'UNSUPPORTED_FOR_CURRENT_CONFIG'],
      [{ syncSource: 'PRIMARY' }, 403, 'UNSUPPORTED_FOR_CURRENT_CONFIG'],
      [{ groupId: ORG }, 400, 'GROUP_MISMATCH'],
      [{ clusterId: COPY }, 400, 'INVALID_ATTRIBUTE'],
      [{ status: 'STARTED' }, 400, 'INVALID_ATTRIBUTE'],
    ] as const) await refused(patch(body), status, code);
    assert.equal((await patch({ authMechanismName: 'MONGODB_CR', sslEnabled: false, syncSource: 'SECONDARY', storageEngineName: 'WIRED_TIGER' })).status, 200, 'what it is already changes nothing');
    assert.equal((await patch((await doors.opsManager('GET', CONFIG)).json)).json['errorCode'], 'CANNOT_START_BACKUP_INVALID_STATE');
    await refused(doors.opsManager('GET', `/groups/${SHOP}/backupConfigs/${ORG}`), 404, 'CLUSTER_NOT_FOUND');
    await refused(doors.opsManager('POST', `${CLUSTER}/snapshots/onDemandSnapshot`), 400, 'MISSING_QUERY_PARAMETER');
    await refused(doors.opsManager('POST', `${CLUSTER}/snapshots/onDemandSnapshot?retentionDays=0`), 400, 'INVALID_QUERY_PARAMETER');
  });

  test('is refused a filter with what is wrong about it, and what to do', async () => {
    const words = async (body: unknown): Promise<string> => {
      const { status, json } = await patch(body);
      assert.deepEqual([status, json['errorCode']], [400, 'INVALID_FILTERLIST']);
      return String(json['detail']);
    };
    assert.equal(await words({ includedNamespaces: ['a'], excludedNamespaces: ['b'] }), 'Backup configuration cannot specify both included namespaces and excluded namespaces. Send one list, and the other one empty or not at all.');
    assert.equal(await words({ includedNamespaces: ['shop', 'a.*'] }), 'The namespace a.* is a pattern, which is not supported. Name each database or collection in full.');
    assert.equal(await words({ excludedNamespaces: ['shop', 'a$b'] }), 'The namespace a$b is no name of a database or collection. Give it as database or database.collection.');
  });

  test('takes back whatever mechanism it tells', async () => {
    for (const [login, told] of [['', 'NONE'], ['u:p@', 'MONGODB_CR'], ['u:p@|PLAIN', 'PLAIN'], ['u@|GSSAPI', 'GSSAPI'], ['|MONGODB-X509', 'MONGODB_X509'], ['|MONGODB-AWS', 'MONGODB_AWS'], ['|MONGODB-OIDC', 'MONGODB_OIDC']] as const) {
      const [user, mechanism] = login.split('|');
      await doors.catalog.clusters.setUri(ORDERS, `mongodb://${user}127.0.0.1:1/?replicaSet=rs0${mechanism === undefined ? '' : `&authMechanism=${mechanism}`}`, ['127.0.0.1:1']);
      const { json } = await doors.opsManager('GET', CONFIG);
      assert.equal(json['authMechanismName'], told);
      const { status, text } = await patch({ authMechanismName: told });
      assert.equal(status, 200, text);
      await refused(patch({ authMechanismName: told === 'PLAIN' ? 'GSSAPI' : 'PLAIN' }), 403, 'UNSUPPORTED_FOR_CURRENT_CONFIG');
    }
    await refused(patch({ authMechanismName: 'MONGODB_AWS' }), 400, 'INVALID_AUTH_MECHANISM');
  });

  test('leaves an event that tells the name of the cluster, whatever its path has', async () => {
    assert.equal((await patch({ excludedNamespaces: [] })).status, 200);
    assert.equal((await doors.opsManager('PATCH', `${CONFIG}/snapshotSchedule`, { referenceHourOfDay: 3 })).status, 200);
    assert.equal((await doors.opsManager('POST', `${CLUSTER}/snapshots/onDemandSnapshot?retentionDays=1`)).status, 200);
    const listed = (await doors.atlas('GET', `/groups/${SHOP}/events?itemsPerPage=3`)).json['results'] as Record<string, unknown>[];
    assert.deepEqual(listed.map(({ clusterName }) => clusterName), ['orders', 'orders', 'orders'], JSON.stringify(listed));
    const { json } = await doors.atlas('GET', `/groups/${SHOP}/events/${String(listed[0]?.['id'])}`);
    assert.deepEqual(json, listed[0]);
  });

  test('is listed for every cluster of the group', async () => {
    const { json } = await doors.opsManager('GET', `/groups/${SHOP}/backupConfigs?itemsPerPage=100&pageNum=1`);
    assert.deepEqual((json['results'] as { readonly statusName: string }[]).map(({ statusName }) => statusName), ['INACTIVE', 'STARTED']);
  });

  test('is neither stopped nor filtered under a compliance policy, which starts what is stopped', async () => {
    await patch({ statusName: 'STOPPED', excludedNamespaces: ['logs'] });
    const policy = `/groups/${SHOP}/backupCompliancePolicy`;
    const body = { authorizedEmail: 'legal@example.com', authorizedUserFirstName: 'Lee', authorizedUserLastName: 'Gal', copyProtectionEnabled: false, encryptionAtRestEnabled: false, pitEnabled: false, restoreWindowDays: 0, scheduledPolicyItems: [] };
    const unmet = await doors.atlas('PUT', `${policy}?overwriteBackupPolicies=false`, { body });
    assert.equal(unmet.json['errorCode'], 'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS', unmet.text);
    assert.equal((await doors.atlas('PUT', policy, { body })).status, 200);
    const { json } = await doors.opsManager('GET', CONFIG);
    assert.deepEqual([json['statusName'], json['excludedNamespaces']], ['STARTED', []]);
    await refused(patch({ statusName: 'STOPPED' }), 400, 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID');
    await refused(patch({ excludedNamespaces: ['logs'] }), 400, 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID');
  });
});

describe('hosts of Ops Manager', () => {
  const HOSTS = `/groups/${SHOP}/hosts`;

  test('are the members of the cluster as they answer, each with an id that stays', async () => {
    const { json } = await doors.opsManager('GET', `${HOSTS}?clusterId=${ORDERS}&itemsPerPage=100&pageNum=1`);
    const [first, second] = json['results'] as Record<string, unknown>[];
    assert.deepEqual([first, second].map((each) => [each?.['hostname'], each?.['port'], each?.['typeName'], each?.['replicaSetName'], each?.['version']]), [['db1.example', 27_017, 'REPLICA_PRIMARY', 'rs0', '6.0.5'], ['db2.example', 27_018, 'REPLICA_SECONDARY', 'rs0', '6.0.5']]);
    assert.deepEqual((await doors.opsManager('GET', `${HOSTS}/${String(second?.['id'])}`)).json, second);
    assert.deepEqual((await doors.opsManager('GET', `${HOSTS}/byName/db1.example:27017`)).json['hostname'], 'db1.example');
    assert.equal((await doors.opsManager('GET', HOSTS)).json['totalCount'], 4, 'of both clusters');
    for (const [method, path] of [['GET', 'snapshots'], ['GET', `snapshots/${ORG}`], ['POST', 'restoreJobs'], ['GET', `restoreJobs/${ORG}`]] as const) {
      await refused(doors.opsManager(method, `${HOSTS}/${String(first?.['id'])}/${path}`, method === 'POST' ? {} : undefined), 404, 'NOT_CONFIG_SERVER');
    }
  });

  test('are looked for in the cluster that names them before any other is asked', async () => {
    const { catalog } = doors;
    const asked: string[] = [];
    const hosts = createHosts({ catalog, clock, probe: (uri) => { asked.push(uri); return Promise.reject(new Error('away')); } });
    const [orders, copy] = [await catalog.clusters.get(ORDERS), await catalog.clusters.get(COPY)];
    assert.deepEqual(hosts.known(orders!), await hosts.ofCluster(orders!), 'under the ids that they have when nobody answers');
    assert.equal(asked.length, 1);
    assert.ok(hosts.known(copy!).every(({ state }) => state === 'UNKNOWN'));
    assert.equal(asked.length, 1, 'and nobody is asked for that');
    probed.length = 0;
    const { id, hostname } = hosts.known(copy!)[0]!;
    assert.equal((await doors.opsManager('GET', `${HOSTS}/${id}`)).json['hostname'] ?? hostname, hostname);
    assert.equal(probed[0], await catalog.clusters.uriOf(COPY));
  });

  test('are not found by another id or name', async () => {
    for (const path of [ORG, 'xyz', 'byName/db9.example:27017', `${ORG}/snapshots`]) await refused(doors.opsManager('GET', `${HOSTS}/${path}`), 404, 'HOST_NOT_FOUND');
    await refused(doors.opsManager('GET', `${HOSTS}?clusterId=xyz`), 404, 'INVALID_CLUSTER_ID');
  });

  test('make up what clients read of an automation configuration', async () => {
    const { json } = await doors.opsManager('GET', `/groups/${SHOP}/automationConfig`);
    assert.deepEqual((json['replicaSets'] as { readonly _id: string; readonly members: readonly { readonly host: string }[] }[])[0]?.members.map(({ host }) => host), ['db1.example:27017', 'db2.example:27018']);
    assert.deepEqual([(json['processes'] as unknown[]).length, json['sharding']], [4, []]);
  });
});

describe('organizations, clusters and API keys of Ops Manager', () => {
  test('are those of Atlas', async () => {
    assert.equal((await doors.opsManager('GET', '/orgs')).json['totalCount'], 1);
    assert.equal((await doors.opsManager('GET', `/orgs/${ORG}`)).json['name'], 'Example');
    await doors.catalog.clusters.setUri(ORDERS, 'mongodb://u:p@127.0.0.1:1/?replicaSet=rs0&tls=true', ['127.0.0.1:1']);
    await doors.catalog.clusters.setUri(COPY, 'mongodb://127.0.0.1:1/?replicaSet=rs0', ['127.0.0.1:1']);
    const [group] = (await doors.opsManager('GET', '/clusters')).json['results'] as { readonly groupName: string; readonly clusters: readonly { readonly authEnabled: boolean; readonly sslEnabled: boolean; readonly name: string }[] }[];
    assert.deepEqual([group?.groupName, group?.clusters.map(({ name }) => name)], ['shop', ['copy', 'orders']]);
    assert.deepEqual(group?.clusters.map(({ authEnabled, sslEnabled }) => [authEnabled, sslEnabled]), [[false, false], [true, true]], 'as Leafvault connects');
  });

  test('are made, changed, bound to addresses and deleted', async () => {
    const made = await doors.opsManager('POST', `/orgs/${ORG}/apiKeys`, { desc: 'nightly', roles: ['ORG_MEMBER'] });
    assert.match(String(made.json['privateKey']), /^[0-9a-f-]{36}$/, made.text);
    const key = `/orgs/${ORG}/apiKeys/${String(made.json['id'])}`;
    assert.equal((await doors.opsManager('GET', key)).json['privateKey'], '********-****-****-************');
    assert.equal((await doors.opsManager('PATCH', key, { desc: 'weekly' })).json['desc'], 'weekly');
    assert.equal((await doors.opsManager('POST', `${key}/accessList`, [{ cidrBlock: '203.0.113.0/24' }])).json['totalCount'], 1);
    assert.equal((await doors.opsManager('GET', `${key}/accessList/203.0.113.0%2F24`)).json['cidrBlock'], '203.0.113.0/24');
    await refused(doors.opsManager('POST', `${key}/accessList`, [{ ipAddress: 'here' }]), 400, 'INVALID_IP_ADDRESS_OR_CIDR_NOTATION');
    assert.equal((await doors.opsManager('DELETE', `${key}/accessList/203.0.113.0%2F24`)).status, 204);
    assert.equal((await doors.opsManager('DELETE', key)).status, 204);
    await refused(doors.opsManager('GET', key), 404, 'API_KEY_NOT_FOUND');
  });
});

describe('the schedule of Ops Manager', () => {
  const schedule = `${CONFIG}/snapshotSchedule`;
  const change = (body: unknown): Promise<DoorAnswer> => doors.opsManager('PATCH', schedule, body);

  test('refuses each number with the code of that number', async () => {
    for (const [body, code] of [
      [{ snapshotIntervalHours: 7 }, 'INVALID_SNAPSHOT_INTERVAL'],
      [{ snapshotRetentionDays: 99_999 }, 'INVALID_SNAPSHOT_RETENTION_PERIOD'],
      [{ pointInTimeWindowHours: 9_000_000 }, 'CANNOT_SET_POINT_IN_TIME_WINDOW'],
      [{ snapshotRetentionDays: -1 }, 'ATTRIBUTE_NEGATIVE'],
      [{ dailySnapshotRetentionDays: 1 }, 'INVALID_DAILY_SNAPSHOT_RETENTION_PERIOD'],
      [{ weeklySnapshotRetentionWeeks: 99_999 }, 'INVALID_WEEKLY_SNAPSHOT_RETENTION_PERIOD'],
      [{ monthlySnapshotRetentionMonths: 99_999 }, 'INVALID_MONTHLY_SNAPSHOT_RETENTION_PERIOD'],
      [{ referenceHourOfDay: 24 }, 'INVALID_REFERENCE_HOUR_OF_DAY'],
      [{ referenceMinuteOfHour: 60 }, 'INVALID_REFERENCE_MINUTE_OF_HOUR'],
      [{ referenceTimeZoneOffset: '+0100' }, 'INVALID_REFERENCE_TIMEZONE_OFFSET'],
      [{ clusterCheckpointIntervalMin: 17 }, 'INVALID_CLUSTER_CHECKPOINT_INTERVAL'],
      [{ clusterCheckpointIntervalMin: 15 }, 'CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET'],
      [{ groupId: ORG }, 'GROUP_MISMATCH'],
    ] as const) await refused(change(body), 400, code);
  });

  test('shows what Atlas changes, and keeps what only Atlas can say', async () => {
    const path = `/groups/${SHOP}/clusters/orders/backup/schedule`;
    const { json } = await doors.atlas('GET', path);
    const [policy] = json['policies'] as [{ readonly id: string; readonly policyItems: readonly { readonly frequencyType: string }[] }];
    const yearly = policy.policyItems.find(({ frequencyType }) => frequencyType === 'yearly');
    assert.notEqual(yearly, undefined);
    await doors.atlas('PATCH', path, { body: { referenceHourOfDay: 3, referenceMinuteOfHour: 15 } });
    const shown = (await doors.opsManager('GET', schedule)).json;
    assert.deepEqual([shown['referenceHourOfDay'], shown['referenceMinuteOfHour']], [3, 15]);
    assert.equal((await change({ snapshotIntervalHours: 12, snapshotRetentionDays: 5 })).status, 200);
    const [after] = (await doors.atlas('GET', path)).json['policies'] as [{ readonly policyItems: readonly { readonly frequencyType: string; readonly frequencyInterval: number; readonly retentionValue: number }[] }];
    assert.deepEqual(after.policyItems.filter(({ frequencyType }) => frequencyType === 'hourly').map(({ frequencyInterval, retentionValue }) => [frequencyInterval, retentionValue]), [[12, 5]]);
    assert.deepEqual(after.policyItems.find(({ frequencyType }) => frequencyType === 'yearly'), yearly);
  });
});
