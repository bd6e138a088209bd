import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { createIdentity } from '../../src/services/identity.ts';
import { applyDeclared, firstStart, masterKeyFrom } from '../../src/services/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startEmbedded, type TestDatabase } from '../support/postgres.ts';

const clock = fakeClock();
const masterKey = Buffer.alloc(32, 5);
const SOURCE = 'mongodb://root:top-secret@127.0.0.1:27017/';
let database: TestDatabase;
let catalog: Catalog;

before(async () => { database = await startEmbedded(); });
after(async () => { await database?.stop(); });
beforeEach(async () => { catalog = await database.open({ clock }); });
afterEach(async () => { await catalog.close(); });

function start(sourceUri: string | null = SOURCE) {
  return firstStart({ catalog, clock, masterKey, sourceUri });
}

describe('firstStart', () => {
  test('makes organization, project, cluster, key and user, and gives their secrets', async () => {
    const made = await start();
    assert.ok(made !== null);
    assert.match(made.apiKey.publicKey, /^[a-z]{8}$/);
    assert.match(made.apiKey.privateKey, /^[0-9a-f-]{36}$/);
    assert.ok(made.user.password.length >= 20);
    assert.deepEqual(masterKeyFrom(made.recoveryKey), masterKey);
    const identity = createIdentity({ catalog, clock, secret: masterKey });
    assert.equal((await identity.apiKey(made.apiKey.publicKey))?.principal.orgId, made.organization.id);
    assert.ok('principal' in ((await identity.login(made.user.name, made.user.password)) ?? {}));
    const cluster = await catalog.clusters.byName(made.project.id, made.cluster?.name ?? '');
    assert.equal(await catalog.clusters.uriOf(cluster?.id ?? ''), SOURCE);
  });

  test('gives nothing the second time, and changes nothing', async () => {
    await start();
    assert.equal(await start(), null);
    assert.equal(await catalog.apiKeys.count(), 1);
  });

  test('happens once when several processes start at once', async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => start()));
    assert.equal(made.filter((each) => each !== null).length, 1);
    assert.equal(await catalog.users.count(), 1);
  });

  test('does without a cluster, which a later start may bring or change', async () => {
    const made = await start(null);
    assert.equal(made?.cluster, null);
    await start();
    await start('mongodb://127.0.0.1:27018/');
    const clusters = (await catalog.clusters.list(made?.project.id ?? '', { pageNumber: 1, itemsPerPage: 10 })).items;
    assert.deepEqual(clusters.map(({ name, hosts }) => [name, hosts]), [['cluster0', ['127.0.0.1:27018']]]);
  });

  test('makes nothing beside what was declared before', async () => {
    await applyDeclared({ catalog, clock }, [{ name: 'Example' }]);
    assert.equal(await start(null), null);
    assert.equal(await catalog.apiKeys.count(), 0);
    await assert.rejects(start(), { code: 'DECLARATION_INVALID' });
  });

  test('makes nothing at all when the address is none, and does not tell it', async () => {
    await assert.rejects(start('top-secret'), (error: Error) => !error.message.includes('top-secret'));
    assert.ok((await start()) !== null);
  });
});
