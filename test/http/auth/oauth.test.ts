import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createLogger } from '../../../src/foundation/logger.ts';
import { buildServer, oauthDoor, type HttpServer } from '../../../src/http/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { identityInMemory } from '../../support/identity-in-memory.ts';
import { servicesInMemory, type AuditRecord } from '../../support/services-in-memory.ts';

const ID = 'mdb_sa_id_5f0000000000000000000002';
const SECRET = 'mdb_sa_sk_example';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
let server: HttpServer | null = null;

afterEach(async () => { await server?.close(); });

async function setUp(parts: Partial<ReturnType<typeof identityInMemory>> = {}) {
  const identity = { ...identityInMemory(), ...parts };
  const events: AuditRecord[] = [];
  const services = servicesInMemory({ identity }, events);
  server = await buildServer({
    services, facades: [], plugins: [oauthDoor(services)], log: createLogger('silent'), clock: fakeClock(),
    publicUrl: 'http://127.0.0.1:27080', version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
  });
  return { app: server.app, identity, events };
}

function post(app: FastifyInstance, what: 'token' | 'revoke', payload: string, headers: Record<string, string> = {}) {
  return app.inject({ method: 'POST', url: `/api/oauth/${what}`, payload, headers: { ...FORM, ...headers } });
}

function basic(id: string, secret: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

describe('POST /api/oauth/token', () => {
  test('gives a bearer for an hour to right credentials', async () => {
    const { app, identity } = await setUp();
    const answer = await post(app, 'token', 'grant_type=client_credentials', basic(ID, SECRET));
    assert.equal(answer.statusCode, 200);
    const { access_token: token, ...rest } = answer.json<{ access_token: string }>();
    assert.deepEqual(rest, { expires_in: 3600, token_type: 'Bearer' });
    assert.ok(identity.bearers.has(token));
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['content-type'], 'application/json');
  });

  test('takes credentials that were form-encoded before base64, as Go does', async () => {
    const { app } = await setUp({ serviceAccount: async (id, secret) => (id === 'a b' && secret === 'p:%+' ? identityInMemory().serviceAccount(ID, SECRET) : null) });
    assert.equal((await post(app, 'token', 'grant_type=client_credentials', basic('a+b', 'p%3A%25%2B'))).statusCode, 200);
  });

  test('takes credentials from the form', async () => {
    const { app } = await setUp();
    assert.equal((await post(app, 'token', `grant_type=client_credentials&client_id=${ID}&client_secret=${SECRET}`)).statusCode, 200);
  });

  const refused: readonly (readonly [string, string, Record<string, string>, number, string])[] = [
    ['a wrong secret', 'grant_type=client_credentials', basic(ID, 'no'), 401, 'invalid_client'],
    ['an unknown id', 'grant_type=client_credentials', basic('no', SECRET), 401, 'invalid_client'],
    ['no credentials', 'grant_type=client_credentials', {}, 401, 'invalid_client'],
    ['credentials that are no base64', 'grant_type=client_credentials', { authorization: 'Basic ***' }, 401, 'invalid_client'],
    ['another grant', 'grant_type=password', basic(ID, SECRET), 400, 'unsupported_grant_type'],
    ['no grant', '', basic(ID, SECRET), 400, 'invalid_request'],
    ['a field twice', 'grant_type=client_credentials&grant_type=client_credentials', basic(ID, SECRET), 400, 'invalid_request'],
    ['credentials in both places', `grant_type=client_credentials&client_id=${ID}&client_secret=${SECRET}`, basic(ID, SECRET), 400, 'invalid_request'],
    ['a body that is no form', '{"grant_type":"client_credentials"}', { ...basic(ID, SECRET), 'content-type': 'application/json' }, 400, 'invalid_request'],
  ];
  for (const [what, body, headers, status, code] of refused) {
    test(`refuses ${what} with ${code}`, async () => {
      const { app, identity } = await setUp();
      const answer = await post(app, 'token', body, headers);
      assert.deepEqual([answer.statusCode, answer.json<{ error: string }>().error], [status, code]);
      assert.equal(typeof answer.json<{ error_description: unknown }>().error_description, 'string');
      assert.equal(answer.headers['www-authenticate'] !== undefined, status === 401);
      assert.equal(identity.bearers.size, 0);
    });
  }

  test('answers a body that is too large and a failure inside in its own form', async () => {
    const { app } = await setUp({ issueBearer: async () => { throw new Error('the catalog is away'); } });
    assert.deepEqual((await post(app, 'token', `grant_type=${'x'.repeat(20_000)}`, basic(ID, SECRET))).json<{ error: string }>().error, 'invalid_request');
    const failed = await post(app, 'token', 'grant_type=client_credentials', basic(ID, SECRET));
    assert.equal(failed.statusCode, 500);
    assert.ok(!failed.body.includes('catalog'));
  });
});

describe('POST /api/oauth/revoke', () => {
  test('ends a token, and answers 200 to one that it does not know', async () => {
    const { app, identity } = await setUp();
    const { access_token: token } = (await post(app, 'token', 'grant_type=client_credentials', basic(ID, SECRET))).json<{ access_token: string }>();
    for (const each of [token, token, 'unknown']) {
      assert.equal((await post(app, 'revoke', `token=${each}&token_type_hint=access_token`, basic(ID, SECRET))).statusCode, 200);
    }
    assert.equal(identity.bearers.size, 0);
  });

  test('leaves an event of each token that was ended, and none of what changes nothing', async () => {
    const { app, events } = await setUp();
    const { access_token: token } = (await post(app, 'token', 'grant_type=client_credentials', basic(ID, SECRET))).json<{ access_token: string }>();
    assert.equal((await post(app, 'revoke', `token=${token}`, basic(ID, 'no'))).statusCode, 401);
    for (const each of ['unknown', token, token]) await post(app, 'revoke', `token=${each}`, basic(ID, SECRET));
    assert.deepEqual(events.map(({ action, object, principal, address, details }) => [action, object, principal?.name, address, details?.['status']]), [['oauth POST /revoke', ID, ID, '127.0.0.1', 200]]);
    assert.ok(!JSON.stringify(events).includes(token), 'the token is a secret');
  });

  test('is begun in the audit before the token is ended, and does not answer that it is where it is not', async () => {
    const began: boolean[] = [];
    const broken = { ...identityInMemory(), revokeBearer: () => Promise.reject(new Error('broken')) };
    const audit = { begin: () => Promise.resolve(began.push(true)), settle: () => Promise.resolve(void began.push(false)), record: () => Promise.reject(new Error('not here')) };
    const services = servicesInMemory({ identity: broken, audit });
    server = await buildServer({ services, facades: [], plugins: [oauthDoor(services)], log: createLogger('silent'), clock: fakeClock(), publicUrl: null, version: { gitHash: '0'.repeat(40), versionString: '0.1.0' } });
    const { access_token: token } = (await post(server.app, 'token', 'grant_type=client_credentials', basic(ID, SECRET))).json<{ access_token: string }>();
    assert.equal((await post(server.app, 'revoke', `token=${token}`, basic(ID, SECRET))).statusCode, 500);
    assert.deepEqual(began, [true], 'without an outcome');
  });

  test('asks for credentials and for the token', async () => {
    const { app } = await setUp();
    assert.equal((await post(app, 'revoke', 'token=x', basic(ID, 'no'))).statusCode, 401);
    assert.equal((await post(app, 'revoke', '', basic(ID, SECRET))).statusCode, 400);
  });
});
