// Rescues on a real PostgreSQL and a local store: what is refused, what is passed over, and the dump before a migration.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { connect } from '../../src/catalog/connection.ts';
import { openCatalog, type Catalog } from '../../src/catalog/index.ts';
import { migrate, readMigrations } from '../../src/catalog/migrate.ts';
import { assertNoRescue } from '../../src/composition/assert-no-rescue.ts';
import { dumpBeforeMigration } from '../../src/composition/dump-before-migration.ts';
import { loadMasterKey, type MasterKey } from '../../src/composition/master-key.ts';
import { findDumps, planRescue, rescue } from '../../src/composition/rescue.ts';
import { loadConfig, type Config } from '../../src/config/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { newId } from '../../src/foundation/ids.ts';
import { dumpCatalog } from '../../src/jobs/index.ts';
import { openOrInitRepository, type Repository } from '../../src/repository/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { insertCompleted, makeInventory } from '../support/catalog-rows.ts';
import { silent, startExternal } from '../support/postgres.ts';

const CHOICE = { dumpId: null, withoutDump: false, onStep: () => undefined };

describe('a rescue', () => {
  let server: Awaited<ReturnType<typeof startExternal>>;
  let folder: string;
  let config: Config;
  let key: MasterKey;
  let repository: Repository;
  before(async () => { server = await startExternal(); });
  after(() => server.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leafvault-rescue-test-'));
    config = configOf('home');
    key = await loadMasterKey(config.masterKeyFile);
    repository = (await openOrInitRepository({ storage: openStorage(config.repositoryStore), masterKey: key.bytes, tempDir: join(folder, 'tmp'), threads: 0 })).repository;
    await emptyDatabase();
  });
  afterEach(async () => {
    await repository.close();
    await rm(folder, { recursive: true, force: true });
  });

  function configOf(home: string): Config {
    return loadConfig({
      flags: {}, env: { LEAFVAULT_HOME: join(folder, home), LEAFVAULT_DATABASE_URL: server.url, LEAFVAULT_REPOSITORY_STORE: `file:${join(folder, 'store')}` }, cwd: folder,
      readFile: () => { throw Object.assign(new Error('none'), { code: 'ENOENT' }); },
    });
  }
  const database = () => connect({ address: { url: server.url }, schema: 'leafvault', poolSize: 4, idleTransactionMs: 10_000, log: silent });
  async function emptyDatabase(): Promise<void> {
    const db = database();
    await db.schema.dropSchema('leafvault').ifExists().cascade().execute();
    await db.destroy();
  }
  const open = (): Promise<Catalog> => openCatalog({ database: { url: server.url }, masterKey: key, log: silent, clock: systemClock });
  /** A catalog with a cluster, dumped; then it is gone. @returns id of the cluster */
  async function dumpAndLose(dumps = 1): Promise<string> {
    const catalog = await open();
    await catalog.settings.set('repositoryId', repository.id);
    const { cluster } = await makeInventory(catalog);
    for (let n = 0; n < dumps; n += 1) await dumpCatalog({ dumps: catalog.dumps, repository }, { reason: 'asked', wait: true });
    await catalog.close();
    await emptyDatabase();
    return cluster.id;
  }
  const parts = (of: Config = config, masterKey: Uint8Array = key.bytes) => ({ config: of, masterKey, clock: systemClock, log: silent });
  const damage = async (dumpId: string): Promise<void> => {
    const path = join(folder, 'store/catalog', dumpId, '0000000001');
    const bytes = await readFile(path);
    await rm(path);
    await writeFile(path, bytes.subarray(0, -1));
  };

  test('passes over a dump that is damaged for an older one, and refuses to guess where none is whole', async () => {
    await dumpAndLose(2);
    const { dumps: [newest, older] } = await findDumps(parts());
    await damage(newest!.id);
    const plan = await planRescue(parts(configOf('second')), CHOICE);
    assert.deepEqual([plan.dump?.id, plan.inTheWay], [older!.id, []]);
    await assert.rejects(rescue(parts(configOf('second')), { ...CHOICE, dumpId: newest!.id }), { code: 'REPOSITORY_DUMP_MISSING' });
    await damage(older!.id);
    await assert.rejects(rescue(parts(configOf('second')), CHOICE), { code: 'REPOSITORY_DUMP_MISSING', hint: /--without-dump/ });
    await assert.rejects(rescue(parts(configOf('second')), { ...CHOICE, withoutDump: true }), { code: 'RESCUE_NOTHING_THERE' });
  });

  test('writes over nothing: no catalog that holds something, and no file of another key', async () => {
    const clusterId = await dumpAndLose();
    const second = configOf('second');
    const stranger = await loadMasterKey(second.masterKeyFile);
    await assert.rejects(rescue(parts(second), CHOICE), { code: 'RESCUE_KEY_OTHER' });
    assert.equal((await readFile(second.masterKeyFile, 'utf8')).trim(), stranger.recoveryKey);
    await assert.rejects(rescue(parts(configOf('third'), stranger.bytes), CHOICE), { code: 'REPOSITORY_KEY_WRONG' });
    const report = await rescue(parts(configOf('third')), CHOICE);
    assert.deepEqual([report.totals.clusters, report.waiting, report.freshKeys], [1, [], []]);
    assert.equal((await loadMasterKey(configOf('third').masterKeyFile)).recoveryKey, key.recoveryKey);
    await assert.rejects(rescue(parts(configOf('third')), CHOICE), { code: 'CATALOG_NOT_EMPTY', message: /1 clusters/ });
    assert.match((await planRescue(parts(configOf('third')), CHOICE)).inTheWay.join(), /1 clusters/);
    const catalog = await open();
    await assertNoRescue(catalog);
    assert.equal(await catalog.settings.get('repositoryId'), repository.id);
    assert.match(String(await catalog.clusters.uriOf(clusterId)), /top-secret/);
    await catalog.close();
  });

  test('that ends before its work is done keeps services away, and is begun anew', async () => {
    const clusterId = await dumpAndLose();
    const catalog = await open();
    await catalog.settings.set('rescue', true);
    await insertCompleted(catalog, await makeInventory(catalog));
    await assert.rejects(assertNoRescue(catalog), { code: 'RESCUE_UNFINISHED', hint: /again/ });
    await catalog.close();
    await rescue(parts(), CHOICE);
    const rescued = await open();
    await assertNoRescue(rescued);
    assert.deepEqual((await rescued.clusters.ofProjects(null)).map(({ id }) => id), [clusterId]);
    await rescued.close();
  });

  test('without a dump makes an API key for each organization that it had to make, and says which clusters wait', async () => {
    const clusterId = newId();
    const writer = await repository.openWriter();
    await writer.commit({
      id: newId(), createdAt: '2026-03-01T12:00:00.000Z', series: clusterId,
      body: { engineVersion: 1, source: { replicaSetName: 'rs0', serverVersion: '6.0.5', replicaSetId: null }, consistency: 'point-in-time', pointInTime: { t: 1, i: 1 }, beganAt: null, capturedAt: '2026-03-01T12:00:00.000Z', collections: 0, documents: 0, bytes: 0 },
    });
    const report = await rescue(parts(), CHOICE);
    assert.deepEqual(report.waiting, [`rs0-${clusterId.slice(-6)} of project Rescued`]);
    assert.equal(report.freshKeys.length, 1);
    const catalog = await open();
    assert.ok(await catalog.apiKeys.byPublicKey(report.freshKeys[0]!.publicKey));
    assert.equal(await catalog.settings.get('firstStart'), (await catalog.clusters.get(clusterId))?.projectId, 'where LEAFVAULT_SOURCE_URI belongs');
    await catalog.close();
  });

  test('finds the dump that was taken before tables were changed; where that fails they are not', async () => {
    const db = database();
    const files = await readMigrations();
    await migrate(db, 'leafvault', files.slice(0, 7));
    const put = (name: string, value: string) => db.insertInto('settings').values({ key: name, value: JSON.stringify(value) }).execute();
    const openNew = (of: Partial<Config>, masterKey = key): Promise<Catalog> => openCatalog({
      database: { url: server.url }, masterKey, log: silent, clock: systemClock,
      beforeMigration: dumpBeforeMigration({ config: { ...config, ...of }, masterKey, tempDir: join(folder, 'tmp'), clock: systemClock, log: silent }),
    });
    await put('repositoryId', repository.id);
    await put('masterKeyFingerprint', createHmac('sha256', key.bytes).update('leafvault master key fingerprint v1').digest('hex').slice(0, 32));
    const applied = async (): Promise<number> => (await db.withoutPlugins().selectFrom('migration_checksums' as never).selectAll().execute()).length;

    await assert.rejects(openNew({ repositoryStore: `file:${join(folder, 'unplugged')}` }), { code: 'CATALOG_DUMP_FAILED', hint: /catalog-before-migration nothing/ });
    const stranger = await loadMasterKey(join(folder, 'stranger.key'));
    await assert.rejects(openNew({}, { ...stranger, fresh: false }), { code: 'CATALOG_KEY_OTHER' });
    assert.deepEqual([await applied(), (await repository.dumps.list()).length], [7, 0]);
    await (await openNew({})).close();
    assert.equal(await applied(), files.length);
    const { dumps: [dump] } = await findDumps(parts());
    assert.deepEqual([dump?.body?.reason, dump?.body?.migrations.length], ['migration', 7]);

    await emptyDatabase();
    await migrate(db, 'leafvault', files.slice(0, 7));
    await put('repositoryId', repository.id);
    await (await openNew({ repositoryStore: `file:${join(folder, 'unplugged')}`, beforeMigration: 'nothing' })).close();
    assert.equal(await applied(), files.length);
    await db.destroy();
  });
});
