import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, describe, test } from 'node:test';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { Facade } from '../../src/http/facade.ts';
import { buildServer, type HttpServer } from '../../src/http/index.ts';
import type { Services } from '../../src/services/contracts.ts';
import { digestAnswer, nonceOf } from '../support/digest-client.ts';
import { echoFacade } from '../support/echo-facade.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { identityInMemory } from '../support/identity-in-memory.ts';
import { servicesInMemory, type AuditRecord } from '../support/services-in-memory.ts';

const THING = '/api/echo/v1/groups/5f0000000000000000000003/things/a';
const MIB = 1024 * 1024;
const full = (): Promise<never> => Promise.reject(new Error('disk is full'));
const FULL = { record: full, begin: full, settle: full };
let server: HttpServer | null = null;

afterEach(async () => {
  await server?.close();
  server = null;
});

async function setUp({ facade = echoFacade(), parts = {} }: { facade?: Facade & { reached: unknown[] }; parts?: Partial<Services> } = {}) {
  const events: AuditRecord[] = [];
  const lines: string[] = [];
  const identity = identityInMemory();
  const services = servicesInMemory({ identity, ...parts }, events);
  const log = pino({ level: 'info' }, new Writable({ write(chunk: Buffer, _, done) { lines.push(chunk.toString()); done(); } }));
  const made = await buildServer({ services, facades: [facade], log, clock: fakeClock(), publicUrl: null, version: { gitHash: '0'.repeat(40), versionString: '0.1.0' } });
  server = made;
  const challenge = async (): Promise<string> => String((await made.app.inject({ url: THING })).headers['www-authenticate']);
  const authorized = async (method: 'GET' | 'POST' | 'DELETE', url = THING): Promise<{ authorization: string }> =>
    ({ authorization: digestAnswer(nonceOf(await challenge()), { uri: url, method }) });
  return { app: made.app, facade, identity, events, lines, challenge, authorized };
}

describe('credentials', () => {
  test('are asked for with one challenge before anything else', async () => {
    const { app, facade } = await setUp();
    const answer = await app.inject({ method: 'POST', url: THING, payload: { act: true } });
    assert.equal(answer.statusCode, 401);
    assert.match(String(answer.headers['www-authenticate']), /^Digest realm="MMS Public API", domain="", nonce="[^"]{32}", algorithm=MD5, qop="auth", stale=false$/);
    assert.deepEqual(answer.json(), { kind: 'unauthenticated', reason: 'missing' });
    assert.deepEqual(facade.reached, []);
  });

  for (const [what, payload, headers] of [
    ['a body over the limit', 'x'.repeat(MIB + 1), { 'content-type': 'application/json' }],
    ['broken JSON', '{"a":', { 'content-type': 'application/json' }],
    ['a wrong content type', '<a/>', { 'content-type': 'application/xml' }],
  ] as const) {
    test(`are asked for before ${what} is looked at`, async () => {
      const { app } = await setUp();
      assert.equal((await app.inject({ method: 'POST', url: THING, payload, headers })).statusCode, 401);
    });
  }

  test('are asked for on paths that do not exist', async () => {
    const { app, authorized } = await setUp();
    assert.equal((await app.inject({ url: '/api/echo/v1/nothing' })).statusCode, 401);
    assert.equal((await app.inject({ url: '/api/echo/v1' })).statusCode, 401);
    const answer = await app.inject({ url: '/api/echo/v1/nothing', headers: await authorized('GET', '/api/echo/v1/nothing') });
    assert.deepEqual([answer.statusCode, answer.json<{ kind: string }>().kind], [404, 'routeNotFound']);
  });

  test('are not asked for on open routes', async () => {
    const { app } = await setUp();
    assert.deepEqual((await app.inject({ url: '/api/echo/v1/open' })).json(), { open: true });
  });

  test('of digest let the request through once', async () => {
    const { app, authorized, facade } = await setUp();
    const headers = await authorized('POST');
    assert.equal((await app.inject({ method: 'POST', url: THING, headers, payload: { a: 1 } })).statusCode, 200);
    const replay = await app.inject({ method: 'POST', url: THING, headers, payload: { a: 1 } });
    assert.deepEqual([replay.statusCode, replay.json<{ reason: string }>().reason], [401, 'stale']);
    assert.match(String(replay.headers['www-authenticate']), /stale=true$/);
    assert.deepEqual(facade.reached, [{ method: 'POST', by: 'abcdefgh', body: { a: 1 } }]);
  });

  test('of digest count for the very request target', async () => {
    const { app, challenge } = await setUp();
    const target = `${THING}?pretty=true`;
    const right = digestAnswer(nonceOf(await challenge()), { uri: target });
    assert.equal((await app.inject({ url: `${THING}?pretty=false`, headers: { authorization: right } })).statusCode, 401);
    assert.equal((await app.inject({ url: target, headers: { authorization: right } })).statusCode, 200);
  });

  test('of a bearer count until they are revoked', async () => {
    const { app, identity } = await setUp();
    const account = await identity.serviceAccount('mdb_sa_id_5f0000000000000000000002', 'mdb_sa_sk_example');
    assert.ok(account !== null);
    const { token } = await identity.issueBearer(account.principal);
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await app.inject({ url: THING, headers })).statusCode, 200);
    await identity.revokeBearer(token);
    const refused = await app.inject({ url: THING, headers });
    assert.deepEqual([refused.statusCode, refused.json<{ reason: string }>().reason], [401, 'expired']);
  });

  test('of a scheme that the facade does not know are none', async () => {
    const { app, identity } = await setUp();
    const token = await identity.openSession({ kind: 'user', id: '5f0000000000000000000010', name: 'admin', orgId: '5f0000000000000000000001', grants: [] });
    const answer = await app.inject({ url: THING, headers: { authtoken: `QSDK ${token}` } });
    assert.deepEqual(answer.json(), { kind: 'unauthenticated', reason: 'missing' });
  });

  test('send no challenge where digest is not known', async () => {
    const { app } = await setUp({ facade: echoFacade({ schemes: ['authtoken'] }) });
    const answer = await app.inject({ url: THING });
    assert.deepEqual([answer.statusCode, answer.headers['www-authenticate']], [401, undefined]);
  });
});

describe('access lists', () => {
  const listed = { privateKey: '00000000-0000-4000-8000-000000000000', accessList: ['203.0.113.0/24'] };

  test('refuse every method where they always count', async () => {
    const { app, identity, authorized } = await setUp();
    identity.keys.set('abcdefgh', listed);
    const answer = await app.inject({ url: THING, headers: await authorized('GET') });
    assert.deepEqual([answer.statusCode, answer.json<{ kind: string }>().kind], [403, 'addressRefused']);
    assert.equal((await app.inject({ url: THING, headers: await authorized('GET'), remoteAddress: '203.0.113.9' })).statusCode, 200);
  });

  test('refuse writes alone where they count for writes', async () => {
    const { app, identity, authorized, facade } = await setUp({ facade: echoFacade({ accessList: 'writes' }) });
    identity.keys.set('abcdefgh', listed);
    assert.equal((await app.inject({ url: THING, headers: await authorized('GET') })).statusCode, 200);
    assert.equal((await app.inject({ method: 'POST', url: THING, headers: await authorized('POST') })).statusCode, 403);
    assert.equal((await app.inject({ method: 'DELETE', url: THING, headers: await authorized('DELETE') })).statusCode, 403);
    assert.equal(facade.reached.length, 1);
  });

  test('go by the connection, not by what a client says in headers', async () => {
    const { app, identity, authorized } = await setUp();
    identity.keys.set('abcdefgh', listed);
    const headers = { ...await authorized('GET'), 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' };
    assert.equal((await app.inject({ url: THING, headers })).statusCode, 403);
  });
});

describe('bodies', () => {
  const json = { 'content-type': 'application/json; charset=utf-8' };
  const cases: readonly (readonly [string, string | Buffer, Record<string, string>, number, string])[] = [
    ['over 1 MiB', JSON.stringify('x'.repeat(MIB)), json, 413, 'bodyTooLarge'],
    ['that are no JSON', '{"a":', json, 400, 'bodyNotJson'],
    ['that are not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), json, 400, 'bodyNotJson'],
    ['nested 65 deep', '[{"a":'.repeat(32) + '[]' + '}]'.repeat(32), json, 400, 'bodyNotJson'],
    ['nested 200,000 deep', '['.repeat(200_000) + ']'.repeat(200_000), json, 400, 'bodyNotJson'],
    ['that reach for a prototype', '{"__proto__":{"a":1}}', json, 400, 'bodyNotJson'],
    ['of another content type', '<a/>', { 'content-type': 'application/xml' }, 415, 'contentTypeRefused'],
    ['without a content type', 'a=b', { 'content-type': '' }, 415, 'contentTypeRefused'],
  ];
  for (const [what, payload, headers, status, kind] of cases) {
    test(`${what} are refused`, async () => {
      const { app, authorized, facade } = await setUp();
      const answer = await app.inject({ method: 'POST', url: THING, payload, headers: { ...headers, ...await authorized('POST') } });
      assert.deepEqual([answer.statusCode, answer.json<{ kind: string }>().kind], [status, kind]);
      assert.deepEqual(facade.reached, []);
    });
  }

  for (const type of ['application/xml', 'application/json', 'text/html']) {
    test(`that are empty pass as ${type}`, async () => {
      const { app, authorized, facade } = await setUp();
      const answer = await app.inject({ method: 'POST', url: THING, headers: { 'content-type': type, 'content-length': '0', ...await authorized('POST') } });
      assert.equal(answer.statusCode, 200, answer.body);
      assert.deepEqual(facade.reached, [{ method: 'POST', by: 'abcdefgh', body: undefined }]);
    });
  }

  test('nested 64 deep pass', async () => {
    const { app, authorized } = await setUp();
    const payload = '[{"a":'.repeat(32) + '1' + '}]'.repeat(32);
    assert.equal((await app.inject({ method: 'POST', url: THING, payload, headers: { ...json, ...await authorized('POST') } })).statusCode, 200);
  });

  test('of exactly 1 MiB pass', async () => {
    const { app, authorized } = await setUp();
    const payload = JSON.stringify('x'.repeat(MIB - 2));
    assert.equal((await app.inject({ method: 'POST', url: THING, payload, headers: { ...json, ...await authorized('POST') } })).statusCode, 200);
  });
});

describe('urls', () => {
  test('of a lenient facade match in any case, with double slashes and by its aliases', async () => {
    const { app, identity } = await setUp({ facade: echoFacade({ prefix: '/commandcenter/api', aliases: ['/webconsole/api'], caseInsensitive: true, schemes: ['authtoken'] }) });
    const token = await identity.openSession({ kind: 'user', id: '5f0000000000000000000010', name: 'admin', orgId: '5f0000000000000000000001', grants: [] });
    for (const url of ['/commandcenter/api/groups/1/things/B', '/CommandCenter/API//Groups/1/Things/b', '/webconsole/api/groups/1/things/b?Name=Keep', '/webconsole//api/groups//1/THINGS/b/']) {
      const answer = await app.inject({ url, headers: { authtoken: token } });
      assert.deepEqual([answer.statusCode, answer.json<{ params: unknown }>().params], [200, { groupId: '1', name: 'b' }], url);
    }
  });

  test('of a strict facade match as they are', async () => {
    const { app } = await setUp();
    assert.equal((await app.inject({ url: THING.toUpperCase() })).statusCode, 404);
  });

  test('that are malformed are answered by their facade', async () => {
    const { app } = await setUp();
    const answer = await app.inject({ url: '/api/echo/v1/groups/%zz/things/a' });
    assert.deepEqual([answer.statusCode, answer.json<{ kind: string }>().kind], [400, 'badRequest']);
    assert.equal((await app.inject({ url: '/%zz' })).statusCode, 400);
  });

  test('outside of every door are not found', async () => {
    const { app } = await setUp();
    assert.equal((await app.inject({ url: '/' })).statusCode, 404);
    assert.equal((await app.inject({ method: 'POST', url: '/x', payload: 'y', headers: { 'content-type': 'text/plain' } })).statusCode, 404);
  });
});

describe('answers', () => {
  test('carry a request id and security headers', async () => {
    const { app } = await setUp();
    const { headers } = await app.inject({ url: '/api/echo/v1/open' });
    assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['strict-transport-security'], undefined);
  });

  test('to an unexpected failure say nothing of its inside, the log does', async () => {
    const { app, authorized, lines } = await setUp();
    const answer = await app.inject({ url: '/api/echo/v1/fails', headers: await authorized('GET', '/api/echo/v1/fails') });
    assert.deepEqual([answer.statusCode, answer.json<{ kind: string }>().kind], [500, 'internal']);
    assert.ok(!answer.body.includes('secret inner word'));
    assert.ok(lines.some((line) => line.includes('a secret inner word') && line.includes(String(answer.headers['x-request-id']))));
  });

  test('are logged without queries and credentials', async () => {
    const { app, authorized, lines } = await setUp();
    const { authorization } = await authorized('GET', `${THING}?token=hush`);
    await app.inject({ url: `${THING}?token=hush`, headers: { authorization, cookie: 'sid=hush' } });
    const line = lines.find((each) => each.includes('"status":200')) ?? '';
    assert.ok(line.includes(THING) && line.includes('"by":"abcdefgh"'), line);
    assert.ok(!lines.join('').includes('hush') && !lines.join('').includes('response='));
  });
});

describe('the audit', () => {
  test('has every write with its outcome, and no reads', async () => {
    const { app, authorized, events } = await setUp();
    await app.inject({ url: THING, headers: await authorized('GET') });
    await app.inject({ method: 'DELETE', url: `${THING}?x=hush`, headers: await authorized('DELETE', `${THING}?x=hush`) });
    await app.inject({ method: 'POST', url: THING, payload: '{', headers: { 'content-type': 'application/json', ...await authorized('POST') } });
    assert.deepEqual(events.map(({ action, projectId, object, address, details }) => [action, projectId, object, address, details?.status]), [
      ['echo DELETE /groups/:groupId/things/:name', '5f0000000000000000000003', THING, '127.0.0.1', 200],
      ['echo POST /groups/:groupId/things/:name', '5f0000000000000000000003', THING, '127.0.0.1', 400],
    ]);
  });

  test('leaves out what is told to be reading, and who has no credentials', async () => {
    const { app, authorized, events } = await setUp({ facade: echoFacade({ readingRoutes: ['/groups/:groupId/things/:name'] }) });
    await app.inject({ method: 'POST', url: THING, headers: await authorized('POST') });
    await app.inject({ method: 'POST', url: '/api/echo/v1/groups/1/things/2' });
    assert.deepEqual(events, []);
  });

  test('has nothing of requests beyond the limit of a credential: the limit protects it, too', async () => {
    const limited = echoFacade({
      register(app) {
        app.addHook('onRequest', () => Promise.reject(new LeafvaultError('RATE_LIMITED', 'Taking a request failed: the limit is used up')));
        app.post('/groups/:groupId/things/:name', () => Promise.resolve({}));
        app.get('/groups/:groupId/things/:name', () => Promise.resolve({}));
      },
      presentFailure: ({ kind }) => ({ status: kind === 'error' ? 429 : 401, body: {} }),
    });
    const { app, authorized, events } = await setUp({ facade: limited });
    assert.equal((await app.inject({ method: 'POST', url: THING, headers: await authorized('POST') })).statusCode, 429);
    assert.deepEqual(events, []);
  });

  test('has the outcome of a change whose client went away before the answer', async () => {
    const [reached, goOn, settled] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>(), Promise.withResolvers<readonly AuditRecord[]>()];
    const held = echoFacade({
      register(app) {
        app.get('/groups/:groupId/things/:name', () => Promise.resolve({}));
        app.post('/groups/:groupId/things/:name', async (request) => {
          const gone = once(request.raw.socket, 'close');
          reached.resolve(undefined);
          await Promise.all([gone, goOn.promise]);
          return {};
        });
      },
    });
    const audit = { record: full, begin: () => Promise.resolve(1), settle: (_: number, events: readonly AuditRecord[]) => Promise.resolve(settled.resolve(events)) };
    const { authorized } = await setUp({ facade: held, parts: { audit } });
    const origin = await server?.listen({ host: '127.0.0.1', port: 0 });
    const asked = request(`${origin}${THING}`, { method: 'POST', headers: await authorized('POST') });
    asked.on('error', () => undefined);
    asked.end();
    await reached.promise;
    asked.destroy();
    goOn.resolve(undefined);
    assert.deepEqual((await settled.promise).map(({ details }) => details?.['status']), [200]);
  });

  test('that cannot be begun keeps the change from being made', async () => {
    const { app, facade, authorized } = await setUp({ parts: { audit: FULL } });
    assert.equal((await app.inject({ method: 'POST', url: THING, headers: await authorized('POST') })).statusCode, 500);
    assert.deepEqual(facade.reached, []);
  });

  test('whose outcome cannot be kept does not undo the answer', async () => {
    const { app, facade, authorized, lines } = await setUp({ parts: { audit: { ...FULL, begin: () => Promise.resolve(1) } } });
    assert.equal((await app.inject({ method: 'POST', url: THING, headers: await authorized('POST') })).statusCode, 200);
    assert.equal(facade.reached.length, 1);
    assert.ok(lines.some((line) => line.includes('disk is full')));
  });
});
