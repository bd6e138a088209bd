// The catalog's own key: made once, wrapped by master keys that come and go, and an older catalog is brought over.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { openCatalog, type Catalog, type MasterKeyInHand } from '../../src/catalog/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { newId } from '../../src/foundation/ids.ts';
import { createSealer } from '../../src/foundation/seal.ts';
import { makeInventory } from '../support/catalog-rows.ts';
import { freshSchema, silent, startExternal, type TestDatabase } from '../support/postgres.ts';

const key = (fill: number): MasterKeyInHand => ({ bytes: Buffer.alloc(32, fill), id: `000000000000000${fill}` });
const [M, N, P] = [key(1), key(2), key(3)];
const URI = 'mongodb://u:top-secret@127.0.0.1:27017/';

describe('the key of the catalog', { timeout: 900_000 }, () => {
  let server: TestDatabase;
  let schema: string;
  const opened: Catalog[] = [];
  before(async () => { server = await startExternal(); });
  after(async () => {
    for (const catalog of opened) await catalog.close();
    await server.stop();
  });
  const open = async (masterKey: MasterKeyInHand): Promise<Catalog> => {
    const catalog = await openCatalog({ database: server.database, schema, masterKey, log: silent, clock: systemClock });
    opened.push(catalog);
    return catalog;
  };

  test('is made once by the first master key, and no other key opens it', async () => {
    schema = freshSchema();
    const all = await Promise.all(Array.from({ length: 5 }, () => open(M)));
    assert.equal(new Set(all.map(({ secret }) => secret.toString('hex'))).size, 1);
    assert.notDeepEqual(all[0]?.secret, M.bytes);
    await assert.rejects(open(N), { code: 'CATALOG_KEY_OTHER' });
  });

  test('stays when a master key is added and the first is removed, and so does what is sealed', async () => {
    schema = freshSchema();
    const first = await open(M);
    const { cluster } = await makeInventory(first, URI);
    await first.masterKeys.add(N);
    await first.masterKeys.add(N);
    const second = await open(N);
    assert.deepEqual(second.secret, first.secret);
    assert.equal(await second.clusters.uriOf(cluster.id), URI);
    await second.masterKeys.remove(M.id);
    await second.masterKeys.remove(M.id);
    assert.deepEqual((await second.masterKeys.list()).map(({ masterKeyId }) => masterKeyId), [N.id]);
    await assert.rejects(open(M), { code: 'CATALOG_KEY_OTHER' });
    // Who has it open goes on, and writes what the other can read.
    const later = await makeInventory(first, URI);
    assert.equal(await second.clusters.uriOf(later.cluster.id), URI);
  });

  test('is not given up: neither the key in hand nor the last one that stays goes', async () => {
    schema = freshSchema();
    const first = await open(M);
    await first.masterKeys.add(N);
    const second = await open(N);
    await assert.rejects(first.masterKeys.remove(M.id), { code: 'CATALOG_KEY_NEEDED' });
    const both = await Promise.allSettled([first.masterKeys.remove(N.id), second.masterKeys.remove(M.id)]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], 'of two that take each other away one is refused');
    assert.equal((await first.masterKeys.list()).length, 1);
  });

  test('tells an altered row from another key', async () => {
    schema = freshSchema();
    const catalog = await open(M);
    await catalog.transaction((tx) => tx.executeSql(`update catalog_keys set sealed = 'v1.' || sealed`));
    await assert.rejects(open(M), { code: 'SEAL_BROKEN' });
    // A row of another secret under the name of a new key is not taken for an addition.
    await catalog.transaction((tx) => tx.executeSql('insert into catalog_keys values ($1, $2, now())', [P.id, createSealer(P.bytes).seal(Buffer.alloc(32).toString('base64'), 'catalog key')]));
    await assert.rejects(catalog.masterKeys.add(P), { code: 'CATALOG_KEY_OTHER' });
  });

  test('takes over a catalog whose secrets were sealed with the master key, once for all that start', async () => {
    schema = freshSchema();
    const old = await openCatalog({ database: server.database, schema, sealer: createSealer(M.bytes), log: silent, clock: systemClock });
    opened.push(old);
    await old.settings.set('masterKeyFingerprint', createHmac('sha256', M.bytes).update('leafvault master key fingerprint v1').digest('hex').slice(0, 32));
    const { orgId, cluster } = await makeInventory(old, URI);
    const ha1 = 'ab'.repeat(16);
    await old.apiKeys.insert({ id: newId(), orgId, publicKey: 'abcdefgh', privateKey: 'private', ha1, description: '', accessList: [] });
    const broken = await makeInventory(old, URI);
    await old.transaction((tx) => tx.executeSql("update clusters set uri_sealed = 'v1.AAAA' where id = $1", [broken.cluster.id]));
    await assert.rejects(open(N), { code: 'CATALOG_KEY_OTHER' });
    const all = await Promise.all(Array.from({ length: 4 }, () => open(M)));
    for (const catalog of all) {
      assert.equal(await catalog.clusters.uriOf(cluster.id), URI);
      assert.equal((await catalog.apiKeys.byPublicKey('abcdefgh'))?.ha1, ha1);
    }
    await assert.rejects(all[0]?.clusters.uriOf(broken.cluster.id) ?? assert.fail(), { code: 'SEAL_BROKEN' }, 'one that was altered before holds up no other');
    await assert.rejects(old.clusters.uriOf(cluster.id), { code: 'SEAL_BROKEN' });
    await all[0]?.masterKeys.add(N);
    assert.equal(await (await open(N)).clusters.uriOf(cluster.id), URI);
  });

  test('covers every sealed column there is', async () => {
    schema = freshSchema();
    const catalog = await open(M);
    const { rows } = await catalog.transaction((tx) => tx.executeSql(
      "select table_name || '.' || column_name as name from information_schema.columns where table_schema = $1 and column_name like '%sealed%' order by 1", [schema]));
    // A new one goes into `sealAnew` of catalog-keys.ts where older catalogs have it, and then here.
    assert.deepEqual(rows.map(({ name }) => name), ['api_keys.ha1_sealed', 'api_keys.private_key_sealed', 'catalog_keys.sealed', 'clusters.uri_sealed']);
  });
});
