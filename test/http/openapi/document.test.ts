// The document of the APIs: whole, sound, and served with its page.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger } from '../../../src/foundation/logger.ts';
import { buildServer, openApiDoor } from '../../../src/http/index.ts';
import { ownDocument, RESOURCES, SECTIONS } from '../../../src/http/openapi/document.ts';
import type { Handler } from '../../../src/http/wire/describe.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { memoryServices } from '../../support/memory-services.ts';

type Json = Readonly<Record<string, unknown>>;

/** Operations that are served and not described yet, as `METHOD path` below the prefix. To be shortened, never to be made longer. */
const NOT_DESCRIBED: readonly RegExp[] = [];

const document = ownDocument('1.2.3');
const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));

describe('the document of the APIs', () => {
  test('has every operation that is served, each described', () => {
    const described = new Set<Handler>(RESOURCES.flatMap((resource) => resource.operations.map(([handler]) => handler)));
    const bare = SECTIONS.flatMap((section) => section.operations.filter(({ handle }) => !described.has(handle as Handler)).map(({ method, path }) => `${method} ${path}`));
    assert.deepEqual(bare.filter((each) => !NOT_DESCRIBED.some((known) => known.test(each))), []);
    assert.equal(operations.length, SECTIONS.flatMap((section) => section.operations).length);
  });

  test('describes each handler once, and none that is not served', () => {
    const all = RESOURCES.flatMap((resource) => resource.operations.map(([handler]) => handler));
    assert.equal(new Set(all).size, all.length);
    const served = new Set(SECTIONS.flatMap((section) => section.operations.map(({ handle }) => handle as Handler)));
    assert.deepEqual(all.filter((handler) => !served.has(handler)).map(({ name }) => name), []);
  });

  test('gives every operation an id of its own', () => {
    const ids = operations.map(({ operation }) => operation['operationId']);
    assert.equal(new Set(ids).size, ids.length);
  });

  test('refers to nothing that it lacks', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(schemas|responses)\/([^"]+)"/g)];
    assert.ok(refs.length > 100);
    const lacking = refs.filter(([, part = '', name = '']) => (document.components[part] as Json)[name] === undefined);
    assert.deepEqual(lacking.map(([text]) => text), []);
  });

  test('has the parameters of each path, the dates of each version and the roles', () => {
    const snapshot = document.paths['/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}']?.['get'];
    assert.deepEqual((snapshot?.['parameters'] as Json[]).map(({ in: where, name }) => `${String(where)} ${String(name)}`), ['path groupId', 'path clusterName', 'path snapshotId', 'query envelope', 'query pretty']);
    assert.deepEqual(snapshot?.['x-required-role'], ['GROUP_READ_ONLY']);
    const schedule = document.paths['/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/schedule']?.['patch'];
    const typesOf = (part: unknown): string[] => Object.keys((part as { content: object }).content);
    assert.deepEqual(typesOf((schedule?.['responses'] as Json)['200']), ['application/vnd.atlas.2023-01-01+json', 'application/vnd.atlas.2024-08-05+json']);
    assert.deepEqual(typesOf(schedule?.['requestBody']), ['application/vnd.atlas.2023-01-01+json', 'application/vnd.atlas.2024-08-05+json', 'application/json']);
  });

  test('is served with its page to anybody, and the page needs nothing from elsewhere', async () => {
    const clock = fakeClock();
    const server = await buildServer({
      services: memoryServices(clock, () => '').services, facades: [], plugins: [openApiDoor('1.2.3')], log: createLogger('silent'), clock, publicUrl: 'http://leafvault.test', version: { gitHash: 'a', versionString: '1.2.3' },
    });
    const told = await server.app.inject('/api/openapi.json');
    assert.equal(told.statusCode, 200);
    assert.deepEqual(JSON.parse(told.body), JSON.parse(JSON.stringify(document)));
    const page = await server.app.inject('/api/docs');
    assert.match(String(page.headers['content-type']), /^text\/html/);
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'/);
    for (const { operation } of operations) assert.ok(page.body.includes(`id="${String(operation['operationId'])}"`), String(operation['operationId']));
    assert.ok(!/<script|src=|https?:\/\//.test(page.body), 'it fetches nothing');
    await server.close(0);
  });
});
