import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { buildServer, type HttpServer } from '../../src/http/index.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { DIGEST_KEY } from '../support/digest-client.ts';
import { echoFacade } from '../support/echo-facade.ts';
import { runCurl } from '../support/run-curl.ts';
import { servicesInMemory } from '../support/services-in-memory.ts';

const USER = `${DIGEST_KEY.username}:${DIGEST_KEY.password}`;
const facade = echoFacade();
let server: HttpServer;
let thing: string;

before(async () => {
  server = await buildServer({
    services: servicesInMemory(), facades: [facade], log: createLogger('silent'), clock: systemClock, publicUrl: null,
    version: { gitHash: '0'.repeat(40), versionString: '0.1.0' },
  });
  thing = `${await server.listen({ host: '127.0.0.1', port: 0 })}/api/echo/v1/groups/5f0000000000000000000003/things/a`;
});

after(() => server.close());
beforeEach(() => { facade.reached.length = 0; });

describe('curl --digest', () => {
  test('gets through with the second request', async () => {
    const { status, body, sent } = await runCurl(['--user', USER, '--digest', `${thing}?pretty=true&name=a%20b`]);
    assert.equal(status, 200);
    assert.equal((JSON.parse(body) as { by: string }).by, 'abcdefgh');
    assert.equal(sent.filter((line) => line.startsWith('GET ')).length, 2);
    assert.match(sent.find((line) => line.startsWith('Authorization: Digest')) ?? '', /qop=auth, .*nc=00000001|nc=00000001, .*qop=auth/);
  });

  test('sends its body once it knows the challenge', async () => {
    const { status } = await runCurl(['--user', USER, '--digest', '-X', 'POST', '-H', 'Content-Type: application/json', '--data', '{"deliveryType":"automated"}', thing]);
    assert.equal(status, 200);
    assert.deepEqual(facade.reached, [{ method: 'POST', by: 'abcdefgh', body: { deliveryType: 'automated' } }]);
  });

  test('is refused with a wrong key, and acts on nothing', async () => {
    const { status, got } = await runCurl(['--user', 'abcdefgh:wrong', '--digest', '-X', 'DELETE', thing]);
    assert.equal(status, 401);
    assert.equal(got.filter((line) => /^www-authenticate:/i.test(line)).length, 2, 'one challenge in each of two answers');
    assert.deepEqual(facade.reached, []);
  });

  test('asks anew for each of several requests on one connection', async () => {
    const { status, sent, got } = await runCurl(['--user', USER, '--digest', thing, thing, thing]);
    assert.equal(status, 200);
    assert.equal(facade.reached.length, 3);
    assert.equal(new Set(sent.filter((line) => line.startsWith('Authorization:'))).size, 3);
    assert.equal(got.filter((line) => line.startsWith('HTTP/1.1 401')).length, 3);
  });

  test('hears of a body that is too large', async () => {
    const { status, body } = await runCurl(['--user', USER, '--digest', '-X', 'POST', '-H', 'Content-Type: application/json', '--data-binary', '@-', thing], `"${'x'.repeat(1_100_000)}"`);
    assert.equal(status, 413);
    assert.ok(body.includes('bodyTooLarge'));
    assert.deepEqual(facade.reached, []);
  });
});

describe('an unauthenticated request', () => {
  test('with a whole body on it leaves the connection usable for the answer', async () => {
    // As Go clients do: the body goes out with the first request, the second one follows on the same connection.
    const { status, got } = await runCurl(['-X', 'POST', '-H', 'Content-Type: application/json', '--data-binary', '@-', thing, thing], `"${'x'.repeat(200_000)}"`);
    assert.equal(status, 401);
    assert.equal(got.filter((line) => line.startsWith('HTTP/1.1 401')).length, 2);
    assert.deepEqual(facade.reached, []);
  });

  test('that announces a body over the limit is answered without waiting for it', async () => {
    const status = await new Promise((resolve, reject) => {
      const sending = request(thing, { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': String(1 << 30) } });
      sending.once('response', (answer) => {
        resolve([answer.statusCode, answer.headers.connection]);
        sending.destroy();
      });
      sending.once('error', reject);
      sending.write('{');
    });
    assert.deepEqual(status, [401, 'close']);
  });
});
