// Opening a catalog: who may, which servers, and what the migrations refuse.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect } from '../../src/catalog/connection.ts';
import { openCatalog } from '../../src/catalog/index.ts';
import { migrate, readMigrations } from '../../src/catalog/migrate.ts';
import { refuseOldServer } from '../../src/catalog/open-catalog.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { until } from '../support/job-rows.ts';
import { DATABASES, freshSchema, silent, startExternal, testSealer, type TestDatabase } from '../support/postgres.ts';

const open = (url: string) => openCatalog({ database: { url }, schema: freshSchema(), sealer: testSealer, log: silent, clock: systemClock });

describe('opening a catalog by URL', () => {
  let server: Awaited<ReturnType<typeof startExternal>>;
  before(async () => { server = await startExternal(); });
  after(() => server.stop());

  test('is refused with a wrong password, without telling it', async () => {
    await assert.rejects(open(server.url.replace('not-a-secret', 'hunter2')), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'CATALOG_LOGIN_REFUSED');
      assert.doesNotMatch(JSON.stringify([error.message, error.cause]), /hunter2/);
      return true;
    });
    await assert.rejects(open(server.url.replace(/postgres$/, 'nowhere')), { code: 'CATALOG_LOGIN_REFUSED' });
  });

  test('tells of a server that is not there', async () => {
    await assert.rejects(open('postgres://u:hunter2@127.0.0.1:1/postgres'), (error: Error & { code?: string; retryable?: boolean }) => {
      assert.equal(error.code, 'CATALOG_UNREACHABLE');
      assert.equal(error.retryable, true);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });

  test('refuses a server older than 14 by name', () => {
    assert.throws(() => refuseOldServer(130_021, '13.21'), { code: 'CATALOG_TOO_OLD', message: /PostgreSQL 13\.21/ });
    refuseOldServer(140_000, '14.0');
  });
});

for (const { name, start } of DATABASES) {
  describe(`the tables on ${name}`, () => {
    let server: TestDatabase;
    before(async () => { server = await start(); });
    after(() => server.stop());

    test('are made once when several processes begin together', async () => {
      const schema = freshSchema();
      const catalogs = await Promise.all([1, 2, 3].map(() => server.open({ schema })));
      for (const catalog of catalogs) await catalog.ping();
      const { rows } = await catalogs[0]?.transaction((tx) => tx.executeSql('select name from migration_checksums')) ?? { rows: [] };
      assert.equal(rows.length, (await readMigrations()).length);
      await Promise.all(catalogs.map((catalog) => catalog.close()));
    });

    test('take new migrations in order and refuse changed and unknown ones', async () => {
      const schema = freshSchema();
      const catalog = await server.open({ schema });
      const db = connect({ address: catalog.address, schema, poolSize: 2, idleTransactionMs: 10_000, log: silent });
      const known = await readMigrations();
      const more = [...known, { name: '9001-more', text: 'create table more (a int)' }];
      await migrate(db, schema, more);
      await migrate(db, schema, more);
      await assert.rejects(migrate(db, schema, known), { code: 'CATALOG_NEWER', message: /9001-more/ });
      await assert.rejects(migrate(db, schema, [...known, { name: '9001-more', text: 'create table more (b int)' }]), { code: 'CATALOG_MIGRATION_CHANGED' });
      await assert.rejects(migrate(db, schema, [...more, { name: '9002-broken', text: 'create table half (a int); select 1/0' }]), { code: 'CATALOG_MIGRATION_FAILED' });
      const { rows } = await catalog.transaction((tx) => tx.executeSql('select to_regclass(\'half\') as half'));
      assert.equal(rows[0]?.['half'], null);
      await db.destroy();
      await catalog.close();
    });

    test('send notifications, also after the listening connection broke', async () => {
      const catalog = await server.open();
      const heard: string[] = [];
      let connects = 0;
      const listener = catalog.listen('leafvault_test', (text) => heard.push(text), () => { connects += 1; });
      await until('the first connection', async () => connects === 1);
      await catalog.transaction((tx) => tx.executeSql('select pg_notify($1, $2)', ['leafvault_test', 'one']));
      await until('the first message', async () => heard.includes('one'));
      await catalog.transaction((tx) => tx.executeSql('select pg_terminate_backend(pid) from pg_stat_activity where query = $1', ['listen leafvault_test']));
      await until('the second connection', async () => connects === 2);
      await catalog.transaction((tx) => tx.executeSql('select pg_notify($1, $2)', ['leafvault_test', 'two']));
      await until('the second message', async () => heard.includes('two'));
      await listener.close();
      await catalog.close();
    });
  });
}
