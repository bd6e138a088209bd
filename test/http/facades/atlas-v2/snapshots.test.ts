import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { ORDERS_ID, SHOP_ID } from '../../../support/memory-services.ts';

const SNAPSHOTS = `/groups/${SHOP_ID}/clusters/orders/backup/snapshots`;
const CLUSTER_URL = `http://leafvault.test/api/atlas/v2/groups/${SHOP_ID}/clusters/orders`;

describe('snapshots of Atlas v2', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const take = async (body: unknown = { description: 'before the release', retentionInDays: 5 }) => (await facade.atlas(SNAPSHOTS, { method: 'POST', body })).json;

  test('answers a new one with 200 and exactly the recorded fields', async () => {
    const { status, json, headers } = await facade.atlas(SNAPSHOTS, { method: 'POST', body: { description: 'before the release', retentionInDays: 5 } });
    assert.equal(status, 200);
    assert.equal(headers['location'], undefined);
    assert.deepEqual(json, {
      copyRegions: [],
      description: 'before the release',
      expiresAt: '2026-03-06T12:00:00Z',
      frequencyType: 'ondemand',
      id: json['id'],
      links: [{ href: `${CLUSTER_URL}/backup/snapshots/${String(json['id'])}`, rel: 'self' }, { href: CLUSTER_URL, rel: 'https://cloud.mongodb.com/cluster' }],
      policyItems: [],
      replicaSetName: 'orders',
      snapshotType: 'onDemand',
      status: 'queued',
      storageSizeBytes: 0,
      type: 'replicaSet',
    });
  });

  test('follows its life as the clients poll it', async () => {
    const id = String((await take())['id']);
    const read = async (): Promise<Readonly<Record<string, unknown>>> => (await facade.atlas(`${SNAPSHOTS}/${id}`)).json;
    facade.startJob(String(facade.snapshots.get(id)?.jobId), 'scan');
    const running = await read();
    assert.equal(running['status'], 'inProgress');
    assert.equal(running['mongodVersion'], '6.0.5');
    assert.equal(running['createdAt'], undefined, 'createdAt appears with completion');
    facade.clock.advance(60_000);
    facade.completeSnapshot(id);
    const done = await read();
    assert.equal(done['status'], 'completed');
    assert.equal(done['createdAt'], '2026-03-01T12:01:00Z');
    assert.equal(done['storageSizeBytes'], 250_000);
    assert.equal(done['expiresAt'], '2026-03-06T12:01:00Z', 'expiry moves to completion and retention');
  });

  for (const end of ['failed', 'cancelled'] as const) {
    test(`shows a ${end} one as failed, a word that clients know`, async () => {
      const id = String((await take())['id']);
      facade.endJob(String(facade.snapshots.get(id)?.jobId), end);
      assert.equal((await facade.atlas(`${SNAPSHOTS}/${id}`)).json['status'], 'failed');
    });
  }

  test('keeps one for a week when the request names no retention', async () => {
    const id = String((await take({}))['id']);
    assert.equal(facade.snapshots.get(id)?.retentionDays, 7);
    assert.equal((await facade.atlas(SNAPSHOTS, { method: 'POST' })).status, 200, 'no body at all');
  });

  test('lists newest first and pages', async () => {
    const ids = [...facade.snapshots.values()].filter((each) => each.clusterId === ORDERS_ID).map((each) => each.id).reverse();
    const { json } = await facade.atlas(`${SNAPSHOTS}?includeCount=true&itemsPerPage=2&pageNum=2`);
    assert.deepEqual((json['results'] as { id: string }[]).map(({ id }) => id), ids.slice(2, 4));
    assert.equal(json['totalCount'], ids.length);
    assert.deepEqual((json['links'] as { rel: string }[]).map(({ rel }) => rel), ['self', 'previous', 'next']);
  });

  test('counts nothing when asked not to', async () => {
    const { json } = await facade.atlas(`${SNAPSHOTS}?includeCount=false`);
    assert.deepEqual(Object.keys(json), ['links', 'results']);
  });

  test('answers a page past the end with an empty list', async () => {
    const { status, json } = await facade.atlas(`${SNAPSHOTS}?pageNum=900`);
    assert.equal(status, 200);
    assert.deepEqual(json['results'], []);
  });

  test('counts a new retention from the capture, months by the calendar', async () => {
    const id = String((await take())['id']);
    const { capturedAt } = facade.completeSnapshot(id);
    assert.ok(capturedAt);
    for (const [retentionUnit, retentionValue, expiresAt] of [['DAYS', 2, '2026-03-03'], ['WEEKS', 2, '2026-03-15'], ['MONTHS', 1, '2026-04-01'], ['YEARS', 2, '2028-03-01']] as const) {
      const { json } = await facade.atlas(`${SNAPSHOTS}/${id}`, { method: 'PATCH', body: { retentionUnit, retentionValue } });
      assert.equal(String(json['expiresAt']).slice(0, 10), expiresAt);
    }
  });

  test('changes no retention before completion: it would be lost', async () => {
    const { id } = await take();
    const { status, json } = await facade.atlas(`${SNAPSHOTS}/${String(id)}`, { method: 'PATCH', body: { retentionUnit: 'DAYS', retentionValue: 9 } });
    assert.deepEqual([status, json['errorCode']], [400, 'CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION']);
  });

  test('lists for a point in time the one that a restore to it begins with, and none where it cannot be restored', async () => {
    const base = String((await take())['id']);
    const { pointInTime } = facade.completeSnapshot(base);
    const t = pointInTime?.t ?? 0;
    facade.completeSnapshot(String((await take())['id']));
    const listed = async (query: string): Promise<unknown> => {
      const { status, json } = await facade.atlas(`${SNAPSHOTS}?${query}`);
      return [status, json['totalCount'], (json['results'] as { id: string }[]).map(({ id }) => id)];
    };
    assert.deepEqual(await listed(`pointInTimeUtcSeconds=${t + 5}`), [200, 0, []], 'without continuous backup');
    facade.world.window = { chainId: '0'.repeat(24), from: { t, i: 1 }, to: { t: t + 10, i: 1 }, snapshotId: base };
    assert.deepEqual(await listed(`pointInTimeUtcSeconds=${t + 5}`), [200, 1, [base]]);
    assert.deepEqual(await listed(`oplogTs=${t + 5}&oplogInc=3`), [200, 1, [base]]);
    assert.deepEqual(await listed(`oplogTs=${t + 5}&oplogInc=3&pageNum=2`), [200, 1, []]);
    assert.deepEqual(await listed(`pointInTimeUtcSeconds=${t + 500}`), [200, 0, []]);
    facade.world.window = null;
  });

  for (const query of ['oplogTs=1772366400', 'oplogInc=1', 'oplogTs=1772366400&oplogInc=1&pointInTimeUtcSeconds=1772366400', 'pointInTimeUtcSeconds=soon', 'oplogTs=-1&oplogInc=1']) {
    test(`refuses to list for ${query}`, async () => {
      const { status, json } = await facade.atlas(`${SNAPSHOTS}?${query}`);
      assert.deepEqual([status, json['errorCode']], [400, 'INVALID_QUERY_PARAMETER']);
    });
  }

  test('deletes with 204, no body and the version, and is gone after', async () => {
    const id = String((await take())['id']);
    const deleted = await facade.atlas(`${SNAPSHOTS}/${id}`, { method: 'DELETE' });
    assert.equal(deleted.status, 204);
    assert.equal(deleted.text, '');
    assert.equal(deleted.headers['content-type'], 'application/vnd.atlas.2023-01-01+json;charset=utf-8');
    const gone = await facade.atlas(`${SNAPSHOTS}/${id}`);
    assert.equal(gone.status, 404);
    assert.deepEqual(gone.json, {
      detail: `No snapshot with ID ${id} exists for cluster orders.`, error: 404, errorCode: 'SNAPSHOT_NOT_FOUND', parameters: [id, 'orders'], reason: 'Not Found',
    });
  });

  test('answers the sharded form of a replica set: Terraform breaks on a 404 there', async () => {
    const id = String((await take())['id']);
    facade.completeSnapshot(id);
    const { status, json } = await facade.atlas(`${SNAPSHOTS}/shardedCluster/${id}`);
    assert.equal(status, 200);
    assert.equal(json['id'], id);
    assert.equal(json['type'], 'replicaSet');
    assert.deepEqual([json['members'], json['snapshotIds']], [[], []]);
    assert.deepEqual((await facade.atlas(`${SNAPSHOTS}/shardedClusters`)).json['results'], []);
  });
});

describe('the envelope and the printed form', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  test('wrap one object under both names that the vendor uses', async () => {
    const plain = (await facade.atlas(`/groups/${SHOP_ID}`)).json;
    const { status, json } = await facade.atlas(`/groups/${SHOP_ID}?envelope=true`);
    assert.equal(status, 200);
    assert.deepEqual(json, { status: 200, envelope: plain, content: plain });
  });

  test('add the status to a list', async () => {
    const { json } = await facade.atlas('/groups?envelope=true');
    assert.deepEqual(Object.keys(json), ['links', 'results', 'status', 'totalCount']);
    assert.equal(json['status'], 200);
  });

  test('wrap an error and keep its real status', async () => {
    const { status, json } = await facade.atlas(`/groups/${'0'.repeat(24)}?envelope=true`);
    assert.equal(status, 404);
    assert.equal(json['status'], 404);
    assert.equal((json['envelope'] as { errorCode: string }).errorCode, 'GROUP_NOT_FOUND');
  });

  test('print with sorted keys, errors too', async () => {
    const { text } = await facade.atlas(`/groups/${SHOP_ID}?pretty=true`);
    assert.match(text, /^\{\n  "clusterCount" : 2,\n  "created" : "2026-03-01T12:00:00Z",\n/);
    assert.match((await facade.atlas(`/groups/${'0'.repeat(24)}?pretty=true`)).text, /^\{\n  "detail" : "No group with ID 0{24} exists\.",\n  "error" : 404,\n/);
  });
});
