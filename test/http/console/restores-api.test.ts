import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Principal } from '../../../src/domain/roles.ts';
import { createLogger } from '../../../src/foundation/logger.ts';
import { buildServer, consoleApi, type HttpServer } from '../../../src/http/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { COPY_ID, memoryServices, ORDERS_ID, ORG_ID, SHOP_ID, type MemoryWorld } from '../../support/memory-services.ts';

describe('a restore at our own API', () => {
  let server: HttpServer;
  let world: MemoryWorld;
  let operator: string;
  let reader: string;
  let restoreId: string;

  before(async () => {
    const clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
    world = memoryServices(clock, () => 'http://leafvault.test');
    server = await buildServer({
      services: world.services, facades: [consoleApi], log: createLogger('silent'), clock, publicUrl: 'http://leafvault.test', version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
    });
    operator = await world.grant('operator', [{ role: 'GROUP_OWNER', projectId: SHOP_ID }]);
    reader = await world.grant('reader', [{ role: 'GROUP_READ_ONLY', projectId: SHOP_ID }]);
  });
  beforeEach(async () => {
    const { services } = world;
    const cluster = await services.inventory.clusterById(SHOP_ID, ORDERS_ID);
    const principal = { kind: 'user' as const, id: '5f00000000000000000000aa', name: 'admin', orgId: cluster.projectId, grants: [{ role: 'GROUP_OWNER' as const, projectId: SHOP_ID }] };
    const { snapshot } = await services.snapshots.create({ cluster, principal, description: 'x', retentionDays: 1 });
    world.completeSnapshot(snapshot.id);
    restoreId = (await services.restores.create({ cluster, principal, snapshotId: snapshot.id, delivery: 'automated', target: { projectId: SHOP_ID, cluster: { id: COPY_ID } } })).id;
  });
  after(() => server.close());

  const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, token: string, body?: object) => {
    const url = new URL(`http://leafvault.test/api/leafvault/v1/groups/${SHOP_ID}/clusters/${ORDERS_ID}/restores/${path}`).pathname.replace(/\/$/, '');
    const answer = await server.app.inject({ method, url, headers: { authorization: `Bearer ${token}` }, ...(body === undefined ? {} : { payload: body }) });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };
  const finish = (): void => world.endJob(world.restores.get(restoreId)?.jobId ?? '', 'completed');

  test('tells what was kept and warned of, and until when it can be undone', async () => {
    const early = await ask('GET', restoreId, operator);
    assert.deepEqual([early.status, early.body['undoableUntil'], early.body['movedAside']], [200, null, []]);
    finish();
    const { body } = await ask('GET', restoreId, operator);
    assert.deepEqual([body['undoableUntil'], body['movedAside'], body['warnings'], body['targetClusterName']], ['2026-03-01T12:00:00.000Z', ['shop.old1'], ['one'], 'copy']);
    assert.equal((body['job'] as Record<string, unknown>)['state'], 'completed');
  });

  test('is made by one call, into the cluster itself or another one', async () => {
    const { snapshotId } = (await ask('GET', restoreId, operator)).body;
    const own = await ask('POST', '', operator, { snapshotId });
    assert.deepEqual([own.status, own.body['targetClusterId'], own.body['snapshotId'], own.body['leftOut']], [200, ORDERS_ID, snapshotId, null]);
    const other = await ask('POST', '', operator, { snapshotId, target: { groupId: SHOP_ID, clusterId: COPY_ID } });
    assert.deepEqual([other.status, other.body['targetClusterId'], (other.body['job'] as Record<string, unknown>)['state']], [200, COPY_ID, 'queued']);
    for (const [body, status, code] of [
      [{}, 400, 'INSTANT_FORM'], [{ snapshotId, x: 1 }, 400, 'ATTRIBUTE_UNKNOWN'], [{ snapshotId: '0'.repeat(24) }, 404, 'SNAPSHOT_NOT_FOUND'],
      [{ snapshotId, target: { groupId: SHOP_ID, clusterId: '0'.repeat(24) } }, 404, 'TARGET_NOT_FOUND'], [{ instant: { oplogTs: 1, oplogInc: 1 } }, 409, 'CONTINUOUS_NO_WINDOW'],
    ] as const) {
      const refused = await ask('POST', '', operator, body);
      assert.deepEqual([refused.status, refused.body['code']], [status, code], JSON.stringify(refused.body));
    }
    assert.equal((await ask('POST', '', reader, { snapshotId })).status, 403);
  });

  test('is undone by a job of its own', async () => {
    finish();
    const { status, body } = await ask('POST', `${restoreId}/undo`, operator);
    assert.deepEqual([status, body['kind'], body['state']], [200, 'undo', 'queued']);
    assert.deepEqual((await ask('GET', `../jobs/${String(body['id'])}`, operator)).body, body);
    assert.equal((await ask('GET', `../jobs/${'0'.repeat(24)}`, operator)).status, 404);
  });

  test('rests while it is paused, and goes on when it is resumed', async () => {
    const { snapshotId } = world.restores.get(restoreId)!;
    const made = await ask('POST', '', operator, { snapshotId });
    const { jobId } = world.restores.get(String(made.body['id']))!;
    assert.equal((await ask('POST', `../jobs/${jobId}/pause`, reader)).status, 403);
    const early = await ask('POST', `../jobs/${jobId}/resume`, operator);
    assert.deepEqual([early.status, early.body['code']], [409, 'JOB_NOT_PAUSED']);
    const rests = await ask('POST', `../jobs/${jobId}/pause`, operator);
    assert.deepEqual([rests.status, rests.body['state'], typeof rests.body['pausedAt']], [200, 'queued', 'string']);
    const again = await ask('POST', `../jobs/${jobId}/resume`, operator);
    assert.deepEqual([again.status, again.body['pausedAt']], [200, null]);
    await ask('DELETE', `../jobs/${jobId}`, operator);
    const late = await ask('POST', `../jobs/${jobId}/pause`, operator);
    assert.deepEqual([late.status, late.body['code']], [409, 'JOB_NOT_PAUSABLE']);
  });

  test('and other jobs are changed by who may ask for one of their kind', async () => {
    const principal: Principal = { kind: 'user', id: 'u', name: 'u', orgId: ORG_ID, grants: [] };
    const cluster = await world.services.inventory.clusterById(SHOP_ID, ORDERS_ID);
    const { job: { id } } = await world.services.snapshots.create({ cluster, description: null, retentionDays: 1, principal });
    const creator = await world.grant('creator', [{ role: 'GROUP_BACKUP_CREATOR', projectId: SHOP_ID }]);
    const restorer = await world.grant('restorer', [{ role: 'GROUP_BACKUP_RECOVERY_OPERATOR', projectId: SHOP_ID }]);
    const manager = await world.grant('manager', [{ role: 'GROUP_BACKUP_MANAGER', projectId: SHOP_ID }]);
    assert.deepEqual([(await ask('GET', `../jobs/${id}`, creator)).status, (await ask('GET', `../jobs/${id}`, restorer)).status], [200, 200]);
    for (const [method, path] of [['POST', '/pause'], ['POST', '/resume'], ['DELETE', '']] as const) {
      assert.equal((await ask(method, `../jobs/${id}${path}`, restorer)).status, 403, `${path} by who restores`);
      assert.equal((await ask(method, `../jobs/${id}${path}`, creator)).status, 200, `${path} by who backs up`);
    }
    const restoring = world.restores.get(restoreId)?.jobId ?? '';
    assert.equal((await ask('POST', `../jobs/${restoring}/pause`, creator)).status, 403, 'a restore by who backs up');
    assert.notEqual((await ask('POST', `../jobs/${restoring}/resume`, manager)).status, 403, 'a manager holds each role');
  });

  test('and every other job is cancelled by its id, by who may, as long as it is not over', async () => {
    const jobId = world.restores.get(restoreId)?.jobId ?? '';
    assert.equal((await ask('DELETE', `../jobs/${jobId}`, reader)).status, 403);
    const { status, body } = await ask('DELETE', `../jobs/${jobId}`, operator);
    assert.deepEqual([status, body['id'], body['state']], [200, jobId, 'cancelled']);
    const over = await ask('DELETE', `../jobs/${jobId}`, operator);
    assert.deepEqual([over.status, over.body['code']], [409, 'JOB_NOT_CANCELLABLE']);
    assert.equal((await ask('DELETE', `../jobs/${'0'.repeat(24)}`, operator)).status, 404);
  });

  test('lets go of what is kept before its time', async () => {
    assert.deepEqual((await ask('DELETE', `${restoreId}/kept`, operator)).body['code'], 'RESTORE_NOTHING_KEPT');
    finish();
    const { status, body } = await ask('DELETE', `${restoreId}/kept`, operator);
    assert.deepEqual([status, body['kind'], body['state']], [200, 'dropKept', 'queued']);
    assert.equal((await ask('DELETE', `${restoreId}/kept`, reader)).status, 403);
  });

  test('is abandoned by an owner who says that its servers are gone, where they are', async () => {
    const path = `${restoreId}/abandon`;
    for (const body of [{}, { serversAreGone: false }, { serversAreGone: 'true' }, { serversAreGone: true, x: 1 }]) assert.equal((await ask('POST', path, operator, body)).status, 400, JSON.stringify(body));
    const early = await ask('POST', path, operator, { serversAreGone: true });
    assert.deepEqual([early.status, early.body['code'], early.body['details']], [409, 'RESTORE_NOT_ABANDONABLE', { id: restoreId, why: 'its servers are there' }]);
    world.endJob(world.restores.get(restoreId)?.jobId ?? '', 'failed');
    const manager = await world.grant('keeper', [{ role: 'GROUP_BACKUP_MANAGER', projectId: SHOP_ID }]);
    assert.equal((await ask('POST', path, manager, { serversAreGone: true })).status, 403);
    const { status, body } = await ask('POST', path, operator, { serversAreGone: true });
    assert.deepEqual([status, body['id']], [200, restoreId]);
  });

  test('says why it can not be undone', async () => {
    const { status, body } = await ask('POST', `${restoreId}/undo`, operator);
    assert.deepEqual([status, body['code']], [409, 'RESTORE_NOT_UNDOABLE']);
  });

  test('is not for readers, and not there under another id', async () => {
    finish();
    for (const [answer, status] of [[await ask('POST', `${restoreId}/undo`, reader), 403], [await ask('POST', `${'0'.repeat(24)}/undo`, operator), 404], [await ask('GET', 'x', operator), 400]] as const) {
      assert.equal(answer.status, status, JSON.stringify(answer.body));
    }
  });
});
