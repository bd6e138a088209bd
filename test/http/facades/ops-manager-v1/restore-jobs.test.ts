import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { COPY_ID, ORDERS_ID, SHOP_ID } from '../../../support/memory-services.ts';

const CLUSTER = `/api/public/v1.0/groups/${SHOP_ID}/clusters/${ORDERS_ID}`;
const JOBS = `${CLUSTER}/restoreJobs`;
const URL = `http://leafvault.test${CLUSTER}`;

describe('restore jobs of Ops Manager', () => {
  let facade: FacadeServer;
  let snapshotId: string;

  before(async () => { facade = await startFacades(); });
  beforeEach(async () => {
    snapshotId = String((await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    facade.completeSnapshot(snapshotId);
  });
  after(() => facade.close());

  const post = (body: unknown) => facade.ask(JOBS, { method: 'POST', body });
  const create = async (delivery: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> => {
    const { status, json, text } = await post({ delivery, snapshotId });
    assert.equal(status, 200, text);
    return (json['results'] as Record<string, unknown>[])[0] ?? {};
  };
  const read = async (id: unknown) => (await facade.ask(`${JOBS}/${String(id)}`)).json;
  const jobOf = (id: unknown): string => facade.restores.get(String(id))?.jobId ?? '';

  test('is refused with a code of its own where the snapshot is not complete', async () => {
    const running = String((await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    for (const delivery of [{ methodName: 'HTTP' }, AUTOMATED]) {
      const { status, json } = await post({ delivery, snapshotId: running });
      assert.deepEqual([status, json['errorCode']], [409, 'CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT']);
    }
  });

  test('is nothing that a change of the automation could start: mongocli enables and disables hosts by one', async () => {
    const { status, json } = await facade.ask(`/api/public/v1.0/groups/${SHOP_ID}/automationConfig`, { method: 'PUT', body: { version: 1, processes: [], backupVersions: [{ hostname: 'db1.example' }] } });
    assert.deepEqual([status, json['errorCode']], [404, 'RESOURCE_NOT_FOUND']);
  });

  test('is refused with a code of its own where the snapshot was deleted', async () => {
    assert.equal((await facade.ask(`${CLUSTER}/snapshots/${snapshotId}`, { method: 'DELETE' })).status, 204);
    const { status, json } = await post({ delivery: { methodName: 'HTTP' }, snapshotId });
    assert.deepEqual([status, json['errorCode']], [409, 'CANNOT_START_RESTORE_JOB_FOR_DELETED_CLUSTER_SNAPSHOT']);
    assert.equal((await facade.ask(`${CLUSTER}/snapshots/${snapshotId}`)).status, 404);
  });

  test('answers a list of the one job to a download by HTTP', async () => {
    const { status, json, headers } = await post({ delivery: { methodName: 'HTTP', maxDownloads: 3, expirationHours: 2 }, snapshotId });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json), ['links', 'results', 'totalCount']);
    assert.equal(json['totalCount'], 1);
    assert.deepEqual(json['links'], [{ href: `${URL}/restoreJobs`, rel: 'self' }]);
    assert.equal(headers['x-mongodb-service-version'], `gitHash=${'a'.repeat(40)}; versionString=0.1.0`);
    const [job] = json['results'] as Record<string, unknown>[];
    assert.deepEqual(job, {
      clusterId: ORDERS_ID,
      clusterName: 'orders',
      created: '2026-03-01T12:00:00Z',
      delivery: { expirationHours: 2, maxDownloads: 3, methodName: 'HTTP', statusName: 'NOT_STARTED' },
      encryptionEnabled: false,
      groupId: SHOP_ID,
      hashes: [],
      id: job?.['id'],
      links: [
        { href: `${URL}/restoreJobs/${String(job?.['id'])}`, rel: 'self' },
        { href: URL, rel: 'http://mms.mongodb.com/cluster' },
        { href: `http://leafvault.test/api/public/v1.0/groups/${SHOP_ID}`, rel: 'http://mms.mongodb.com/group' },
        { href: `${URL}/snapshots/${snapshotId}`, rel: 'http://mms.mongodb.com/snapshot' },
      ],
      pointInTime: false,
      snapshotId,
      statusName: 'IN_PROGRESS',
      timestamp: { date: '2026-03-01T12:00:00Z', increment: 7 },
    });
  });

  test('wraps the list of a POST in no envelope but its status', async () => {
    const { json } = await facade.ask(`${JOBS}?envelope=true&pretty=true`, { method: 'POST', body: { delivery: { methodName: 'HTTP' }, snapshotId } });
    assert.deepEqual(Object.keys(json), ['links', 'results', 'status', 'totalCount']);
  });

  test('gives one download and a day where nothing is told, as mongocli tells nothing', async () => {
    const { delivery } = await create({ methodName: 'HTTP' });
    assert.deepEqual(delivery, { expirationHours: 24, maxDownloads: 1, methodName: 'HTTP', statusName: 'NOT_STARTED' });
  });

  test('takes the end of the link as a time', async () => {
    const { id } = await create({ methodName: 'HTTP', expires: '2026-03-01T15:00:00Z' });
    assert.ok(Math.abs((facade.restores.get(String(id))?.download?.expirationHours ?? 0) - 3) < 0.001);
  });

  test("takes the vendor's example with the fields that a server computes", async () => {
    const { status } = await post({ delivery: { methodName: 'HTTP', statusName: 'READY', url: 'x', expirationHours: 1, maxDownloads: 1 }, snapshotId, statusName: 'FINISHED', links: [] });
    assert.equal(status, 200);
  });

  test('follows a download to its hash and past its end', async () => {
    const { id } = await create({ methodName: 'HTTP' });
    facade.startJob(jobOf(id), 'archive');
    const deliveryOf = async (): Promise<unknown> => ((await read(id))['delivery'] as Record<string, unknown>)['statusName'];
    assert.equal(await deliveryOf(), 'IN_PROGRESS');
    facade.endJob(jobOf(id), 'completed');
    const download = facade.restores.get(String(id))?.download;
    assert.ok(download);
    facade.changeRestore(String(id), { download: { ...download, state: 'ready', url: 'http://leafvault.test/x.tar.gz', expiresAt: new Date('2026-03-02T12:00:00Z') } });
    const ready = await read(id);
    assert.deepEqual(ready['delivery'], { expirationHours: 24, expires: '2026-03-02T12:00:00Z', maxDownloads: 1, methodName: 'HTTP', statusName: 'READY', url: 'http://leafvault.test/x.tar.gz' });
    assert.deepEqual([ready['statusName'], ready['hashes']], ['FINISHED', []]);
    facade.changeRestore(String(id), { download: { ...download, state: 'exhausted', downloads: 1, sha1: 'f'.repeat(40) } });
    const fetched = await read(id);
    assert.equal(await deliveryOf(), 'MAX_DOWNLOADS_EXCEEDED');
    assert.deepEqual(fetched['hashes'], [{ fileName: 'rs0.tar.gz', hash: 'f'.repeat(40), typeName: 'SHA1' }]);
    facade.changeRestore(String(id), { download: { ...download, state: 'expired' } });
    assert.deepEqual([await deliveryOf(), (await read(id))['statusName']], ['EXPIRED', 'FINISHED']);
  });

  test('echoes an automated restore with its target and the method HTTP, as the docs say', async () => {
    const { delivery, id } = await create({ methodName: 'AUTOMATED_RESTORE', targetGroupId: SHOP_ID, targetClusterId: COPY_ID });
    assert.deepEqual(delivery, { methodName: 'HTTP', statusName: 'NOT_STARTED', targetClusterId: COPY_ID, targetGroupId: SHOP_ID });
    assert.equal(facade.restores.get(String(id))?.targetClusterName, 'copy');
  });

  for (const [end, statusName, delivery] of [['completed', 'FINISHED', 'READY'], ['failed', 'BROKEN', 'FAILED'], ['cancelled', 'KILLED', 'INTERRUPTED']] as const) {
    test(`says ${statusName} when a restore has ${end}`, async () => {
      const { id } = await create({ methodName: 'AUTOMATED_RESTORE', targetGroupId: SHOP_ID, targetClusterId: COPY_ID });
      facade.endJob(jobOf(id), end);
      const json = await read(id);
      assert.deepEqual([json['statusName'], (json['delivery'] as Record<string, unknown>)['statusName']], [statusName, delivery]);
    });
  }

  test('lists with paging, newest first', async () => {
    const { id } = await create({ methodName: 'HTTP' });
    const { json } = await facade.ask(`${JOBS}?itemsPerPage=1&pageNum=1`);
    assert.equal((json['results'] as { id: string }[])[0]?.id, id);
    assert.ok((json['links'] as { rel: string; href: string }[]).some(({ rel, href }) => rel === 'next' && href.endsWith('pageNum=2')));
  });

  test('wraps a single job under both names that the docs use', async () => {
    const { id } = await create({ methodName: 'HTTP' });
    const plain = await read(id);
    assert.deepEqual((await facade.ask(`${JOBS}/${String(id)}?envelope=true`)).json, { status: 200, content: plain, envelope: plain });
  });

  test('wraps an error, too, and prints what is to be pretty', async () => {
    const missing = `${JOBS}/${'0'.repeat(24)}`;
    const { status, json } = await facade.ask(missing);
    assert.equal(status, 404);
    const wrapped = await facade.ask(`${missing}?envelope=true`);
    assert.deepEqual([wrapped.status, wrapped.json], [404, { status: 404, content: json, envelope: json }]);
    const { id } = await create({ methodName: 'HTTP' });
    const { text } = await facade.ask(`${JOBS}/${String(id)}?pretty=true`);
    assert.match(text, /^\{\n {2}"clusterId" : "[0-9a-f]{24}",\n[^]*\n {2}"links" : \[ \{\n {4}"href" : /);
    assert.deepEqual(JSON.parse(text), await read(id));
  });

  test('lists nothing by a batch, since only shards come in batches', async () => {
    await create({ methodName: 'HTTP' });
    assert.deepEqual((await facade.ask(`${JOBS}?batchId=${'0'.repeat(24)}`)).json['totalCount'], 0);
  });

  const AUTOMATED = { methodName: 'AUTOMATED_RESTORE', targetGroupId: SHOP_ID, targetClusterId: COPY_ID };

  describe('to a point in time', () => {
    const T1 = 1_772_366_400;
    beforeEach(() => { facade.world.window = { chainId: 'c'.repeat(24), from: { t: T1, i: 1 }, to: { t: T1 + 100, i: 9 }, snapshotId }; });
    after(() => { facade.world.window = null; });

    for (const [form, body, border, increment] of [
      ['milliseconds: everything before that second', { pointInTimeUTCMillis: (T1 + 50) * 1000 + 999 }, { t: T1 + 49, i: 0xffff_ffff }, 0],
      ["mongocli's text: that entry included", { oplogTs: String(T1 + 50), oplogInc: 3 }, { t: T1 + 50, i: 3 }, 3],
      ['a date with its zone', { oplogTs: new Date((T1 + 50) * 1000).toISOString().replace('Z', '+00:00'), oplogInc: 3 }, { t: T1 + 50, i: 3 }, 3],
      ['numbers: that entry included', { oplogTs: T1 + 50, oplogInc: 3 }, { t: T1 + 50, i: 3 }, 3],
    ] as const) {
      test(`by ${form}`, async () => {
        const { status, json } = await post({ delivery: AUTOMATED, ...body });
        assert.equal(status, 200);
        const [job] = json['results'] as Record<string, unknown>[];
        assert.deepEqual([job?.['pointInTime'], job?.['timestamp'], job?.['snapshotId']], [true, { date: '2026-03-01T12:00:50Z', increment }, snapshotId]);
        assert.deepEqual(facade.restores.get(String(job?.['id']))?.instant?.border, border);
      });
    }

    test('outside of what is kept is refused with what is nearest', async () => {
      const { status, json } = await post({ delivery: AUTOMATED, pointInTimeUTCMillis: (T1 + 500) * 1000 });
      assert.deepEqual([status, json['errorCode']], [409, 'NO_CHECKPOINT_FOR_PIT_RESTORE']);
      assert.match(String(json['detail']), /Nearest that can be restored: 2026-03-01T12:01:40Z/);
    });

    test('says which times there are, as a bare array', async () => {
      const { status, json } = await facade.ask(`${JOBS}/restorableTimeRanges`, { method: 'POST' });
      assert.equal(status, 200);
      assert.deepEqual(json, [{ start: { date: '2026-03-01T12:00:00Z', increment: 1 }, end: { date: '2026-03-01T12:01:40Z', increment: 9 }, snapshotId }]);
      facade.world.window = null;
      assert.deepEqual((await facade.ask(`${JOBS}/restorableTimeRanges`, { method: 'POST' })).json, []);
    });
  });

  const cases: readonly (readonly [string, () => unknown, number, string])[] = [
    ['no restore point', () => ({ delivery: AUTOMATED }), 400, 'MISSING_ONE_OF_ATTRIBUTES'],
    ['a download without a snapshot', () => ({ delivery: { methodName: 'HTTP' }, pointInTimeUTCMillis: 1772366400000 }), 400, 'MISSING_ATTRIBUTE'],
    ['two restore points', () => ({ delivery: AUTOMATED, snapshotId, pointInTimeUTCMillis: 1772366400000 }), 400, 'INVALID_ATTRIBUTE'],
    ['three restore points', () => ({ delivery: AUTOMATED, snapshotId, checkpointId: '0'.repeat(24), oplogTs: '1772366400', oplogInc: 1 }), 400, 'INVALID_ATTRIBUTE'],
    ['a point in time', () => ({ delivery: AUTOMATED, pointInTimeUTCMillis: 1772366400000 }), 409, 'NO_CHECKPOINT_FOR_PIT_RESTORE'],
    ['an oplog time as text', () => ({ delivery: AUTOMATED, oplogTs: '1772366400', oplogInc: 1 }), 409, 'NO_CHECKPOINT_FOR_PIT_RESTORE'],
    ['an oplog time as a number', () => ({ delivery: AUTOMATED, oplogTs: 1772366400, oplogInc: 1 }), 409, 'NO_CHECKPOINT_FOR_PIT_RESTORE'],
    ['an oplog time without its increment', () => ({ delivery: AUTOMATED, oplogTs: 1772366400 }), 400, 'MISSING_ATTRIBUTE'],
    ['an increment without its oplog time', () => ({ delivery: AUTOMATED, oplogInc: 1 }), 400, 'MISSING_ATTRIBUTE'],
    ...['2026-03-01T12:00:00', '2026-03-01 12:00:00', '3/1/2026', '2026-02-30T12:00:00Z', 'March 2026'].map((oplogTs) => [`${oplogTs}, which could mean another time,`, () => ({ delivery: AUTOMATED, oplogTs, oplogInc: 1 }), 400, 'INVALID_ATTRIBUTE'] as const),
    ['a broken second', () => ({ delivery: AUTOMATED, oplogTs: '1772366400.5', oplogInc: 1 }), 400, 'FRACTIONAL_TIMESTAMP'],
    ['a checkpoint', () => ({ delivery: AUTOMATED, checkpointId: '0'.repeat(24) }), 404, 'CHECKPOINT_NOT_FOUND'],
    ["a checkpoint in the Go client's spelling", () => ({ delivery: AUTOMATED, checkPointId: '0'.repeat(24) }), 404, 'CHECKPOINT_NOT_FOUND'],
    ['SCP', () => ({ delivery: { methodName: 'SCP' }, snapshotId }), 400, 'UNSUPPORTED_DELIVERY_METHOD'],
    ['an unknown method', () => ({ delivery: { methodName: 'PIGEON' }, snapshotId }), 400, 'INVALID_ENUM_VALUE'],
    ['no method', () => ({ delivery: {}, snapshotId }), 400, 'MISSING_ATTRIBUTE'],
    ['no delivery', () => ({ snapshotId }), 400, 'MISSING_ATTRIBUTE'],
    ['a text for the delivery', () => ({ delivery: 'HTTP', snapshotId }), 400, 'INVALID_JSON_ATTRIBUTE'],
    ['no target cluster', () => ({ delivery: { methodName: 'AUTOMATED_RESTORE', targetGroupId: SHOP_ID }, snapshotId }), 400, 'MISSING_ATTRIBUTE'],
    ['no target group', () => ({ delivery: { methodName: 'AUTOMATED_RESTORE', targetClusterId: COPY_ID }, snapshotId }), 400, 'MISSING_ATTRIBUTE'],
    ['a malformed target', () => ({ delivery: { ...AUTOMATED, targetClusterId: 'copy' }, snapshotId }), 400, 'INVALID_ATTRIBUTE'],
    ['a time that no clock knows', () => ({ delivery: AUTOMATED, pointInTimeUTCMillis: 1e300 }), 400, 'INVALID_ATTRIBUTE'],
    ['an oplog time beyond its range', () => ({ delivery: AUTOMATED, oplogTs: 4_294_967_296, oplogInc: 1 }), 400, 'INVALID_ATTRIBUTE'],
    ['an unknown target', () => ({ delivery: { ...AUTOMATED, targetClusterId: '0'.repeat(24) }, snapshotId }), 404, 'CLUSTER_NOT_FOUND'],
    ['no downloads', () => ({ delivery: { methodName: 'HTTP', maxDownloads: 0 }, snapshotId }), 400, 'ATTRIBUTE_NEGATIVE_OR_ZERO'],
    ['less than no downloads', () => ({ delivery: { methodName: 'HTTP', maxDownloads: -1 }, snapshotId }), 400, 'ATTRIBUTE_NEGATIVE_OR_ZERO'],
    ['a link that lives less than no time', () => ({ delivery: { methodName: 'HTTP', expirationHours: -1 }, snapshotId }), 400, 'ATTRIBUTE_NEGATIVE_OR_ZERO'],
    ['too many downloads', () => ({ delivery: { methodName: 'HTTP', maxDownloads: 1_000_001 }, snapshotId }), 400, 'INVALID_ATTRIBUTE'],
    ['a negative increment', () => ({ delivery: AUTOMATED, oplogTs: 1_772_366_400, oplogInc: -1 }), 400, 'ATTRIBUTE_NEGATIVE'],
    ['a negative time', () => ({ delivery: AUTOMATED, pointInTimeUTCMillis: -5 }), 400, 'ATTRIBUTE_NEGATIVE_OR_ZERO'],
    ['an oplog time that is none', () => ({ delivery: AUTOMATED, oplogTs: 'abc', oplogInc: 1 }), 400, 'INVALID_ATTRIBUTE'],
    ['two ends of a link', () => ({ delivery: { methodName: 'HTTP', expires: '2026-03-02T00:00:00Z', expirationHours: 1 }, snapshotId }), 400, 'INVALID_ATTRIBUTE'],
    ['a link that has ended', () => ({ delivery: { methodName: 'HTTP', expires: '2026-02-01T00:00:00Z' }, snapshotId }), 400, 'INVALID_ATTRIBUTE'],
    ['a link that ends some time', () => ({ delivery: { methodName: 'HTTP', expires: 'tomorrow' }, snapshotId }), 400, 'INVALID_ATTRIBUTE'],
    ['an unknown snapshot', () => ({ delivery: { methodName: 'HTTP' }, snapshotId: '0'.repeat(24) }), 404, 'SNAPSHOT_NOT_FOUND'],
    ['a malformed snapshot', () => ({ delivery: { methodName: 'HTTP' }, snapshotId: 'x' }), 400, 'INVALID_ATTRIBUTE'],
    ['a misspelt attribute', () => ({ delivery: { methodName: 'HTTP', maxdownloads: 5 }, snapshotId }), 400, 'INVALID_ATTRIBUTE'],
    ['a list', () => [], 400, 'INVALID_JSON'],
    ['nothing', () => undefined, 400, 'MISSING_ATTRIBUTE'],
  ];
  for (const [what, body, status, errorCode] of cases) {
    test(`answers ${what} with ${status} ${errorCode}`, async () => {
      const answer = await post(body());
      assert.deepEqual([answer.status, answer.json['error'], answer.json['errorCode']], [status, status, errorCode], answer.text);
      assert.ok(!String(answer.json['detail']).includes('%s'));
    });
  }
});
