// Export buckets and jobs at the doors of Atlas, over real services; buckets are maps in memory.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LeafvaultError } from '../../../../src/foundation/errors.ts';
import { OUTCOME } from '../../../support/catalog-rows.ts';
import { checkAgainst } from '../../../support/check-schema.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { startEmbedded, type TestDatabase } from '../../../support/postgres.ts';
import { openRealDoors, ORDERS, ORG, SHOP, type RealDoors } from '../../../support/real-doors.ts';

const ROLE = '5f00000000000000000000ee';
const BUCKETS = `/groups/${SHOP}/backup/exportBuckets`;
const CLUSTER = `/groups/${SHOP}/clusters/orders`;
const BUCKET = { bucketName: 'acme-exports', cloudProvider: 'AWS', iamRoleId: ROLE };

let database: TestDatabase;
let doors: RealDoors;
const written: string[] = [];

before(async () => {
  database = await startEmbedded();
  doors = await openRealDoors(database, fakeClock(new Date('2026-03-01T12:00:00Z')), {
    openBucket: ({ bucketName, iamRoleId }) => {
      if (bucketName === 'closed') throw new LeafvaultError('EXPORT_TARGET_FORBIDDEN', 'the target is kept for other projects');
      return { address: bucketName, region: iamRoleId === ROLE ? 'eu-central-1' : null, isDeclared: true, put: async (key) => void written.push(`${bucketName}/${key}`), has: async () => false, close: () => Promise.resolve() };
    },
  });
});
after(async () => {
  await doors?.close();
  await database?.stop();
});

async function bucket(name = 'acme-exports'): Promise<string> {
  const made = await doors.atlas('POST', BUCKETS, { body: { ...BUCKET, bucketName: name } });
  assert.equal(made.status, 200, made.text);
  return String(made.json['_id']);
}

async function snapshot(): Promise<string> {
  const id = String((await doors.atlas('POST', `${CLUSTER}/backup/snapshots`, { body: {} })).json['id']);
  await doors.catalog.snapshots.complete(id, OUTCOME);
  return id;
}

describe('export buckets', () => {
  for (const version of ['2023-01-01', '2024-05-30']) {
    test(`are made, read, listed and deleted in the form of ${version}`, async () => {
      written.length = 0;
      const made = await doors.atlas('POST', BUCKETS, { body: BUCKET, version });
      assert.equal(made.status, 200, made.text);
      assert.deepEqual(written, ['acme-exports/exported_snapshots/.permissioncheck'], 'it was written to');
      assert.deepEqual(checkAgainst('createGroupBackupExportBucket', version, made.json), []);
      const read = await doors.atlas('GET', `${BUCKETS}/${String(made.json['_id'])}`, { version });
      assert.deepEqual(checkAgainst('getGroupBackupExportBucket', version, read.json), []);
      assert.deepEqual(read.json, { _id: made.json['_id'], ...BUCKET, region: 'eu-central-1', requirePrivateNetworking: false });
      const listed = await doors.atlas('GET', BUCKETS, { version });
      assert.deepEqual(checkAgainst('listGroupBackupExportBuckets', version, listed.json), []);
      assert.equal(listed.json['totalCount'], 1);
      assert.deepEqual([(await doors.atlas('DELETE', `${BUCKETS}/${String(made.json['_id'])}`)).status, (await doors.atlas('GET', `${BUCKETS}/${String(made.json['_id'])}`)).json['errorCode']], [204, 'EXPORT_BUCKET_NOT_FOUND']);
    });
  }

  for (const [what, body, errorCode] of [
    ['a name that no bucket can have', { ...BUCKET, bucketName: '../etc' }, 'EXPORT_BUCKET_NAME_INVALID'],
    ['a place that cannot be written to', { ...BUCKET, bucketName: 'closed' }, 'EXPORT_BUCKET_UNREACHABLE'],
    ['storage of another provider', { ...BUCKET, cloudProvider: 'AZURE' }, 'UNSUPPORTED_FEATURE'],
    ['private networking', { ...BUCKET, requirePrivateNetworking: true }, 'UNSUPPORTED_FEATURE'],
    ['no role', { bucketName: 'acme-exports', cloudProvider: 'AWS' }, 'MISSING_ATTRIBUTE'],
  ] as const) {
    test(`are refused with ${what}`, async () => {
      const { status, json } = await doors.atlas('POST', BUCKETS, { body });
      assert.deepEqual([status, json['errorCode']], [400, errorCode]);
    });
  }

  test('change in nothing that can be', async () => {
    const id = await bucket();
    const changed = await doors.atlas('PATCH', `${BUCKETS}/${id}`, { body: { requirePrivateNetworking: false } });
    assert.deepEqual(checkAgainst('updateGroupBackupExportBucket', '2024-05-30', changed.json), []);
    assert.equal((await doors.atlas('PATCH', `${BUCKETS}/${id}`, { body: { requirePrivateNetworking: true } })).json['errorCode'], 'UNSUPPORTED_FEATURE');
  });
});

describe('export jobs', () => {
  test('are there at once, with the prefix of the vendor, and are read until their end', async () => {
    const [bucketId, snapshotId] = [await bucket(), await snapshot()];
    const customData = [{ key: 'exported by', value: 'Lee' }];
    const made = await doors.atlas('POST', `${CLUSTER}/backup/exports`, { body: { snapshotId, exportBucketId: bucketId, customData } });
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(checkAgainst('createGroupClusterBackupExport', '2023-01-01', made.json), []);
    assert.deepEqual([made.json['state'], made.json['prefix'], made.json['customData'], made.json['exportStatus'], made.json['finishedAt']], ['Queued', `exported_snapshots/${ORG}/${SHOP}/orders/2026-03-01T1200/1772366400`, customData, { exportedCollections: 0, totalCollections: 0 }, undefined]);
    const path = `${CLUSTER}/backup/exports/${String(made.json['id'])}`;
    const listed = await doors.atlas('GET', `${CLUSTER}/backup/exports`);
    assert.deepEqual(checkAgainst('listGroupClusterBackupExports', '2023-01-01', listed.json), []);
    assert.deepEqual((await doors.bearer('GET', `/api/atlas/v1.0${path}`)).json, made.json);
    await refuse(doors.atlas('DELETE', `${BUCKETS}/${bucketId}`), 400, 'EXPORT_BUCKET_DELETE_FAILED');
    const row = await doors.catalog.exports.get(String(made.json['id']));
    await doors.catalog.transaction((tx) => tx.executeSql("update jobs set state = 'failed', error_code = 'STORAGE_DENIED', error_message = 'no', finished_at = $2 where id = $1", [row?.jobId, '2026-03-01T12:05:00Z']));
    const failed = await doors.atlas('GET', path);
    assert.deepEqual(checkAgainst('getGroupClusterBackupExport', '2023-01-01', failed.json), []);
    assert.deepEqual([failed.json['state'], failed.json['stateReason'], failed.json['finishedAt']], ['Failed', { errorCode: 'STORAGE_DENIED', message: 'no' }, '2026-03-01T12:05:00Z']);
    assert.equal((await doors.atlas('DELETE', `${BUCKETS}/${bucketId}`)).status, 204, 'it is over');
    assert.equal((await doors.atlas('GET', path)).json['exportBucketId'], bucketId, 'and still names its bucket');
  });

  test('never share a prefix', async () => {
    const [bucketId, snapshotId] = [await bucket(), await snapshot()];
    const prefixes: unknown[] = [];
    for (let n = 0; n < 3; n += 1) prefixes.push((await doors.atlas('POST', `${CLUSTER}/backup/exports`, { body: { snapshotId, exportBucketId: bucketId } })).json['prefix']);
    assert.equal(new Set(prefixes).size, 3, prefixes.join(' '));
  });

  test('take the names of organization and project where the schedule says so', async () => {
    assert.equal((await doors.atlas('PATCH', `${CLUSTER}/backup/schedule`, { body: { useOrgAndGroupNamesInExportPrefix: true } })).status, 200);
    const made = await doors.atlas('POST', `${CLUSTER}/backup/exports`, { body: { snapshotId: await snapshot(), exportBucketId: await bucket() } });
    assert.match(String(made.json['prefix']), /^exported_snapshots\/Example\/shop\/orders\//);
    await doors.atlas('PATCH', `${CLUSTER}/backup/schedule`, { body: { useOrgAndGroupNamesInExportPrefix: false } });
  });

  test('are cancelled by our own API', async () => {
    const made = await doors.atlas('POST', `${CLUSTER}/backup/exports`, { body: { snapshotId: await snapshot(), exportBucketId: await bucket() } });
    const own = `/api/leafvault/v1/groups/${SHOP}/clusters/${ORDERS}/exports/${String(made.json['id'])}`;
    assert.deepEqual([(await doors.bearer('DELETE', own)).status, (await doors.bearer('DELETE', own)).json['code']], [204, 'JOB_NOT_CANCELLABLE']);
    assert.equal((await doors.atlas('GET', `${CLUSTER}/backup/exports/${String(made.json['id'])}`)).json['state'], 'Cancelled');
  });

  test('are refused without a whole snapshot or a bucket', async () => {
    const [bucketId, nobody] = [await bucket(), '0'.repeat(24)];
    const queued = String((await doors.atlas('POST', `${CLUSTER}/backup/snapshots`, { body: {} })).json['id']);
    const ask = (body: object) => doors.atlas('POST', `${CLUSTER}/backup/exports`, { body });
    await refuse(ask({ snapshotId: queued, exportBucketId: bucketId }), 409, 'CANNOT_DOWNLOAD_INCOMPLETE_SNAPSHOT');
    await refuse(ask({ snapshotId: nobody, exportBucketId: bucketId }), 404, 'SNAPSHOT_NOT_FOUND');
    await refuse(ask({ snapshotId: await snapshot(), exportBucketId: nobody }), 404, 'EXPORT_BUCKET_NOT_FOUND');
    await refuse(doors.atlas('GET', `${CLUSTER}/backup/exports/${nobody}`), 404, 'EXPORT_JOB_NOT_FOUND');
  });
});

describe('the export of a schedule', () => {
  const schedule = `${CLUSTER}/backup/schedule`;
  test('is set, turned off alone, shown in both forms, and keeps its bucket', async () => {
    const bucketId = await bucket();
    const wanted = { exportBucketId: bucketId, frequencyType: 'monthly' };
    const policyItems = [{ frequencyType: 'monthly', frequencyInterval: 40, retentionUnit: 'months', retentionValue: 12 }];
    assert.equal((await doors.atlas('PATCH', schedule, { body: { policies: [{ policyItems }] } })).status, 200);
    for (const version of ['2023-01-01', '2024-08-05']) {
      const set = await doors.atlas('PATCH', schedule, { version, body: { export: wanted, autoExportEnabled: true } });
      assert.equal(set.status, 200, set.text);
      assert.deepEqual(checkAgainst('updateGroupClusterBackupSchedule', version, set.json), []);
      assert.deepEqual([set.json['autoExportEnabled'], set.json['export']], [true, wanted]);
    }
    await refuse(doors.atlas('DELETE', `${BUCKETS}/${bucketId}`), 400, 'EXPORT_BUCKET_DELETE_FAILED');
    const off = await doors.atlas('PATCH', schedule, { body: { autoExportEnabled: false } });
    assert.deepEqual([off.json['autoExportEnabled'], off.json['export']], [false, wanted]);
    assert.deepEqual((await doors.atlas('PATCH', schedule, { body: (await doors.atlas('GET', schedule)).json })).json, off.json, 'what was read can be sent back');
    assert.equal((await doors.atlas('DELETE', `${BUCKETS}/${bucketId}`)).status, 204, 'one that is turned off keeps no bucket');
    assert.equal((await doors.atlas('GET', schedule)).json['export'], undefined);
  });

  test('goes with the schedule, which frees its bucket', async () => {
    const bucketId = await bucket();
    await doors.atlas('PATCH', schedule, { body: { export: { exportBucketId: bucketId, frequencyType: 'yearly' }, autoExportEnabled: true } });
    assert.equal((await doors.atlas('DELETE', schedule)).json['export'], undefined);
    assert.equal((await doors.atlas('DELETE', `${BUCKETS}/${bucketId}`)).status, 204);
  });

  test('is refused with a bucket that is not there, or with none', async () => {
    await refuse(doors.atlas('PATCH', schedule, { body: { export: { exportBucketId: '0'.repeat(24), frequencyType: 'monthly' } } }), 404, 'EXPORT_BUCKET_NOT_FOUND');
    await refuse(doors.atlas('PATCH', `/groups/${SHOP}/clusters/copy/backup/schedule`, { body: { autoExportEnabled: true } }), 400, 'INVALID_BACKUP_POLICY');
  });
});

async function refuse(answer: ReturnType<RealDoors['atlas']>, status: number, errorCode: string): Promise<void> {
  const { status: told, json, text } = await answer;
  assert.deepEqual([told, json['errorCode']], [status, errorCode], text);
}
