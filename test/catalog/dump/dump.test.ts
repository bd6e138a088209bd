// The catalog as lines of one instant, and back into other tables under another master key.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect } from '../../../src/catalog/connection.ts';
import { describeTables } from '../../../src/catalog/dump/describe-tables.ts';
import { createCatalogDumps } from '../../../src/catalog/dump/dump-source.ts';
import { DUMP_POLICY, SEALED_COLUMNS } from '../../../src/catalog/dump/dump-policy.ts';
import { openCatalog, openForRescue, type Catalog, type CatalogDumps } from '../../../src/catalog/index.ts';
import { migrate, readMigrations } from '../../../src/catalog/migrate.ts';
import { freshProgress } from '../../../src/domain/plan-run.ts';
import { defaultSchedule } from '../../../src/domain/schedule.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { createSealer } from '../../../src/foundation/seal.ts';
import type { PostgresQueue } from '../../../src/jobs/index.ts';
import { createAskForDrill } from '../../../src/services/index.ts';
import { insertCompleted, makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { at, saveChain } from '../../support/chain-rows.ts';
import { askForRestore, askForSnapshot } from '../../support/job-rows.ts';
import { mutateJson } from '../../support/mutate.ts';
import { freshSchema, silent, testSealer, type TestDatabase } from '../../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../../support/queued-catalog.ts';

const OTHER_SEALER = createSealer(Buffer.alloc(32, 9));
/** Made anew by triggers; counts of nothing stay behind where rows went. */
const COUNTS = ['row_counts', 'event_counts'];
const URI = 'mongodb://u:top-secret@127.0.0.1:27017/';

async function linesOf(dumps: CatalogDumps, everything = false): Promise<{ readonly lines: string[]; readonly migrations: readonly string[]; readonly broken: number }> {
  const found = await dumps.take({ wait: true, everything }, async (dump) => {
    const lines: string[] = [];
    for await (const line of dump.lines()) lines.push(line);
    return { lines, migrations: dump.migrations, broken: dump.counts.broken };
  });
  assert.ok(found);
  return found;
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

describe('a dump of the catalog', () => {
  let server: TestDatabase;
  let opened: QueuedCatalog;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let inventory: Inventory;
  before(async () => {
    opened = await startQueuedCatalog();
    ({ server, catalog, queue } = opened);
    inventory = await makeInventory(catalog, URI);
    await fill(catalog, queue, inventory);
  });
  after(() => opened?.close());

  const rescueInto = (schema: string, sealer = OTHER_SEALER) => openForRescue({ database: server.database, schema, sealer, log: silent, clock: systemClock });
  const shapeOf = async ({ address, schema }: Pick<Catalog, 'address' | 'schema'>) => {
    const db = connect({ address, schema, poolSize: 1, idleTransactionMs: 10_000, log: silent });
    return describeTables(db.withoutPlugins() as never, schema).finally(() => db.destroy());
  };

  test('says of every table what becomes of it, and of every sealed column what it is sealed for', async () => {
    const { tables } = await shapeOf(catalog);
    const unnamed = tables.map(({ name }) => name).filter((name) => DUMP_POLICY[name] === undefined);
    assert.deepEqual(unnamed, [], 'a new table needs its line in src/catalog/dump/dump-policy.ts');
    const sealed = tables.flatMap(({ name, columns }) => columns.filter((column) => column.endsWith('_sealed')).map((column) => `${name}.${column}`));
    assert.deepEqual(sealed.sort(), Object.keys(SEALED_COLUMNS).sort());
    for (const name of Object.keys(DUMP_POLICY)) assert.ok(tables.some((table) => table.name === name), `there is no table ${name}`);
  });

  test('comes back row by row, with its secrets under the new master key and nothing of processes that are gone', async () => {
    const { lines, migrations, broken } = await linesOf(catalog.dumps);
    assert.equal(broken, 0);
    const target = await rescueInto(freshSchema());
    const loaded = await target.load({ migrations, lines: each(lines) }, (name) => name === 'masterKeyFingerprint');
    const rescued = await target.open();
    for (const { name } of (await shapeOf(catalog)).tables) {
      if (DUMP_POLICY[name]?.kind === 'never' && !COUNTS.includes(name)) continue;
      const rowsOf = async (of: Catalog): Promise<readonly string[]> => (await of.transaction((tx) => tx.executeSql(
        `select (to_jsonb(t) - 'uri_sealed' - 'private_key_sealed' - 'ha1_sealed' - 'owner' - 'expires_at')::text as line from ${name} t`,
      ))).rows.map(({ line }) => String(line)).sort();
      const [was, is] = [await rowsOf(catalog), await rowsOf(rescued)];
      const own = (line: string): boolean => name === 'settings' && /"(rescue|masterKeyFingerprint)"/.test(line);
      const counts = (all: readonly string[]): readonly string[] => all.filter((line) => !own(line) && !(COUNTS.includes(name) && /"n": 0,/.test(line)));
      assert.deepEqual(counts(is), counts(was), name);
      assert.ok(was.length > 0, `the test has no row of ${name}`);
      if (name !== 'settings' && !COUNTS.includes(name)) assert.equal(loaded[name], was.length, name);
    }
    assert.equal(await rescued.clusters.uriOf(inventory.cluster.id), URI);
    assert.equal((await rescued.apiKeys.byPublicKey('abcdefgh'))?.ha1, 'a'.repeat(32));
    const { rows } = await rescued.transaction((tx) => tx.executeSql('select (select count(*) from leases where owner is not null) + (select count(*) from tailers where owner is not null) as n'));
    assert.equal(Number(rows[0]?.['n']), 0);
    // Numbers go on behind those that were given.
    const project = await makeInventory(rescued);
    const given = (await rescued.transaction((tx) => tx.executeSql('select max(number) as n from (select number from jobs union select number from numbers) x'))).rows[0]?.['n'];
    assert.ok(await rescued.numbers.numberOf('project', project.project.id) > Number(given));
    await target.close();
  });

  test('stands for one instant, whatever is written meanwhile', async () => {
    await catalog.dumps.take({ wait: true, everything: false }, async (dump) => {
      const lines = dump.lines()[Symbol.asyncIterator]();
      await lines.next();
      const late = await makeInventory(catalog);
      for (let next = await lines.next(); next.done !== true; next = await lines.next()) assert.ok(!next.value.includes(late.cluster.id));
    });
  });

  test('is taken by one at a time', async () => {
    const inside = await catalog.dumps.take({ wait: false, everything: false }, async () => catalog.dumps.take({ wait: false, everything: false }, async () => 'second'));
    assert.equal(inside, null);
  });

  test('leaves out what is over for long, unless something refers to it, and everything goes in before a migration', async () => {
    const { snapshotId, jobId } = await insertCompleted(catalog, inventory);
    const kept = await insertCompleted(catalog, inventory);
    const old = await insertCompleted(catalog, inventory);
    await catalog.transaction(async (tx) => {
      await tx.executeSql(`update jobs set created_at = now() - interval '1 year' where id = any($1::text[])`, [[jobId, kept.jobId, old.jobId]]);
      await tx.executeSql(`update snapshots set deleted_at = now() - interval '1 year' where id = any($1::text[])`, [[snapshotId, old.snapshotId]]);
    });
    const recent = (await linesOf(catalog.dumps)).lines.join('\n');
    assert.deepEqual([snapshotId, jobId, old.jobId, kept.snapshotId, kept.jobId].map((id) => recent.includes(id)), [false, false, false, true, true]);
    assert.ok((await linesOf(catalog.dumps, true)).lines.join('\n').includes(old.jobId));
  });

  test('takes a secret that does not open as it is, and says so', async () => {
    const sealed = testSealer.seal('x', 'something else');
    await catalog.transaction((tx) => tx.executeSql('update api_keys set ha1_sealed = $1 where public_key = $2', [sealed, 'abcdefgh']));
    const { lines, broken, migrations } = await linesOf(catalog.dumps);
    assert.equal(broken, 1);
    const target = await rescueInto(freshSchema());
    await target.load({ migrations, lines: each(lines) }, () => false);
    const rescued = await target.open();
    const { rows } = await rescued.transaction((tx) => tx.executeSql('select ha1_sealed from api_keys'));
    assert.equal(rows[0]?.['ha1_sealed'], sealed);
    await target.close();
  });

  test('is refused where something is, where it is cut off, or of a newer version, and leaves empty tables', async () => {
    const { lines, migrations } = await linesOf(catalog.dumps);
    const full = await rescueInto(catalog.schema, testSealer);
    assert.ok((await full.content()).some((words) => /^\d+ clusters$/.test(words)));
    await assert.rejects(full.load({ migrations, lines: each(lines) }, () => false), { code: 'CATALOG_NOT_EMPTY', message: /clusters/ });
    await assert.rejects(rescueInto(catalog.schema), { code: 'CATALOG_NOT_EMPTY', message: /another rescue/ });
    await full.close();
    const target = await rescueInto(freshSchema());
    await assert.rejects(target.load({ migrations: [...migrations, '9999-later'], lines: each(lines) }, () => false), { code: 'CATALOG_NEWER' });
    await assert.rejects(target.load({ migrations, lines: each(lines.slice(0, -1)) }, () => false), { code: 'CATALOG_DUMP_DAMAGED', message: /its end is missing/ });
    await assert.rejects(target.load({ migrations, lines: each(lines.map((line) => line.replace(/"hosts": ?\[/, '"hosts": [["top-secret"], '))) }, () => false), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'CATALOG_DUMP_DAMAGED');
      assert.doesNotMatch(JSON.stringify([error.message, String(error.cause)]), /top-secret/);
      return true;
    });
    assert.deepEqual(await target.content(), []);
    // One that was broken off behind its rows is made anew.
    await target.load({ migrations, lines: each(lines) }, () => false);
    assert.deepEqual(await target.content(), []);
    await target.load({ migrations, lines: each(lines) }, () => false);
    await target.close();
  });

  test('with any line altered is loaded or refused by name, and no message quotes a secret', async (context) => {
    const { lines, migrations } = await linesOf(catalog.dumps);
    const target = await rescueInto(freshSchema());
    const seed = Number(process.env['LEAFVAULT_TEST_SEED'] ?? Date.now() % 1_000_000);
    let refused = 0;
    for (let n = 0; n < (process.env['LEAFVAULT_LONG_TESTS'] === '1' ? 300 : 6); n += 1) {
      const which = (seed + n * 7) % lines.length;
      const altered = lines.map((line, i) => (i === which ? JSON.stringify(mutateJson(JSON.parse(line), { at: seed + n, value: seed + n * 13 })) : line));
      await target.load({ migrations, lines: each(altered) }, () => false).catch((error: unknown) => {
        assert.ok(isLeafvaultError(error, 'CATALOG_DUMP_DAMAGED'), `seed ${seed}: ${altered[which]}: ${error instanceof Error ? error.stack : String(error)}`);
        assert.doesNotMatch(error.message, /top-secret|a-private-key/);
        refused += 1;
      });
    }
    context.diagnostic(`seed ${seed}: ${refused} refused`);
    await target.close();
  });

  test('of an older version comes back at that version, and is migrated', async () => {
    const files = await readMigrations();
    const schema = freshSchema();
    const db = connect({ address: catalog.address, schema, poolSize: 4, idleTransactionMs: 10_000, log: silent });
    await migrate(db, schema, files.slice(0, 7));
    const dumps = createCatalogDumps({ db, schema, sealer: () => Promise.resolve(testSealer), clock: systemClock });
    const { lines, migrations } = await linesOf(dumps, true);
    assert.equal(migrations.length, 7);
    const target = await rescueInto(freshSchema());
    await target.load({ migrations, lines: each(lines) }, () => false);
    const rescued = await target.open();
    assert.equal((await linesOf(rescued.dumps)).migrations.length, files.length);
    await target.close();
    await db.destroy();
  });

  test('is asked for once before tables that hold something are changed, and a failure leaves them as they are', async () => {
    const files = await readMigrations();
    const schema = freshSchema();
    const db = connect({ address: catalog.address, schema, poolSize: 4, idleTransactionMs: 10_000, log: silent });
    await migrate(db, schema, files.slice(0, 7));
    const seen: number[] = [];
    const open = (beforeMigration: (dumps: CatalogDumps) => Promise<void>) => openCatalog({ database: server.database, schema, sealer: testSealer, log: silent, clock: systemClock, beforeMigration });
    await assert.rejects(open(() => Promise.reject(new Error('the store is away'))), /the store is away/);
    const before = async (dumps: CatalogDumps): Promise<void> => void seen.push((await linesOf(dumps, true)).migrations.length);
    const catalogs = await Promise.all([open(before), open(before), open(before)]);
    assert.deepEqual(seen, [7]);
    for (const each of catalogs) await each.close();
    await (await open(before)).close();
    assert.deepEqual(seen, [7], 'nothing is due any more');
    await (await openCatalog({ database: server.database, schema: freshSchema(), sealer: testSealer, log: silent, clock: systemClock, beforeMigration: before })).close();
    assert.deepEqual(seen, [7], 'fresh tables hold nothing');
    await db.destroy();
  });
});

/** A row of everything that is dumped. */
async function fill(catalog: Catalog, queue: PostgresQueue, inventory: Inventory): Promise<void> {
  const { orgId, project, cluster } = inventory;
  await catalog.apiKeys.insert({ id: newId(), orgId, publicKey: 'abcdefgh', privateKey: 'a-private-key', ha1: 'a'.repeat(32), description: 'späte Schlüssel "\\', accessList: ['10.0.0.0/8'] });
  await catalog.users.insert({ id: newId(), orgId, name: 'Änne', password: 'secret' });
  const account = await catalog.serviceAccounts.insert({ id: newId(), orgId, clientId: 'mdb_sa_id_1', clientSecret: 'secret', description: '', accessList: [] });
  await catalog.roleGrants.add('serviceAccount', account.id, [{ role: 'ORG_OWNER', orgId, projectId: null } as never]);
  await askForSnapshot(catalog, queue, inventory);
  const restore = await askForRestore(catalog, queue, inventory);
  const claimed = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['restore'] });
  assert.ok(claimed);
  await catalog.restorePlans.save(String(restore.restoreId), restore.job.id, { text: 'a\u0000b' });
  const drill = await catalog.transaction((tx) => createAskForDrill({ queue, clock: systemClock })(tx, {
    cluster: inventory.cluster, order: { everyHours: 0, at: null, place: 'scratch', target: null, namespaces: ['shop'] }, trigger: 'asked', requestedBy: 'test',
  }));
  await catalog.drills.savePlan(drill?.id ?? '', { text: 'a\u0000b' });
  await catalog.drills.choose(inventory.cluster.id, { at: '03:00' });
  await catalog.snapshots.setExpiry(restore.snapshotId, new Date('2031-01-01T00:00:00Z'));
  await catalog.transaction((tx) => tx.executeSql('insert into downloads (restore_id, expiration_hours, file_name) values ($1, 0.1, $2)', [restore.restoreId, 'x.tar.gz']));
  await catalog.subclients.list(cluster.id);
  await catalog.numbers.numberOf('cluster', cluster.id);
  await catalog.settings.set('firstStart', project.id);
  await catalog.auditEvents.insert({ principalKind: null, principalId: null, principalName: null, action: 'test', projectId: project.id, object: null, address: '::1', details: { a: [1, 2.5], status: 200 } } as never);
  await catalog.transaction((tx) => tx.executeSql("insert into revoked_bearers values ('t', now() + interval '1 hour')"));
  const schedule = defaultSchedule(cluster.id, new Date(), newId);
  await catalog.schedules.save({ schedule, progress: { ...freshProgress(new Date()), owed: [schedule.items[0]!.id] } });
  await catalog.schedules.addRun({ clusterId: cluster.id, dueAt: new Date(), snapshotId: restore.snapshotId, items: schedule.items, missed: 2 });
  await catalog.compliance.save({
    projectId: project.id, authorizedEmail: 'legal@example.com', authorizedUserFirstName: null, authorizedUserLastName: null, copyProtectionEnabled: false, encryptionAtRestEnabled: false, pitEnabled: false,
    restoreWindowDays: 0, onDemandItem: null, scheduledItems: schedule.items.slice(0, 1),
  }, 'abcdefgh');
  const bucket = await catalog.exportBuckets.insert({ id: newId(), projectId: project.id, bucketName: 'exports', iamRoleId: 'x', isDeclared: null, region: null });
  await catalog.transaction(async (tx) => {
    const job = await queue.enqueue(tx, { id: newId(), kind: 'export', payload: { exportId: newId() }, projectId: project.id, clusterId: cluster.id, snapshotId: restore.snapshotId, restoreId: null, requestedBy: 'test' });
    await tx.exports.insert({ id: newId(), jobId: job.id, projectId: project.id, clusterId: cluster.id, clusterName: cluster.name, snapshotId: restore.snapshotId, bucketId: bucket.id, prefix: 'exported_snapshots/x/1', labels: [{ key: 'a' }] });
  });
  await catalog.collectionRestores.insert(String(restore.restoreId), cluster.id, { writeStrategy: 'CREATE_NEW', databases: [{ source: 'shop' }], collections: [], databaseSuffix: null, collectionSuffix: '_1' });
  await saveChain(catalog, inventory, at(1_000), at(2_000));
  await catalog.workers.seen({ id: 'w', host: 'h', pid: 1, processStart: '' });
  await catalog.tailers.claim({ clusterId: cluster.id, workerId: 'w', leaseSeconds: 60 });
  // Beyond what a JavaScript date or number holds.
  await catalog.transaction((tx) => tx.executeSql("update organizations set created_at = '2026-03-01 12:00:00.123456+00'"));
}
