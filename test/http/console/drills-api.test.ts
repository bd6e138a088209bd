import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLogger } from '../../../src/foundation/logger.ts';
import { buildServer, consoleApi, type HttpServer } from '../../../src/http/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryServices, ORDERS_ID, SHOP_ID } from '../../support/memory-services.ts';

describe('drills at our own API', () => {
  let server: HttpServer;
  let operator: string;
  let reader: string;

  before(async () => {
    const clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
    const world = memoryServices(clock, () => 'http://leafvault.test');
    server = await buildServer({
      services: world.services, facades: [consoleApi], log: createLogger('silent'), clock, publicUrl: 'http://leafvault.test', version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
    });
    operator = await world.grant('operator', [{ role: 'GROUP_BACKUP_RECOVERY_OPERATOR', projectId: SHOP_ID }]);
    reader = await world.grant('reader', [{ role: 'GROUP_READ_ONLY', projectId: SHOP_ID }]);
  });
  after(() => server.close());

  const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, token: string, body?: object) => {
    const answer = await server.app.inject({ method, url: `/api/leafvault/v1/groups/${SHOP_ID}/${path}`, headers: { authorization: `Bearer ${token}` }, ...(body === undefined ? {} : { payload: body }) });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };
  const DRILLS = `clusters/${ORDERS_ID}/drills`;

  test('are made and cancelled by who may restore, and seen by who may read', async () => {
    assert.equal((await ask('POST', DRILLS, reader)).status, 403);
    const made = await ask('POST', DRILLS, operator, { namespaces: ['shop.orders'], where: 'mongod' });
    assert.deepEqual([made.status, made.body['state'], made.body['where'], made.body['namespaces']], [200, 'queued', 'mongod', ['shop.orders']]);
    const id = String(made.body['id']);
    assert.equal((await ask('GET', `${DRILLS}/${id}`, reader)).body['id'], id);
    assert.equal((await ask('GET', DRILLS, reader)).body['totalCount'], 1);
    assert.equal((await ask('DELETE', `${DRILLS}/${id}`, reader)).status, 403);
    assert.equal((await ask('DELETE', `${DRILLS}/${id}`, operator)).body['state'], 'cancelled');
    assert.deepEqual((await ask('DELETE', `${DRILLS}/${id}`, operator)).status, 409);
  });

  test('refuse what is not known by name', async () => {
    assert.equal((await ask('POST', DRILLS, operator, { where: 'moon' })).body['code'], 'ENUM_UNKNOWN');
    assert.equal((await ask('POST', DRILLS, operator, { cluster: 'x' })).body['code'], 'ATTRIBUTE_UNKNOWN');
    assert.equal((await ask('GET', `${DRILLS}/${'0'.repeat(24)}`, reader)).status, 404);
    assert.equal((await ask('GET', `${DRILLS}/7`, reader)).body['code'], 'ID_MALFORMED');
  });

  test('stand beside what they say of recovery, for one cluster and for all of the project', async () => {
    const { body } = await ask('GET', `clusters/${ORDERS_ID}/recovery`, reader);
    assert.deepEqual(body, {
      clusterId: ORDERS_ID, clusterName: 'orders', lastProvenAt: null, drills: { everyHours: 0, at: null, where: 'scratch', target: null, namespaces: [] },
      nextDrillAt: null, lastDrill: null, lastProvenDrillId: null, expectedRecovery: null,
    });
    const { results } = (await ask('GET', 'recovery', reader)).body as { readonly results: readonly { readonly clusterId: string }[] };
    assert.ok(results.some(({ clusterId }) => clusterId === ORDERS_ID));
  });
});
