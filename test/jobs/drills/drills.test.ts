// Drills on real parts: a replica set with authorization and the two roles, the embedded PostgreSQL, a repository in memory.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/index.ts';
import type { Drill, DrillChoices, DrillDefaults, DrillOrder } from '../../../src/domain/drill.ts';
import * as engine from '../../../src/engine/index.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { askAllForLostDrills } from '../../../src/jobs/rescue/lost-drills.ts';
import { createHandlers, createLostDrillsChore, openPostgresQueue, scheduleDrills, Worker, type HandlerParts, type JobHandler, type PostgresQueue } from '../../../src/jobs/index.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createAskForDrill, createDrills, createOverview } from '../../../src/services/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { insertCompleted, makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { startSource, type Source } from '../../support/installation.ts';
import { askForSnapshot, ended, until } from '../../support/job-rows.ts';
import { resolveMongod } from '../../support/mongod.ts';
import { NO_DRILLS } from '../../support/small-engine.ts';
import { silent, startEmbedded, type TestDatabase } from '../../support/postgres.ts';
import { copyToMemory, openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer } from '../../support/restore-world.ts';

const NEVER: DrillDefaults = { everyHours: null, at: null, where: null, mongod: null };
const SCRATCH: DrillOrder = { everyHours: 0, at: null, place: 'scratch', target: null, namespaces: [] };
const DOCUMENTS = 400;

describe('a restore drill', { timeout: 900_000 }, () => {
  let server: TestDatabase;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let source: Source;
  let inventory: Inventory;
  let storage: Storage;
  let repository: Repository;
  let tempRoot: string;
  let binary: string;
  let snapshotId: string;
  let live: Record<string, string>;
  let onPhase: (phase: string) => Promise<void> = () => Promise.resolve();
  /** Of the drill that was begun last. */
  let signal: AbortSignal;
  const workers: Worker[] = [];

  const startWorker = async (changes: Partial<HandlerParts> = {}): Promise<Worker> => {
    const handlers = createHandlers({
      ...NO_DRILLS,
      catalog, repositories: { forProject: () => Promise.resolve(repository) }, clock: systemClock, capture: engine.captureSnapshot, restore: engine.restoreSnapshot, settle: engine.settleRestore,
      undo: engine.undoRestore, dropKept: engine.dropKept, slicesOfChain: engine.slicesOfChain, rehearse: engine.rehearseRestore, settleRehearsal: engine.settleRehearsal,
      startThrowaway: engine.startThrowaway, drillMongod: binary, onPhase: (phase) => onPhase(phase), ...changes,
    });
    const drill: JobHandler = (context) => {
      signal = context.signal;
      return handlers.drill(context);
    };
    const worker = new Worker({ catalog, queue, handlers: { ...handlers, drill }, clock: systemClock, log: silent, tempRoot, leaseSeconds: 10, drainMs: 0 });
    workers.push(worker);
    await worker.start();
    return worker;
  };
  const ask = async (order: Partial<DrillOrder> = {}): Promise<Drill> => {
    const drill = await catalog.transaction((tx) => createAskForDrill({ queue, clock: systemClock })(tx, { cluster: inventory.cluster, order: { ...SCRATCH, ...order }, trigger: 'asked', requestedBy: 'test' }));
    return drill ?? assert.fail('there is no snapshot');
  };
  const endOf = async ({ id, jobId }: Drill): Promise<Drill> => {
    await ended(catalog, jobId);
    return (await catalog.drills.get(id)) ?? assert.fail();
  };
  const databases = async (): Promise<string[]> => ((await source.mongo.admin({ listDatabases: 1, nameOnly: true })).databases as { name: string }[]).map(({ name }) => name).sort();
  const scratchNow = async (): Promise<string[]> => (await databases()).filter((name) => name.startsWith('__lvd_'));
  /** What the drills leave: nothing but what was there. */
  const assertClean = async (): Promise<void> => {
    assert.deepEqual(await scratchNow(), []);
    assert.deepEqual(await contentOfServer(source.mongo.adminUri), live);
    assert.equal(await source.client.db('__leafvault').collection('plans').countDocuments(), 0);
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    assert.deepEqual(await readdir(tempRoot), []);
  };

  before(async () => {
    [server, source, tempRoot, { path: binary }] = await Promise.all([startEmbedded(), startSource(DOCUMENTS), mkdtemp(join(tmpdir(), 'leafvault-drills-')), resolveMongod()]);
    catalog = await server.open();
    queue = await openPostgresQueue({ catalog, log: silent });
    storage = createMemoryStorage();
    repository = await openTestRepository(storage);
    const shop = source.client.db('shop');
    await shop.createCollection('strict', { validator: { n: { $gt: 0 } } });
    await shop.collection('strict').insertMany([{ n: 1, at: new Date(0) }, { n: 2, at: new Date() }]);
    // None is over before 2033: on a slow machine the server would take it away meanwhile.
    await shop.collection('strict').createIndex({ at: 1 }, { expireAfterSeconds: 2e9 });
    await shop.createCollection('large', { viewOn: 'orders', pipeline: [{ $match: { _id: { $gt: 100 } } }] });
    await shop.createCollection('weather', { timeseries: { timeField: 't', metaField: 'm' } });
    await shop.collection('weather').insertMany([{ t: new Date(), m: 1, c: 20 }, { t: new Date(), m: 2, c: 21 }]);
    await source.client.db('logs').createCollection('ring', { capped: true, size: 8192 });
    await source.client.db('logs').collection('ring').insertMany([{ a: 1 }, { a: 2 }]);
    inventory = await makeInventory(catalog, source.uri);
    await startWorker();
    const asked = await askForSnapshot(catalog, queue, inventory);
    assert.equal((await ended(catalog, asked.job.id)).state, 'completed');
    ({ snapshotId } = asked);
    live = await contentOfServer(source.mongo.adminUri);
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await queue?.close();
    await catalog?.close();
    await repository?.close();
    await source?.[Symbol.asyncDispose]();
    await server?.stop();
    await rm(tempRoot, { recursive: true, force: true });
  });
  afterEach(() => { onPhase = () => Promise.resolve(); });

  test('that is due is made once by eight that look at once, proves the newest snapshot in scratch databases that no snapshot holds, and leaves nothing', async () => {
    const clock = fakeClock(new Date('2026-03-01T12:00:00Z'));
    await catalog.drills.choose(inventory.cluster.id, { everyHours: 24, at: '03:00' });
    const look = (): Promise<void> => scheduleDrills({ catalog, clock, log: silent, defaults: NEVER, ask: createAskForDrill({ queue, clock: systemClock }) }).run(new AbortController().signal);
    const made = async (): Promise<number> => (await catalog.drills.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 10 })).totalCount;
    await look();
    clock.advance(15 * 3_600_000 - 1);
    await look();
    assert.equal(await made(), 0, 'not with the start, and not before its time');
    // Four days without a worker: one, not four.
    clock.advance(4 * 24 * 3_600_000);
    let during: { readonly databases: readonly string[]; readonly names: readonly string[] } | undefined;
    onPhase = async (phase) => {
      if (phase !== 'prove') return;
      const asked = await askForSnapshot(catalog, queue, inventory);
      assert.equal((await ended(catalog, asked.job.id)).state, 'completed');
      const reader = await repository.openReader();
      const names: string[] = [];
      for await (const { name } of reader.entries(await repository.loadSnapshot(asked.snapshotId))) names.push(name);
      await reader.close();
      during = { databases: await scratchNow(), names };
    };
    await Promise.all(Array.from({ length: 8 }, look));
    await look();
    assert.equal(await made(), 1);
    const [{ id }] = (await catalog.drills.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 1 })).items as [Drill];
    const drill = await endOf((await catalog.drills.get(id)) ?? assert.fail());
    assert.equal(drill.state, 'completed', drill.errorMessage ?? '');
    assert.deepEqual([drill.trigger, drill.snapshotId, drill.documents, drill.collections], ['schedule', snapshotId, DOCUMENTS + 6, 4]);
    assert.equal(drill.indexes, 2, 'besides those of _id');
    assert.deepEqual(drill.phases.map(({ phase }) => phase), ['preflight', 'prepare', 'load', 'indexes', 'prove', 'drop']);
    assert.ok(drill.phases.every(({ ms }) => ms >= 0) && (drill.phases.find(({ phase }) => phase === 'prove')?.ms ?? 0) > 0);
    assert.equal(during?.databases.length, 2);
    assert.deepEqual(during?.names.filter((name) => name.includes('__lv')), [], 'a snapshot beside it takes none of it');
    assert.ok(((await catalog.clusters.get(inventory.cluster.id))?.lastProvenAt?.getTime() ?? 0) >= (drill.startedAt?.getTime() ?? Infinity));
    await catalog.drills.choose(inventory.cluster.id, null);
    await assertClean();
  });

  test('on a mongod of its own goes through the swap, users and roles too, and ends the server; the cluster is not spoken to', async () => {
    await startWorker();
    const folders: string[] = [];
    onPhase = async (phase) => {
      if (phase === 'prove') folders.push(...(await jobFolders()));
    };
    const uri = await catalog.clusters.uriOf(inventory.cluster.id) ?? assert.fail();
    await catalog.clusters.setUri(inventory.cluster.id, 'mongodb://127.0.0.1:1/', []);
    const drill = await endOf(await ask({ place: 'mongod' }));
    await catalog.clusters.setUri(inventory.cluster.id, uri, []);
    assert.equal(drill.state, 'completed', drill.errorMessage ?? '');
    assert.deepEqual(drill.phases.map(({ phase }) => phase), ['start', 'preflight', 'prepare', 'load', 'indexes', 'prove', 'swap', 'finish', 'drop']);
    assert.deepEqual([drill.documents, drill.collections, drill.targetClusterId], [DOCUMENTS + 6, 4, null]);
    assert.equal(folders.filter((name) => name === 'mongod').length, 1);
    await assertClean();

    const { expected, lastProven } = await createDrills({ catalog, queue, clock: systemClock, defaults: NEVER }).recovery((await catalog.clusters.get(inventory.cluster.id)) ?? assert.fail());
    assert.equal(lastProven?.id, drill.id);
    assert.deepEqual(expected?.unmeasured, []);
    assert.ok((expected?.milliseconds ?? 0) > 0);
  });

  test('of a snapshot whose pack rotted fails by name with a next step, leaves nothing, and is told by the metrics', async () => {
    const sound = repository;
    repository = await openTestRepository(await copyToMemory(storage, (name, bytes) => (name.startsWith('packs/') ? flipped(bytes) : bytes)));
    await startWorker();
    try {
      const drill = await endOf(await ask({ namespaces: ['shop.orders', 'shop.weather'] }));
      assert.equal(drill.state, 'failed');
      assert.match(drill.errorCode ?? '', /^REPOSITORY_/);
      assert.match(drill.errorMessage ?? '', /packs\//);
      assert.ok((drill.errorHint ?? '') !== '');
      assert.deepEqual(drill.phases.slice(0, 2).map(({ phase }) => phase), ['preflight', 'prepare']);
      const { clusters } = await createOverview({ catalog, clock: systemClock }).read();
      const told = clusters.find(({ cluster }) => cluster.id === inventory.cluster.id)?.recovery;
      assert.equal(told?.lastDrill?.state, 'failed');
      assert.equal(told?.lastProven?.state, 'completed', 'what was proven before is still told');
    } finally {
      await repository.close();
      repository = sound;
    }
    await assertClean();
  });

  test('that is cancelled leaves nothing; one that may not be is told by name: unknown target, no binary, indexes that would be missing', async () => {
    await startWorker({ drillMongod: null });
    let seen: readonly string[] = [];
    let cancelled: Drill | null = null;
    onPhase = async (phase) => {
      if (phase !== 'indexes' || cancelled === null) return;
      seen = await scratchNow();
      await queue.cancel(cancelled.jobId, 'test');
      await until('its worker to hear of the cancel', () => Promise.resolve(signal.aborted));
    };
    cancelled = await ask({ namespaces: ['shop'] });
    assert.equal((await endOf(cancelled)).state, 'cancelled');
    assert.equal(seen.length, 1);
    cancelled = null;
    const codeOf = async (choices: Partial<DrillOrder>): Promise<string | null> => (await endOf(await ask(choices))).errorCode;
    assert.equal(await codeOf({ target: 'nobody' }), 'DRILL_TARGET_UNKNOWN');
    assert.equal(await codeOf({ place: 'mongod' }), 'DRILL_MONGOD_UNSET');
    assert.equal(await codeOf({ namespaces: ['nothing'] }), 'RESTORE_SELECTION_EMPTY');
    await assertClean();
    await startWorker({
      async rehearse(options) {
        const result = await engine.rehearseRestore(options);
        return { ...result, collections: result.collections.map((each) => ({ ...each, failedIndexes: [{ name: 'by text', reason: 'the key is too long' }] })) };
      },
    });
    const failed = await endOf(await ask({ namespaces: ['shop.orders'] }));
    assert.equal(failed.errorCode, 'DRILL_INDEXES_FAILED');
    assert.match(failed.errorMessage ?? '', /shop\.orders by text: the key is too long/);
    await assertClean();
  });

  test('lets a scratch database be that somebody put something into, and the next worker takes it away when that is gone', async () => {
    await startWorker();
    let scratch = '';
    onPhase = async (phase) => {
      if (phase !== 'indexes') return;
      [scratch = ''] = await scratchNow();
      await source.client.db(scratch).collection('mine').insertOne({ keep: 'me' });
    };
    const drill = await endOf(await ask({ namespaces: ['shop'] }));
    assert.deepEqual([drill.state, drill.errorCode], ['failed', 'RESTORE_SCRATCH_IN_USE']);
    assert.deepEqual((await source.client.db(scratch).listCollections().toArray()).map(({ name }) => name).sort(), ['mine', 'system.views']);
    assert.ok(await catalog.drills.isOpen(drill.id));
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await source.client.db(scratch).collection('mine').drop();
    await startWorker();
    await until('the drill to be settled', async () => !(await catalog.drills.isOpen(drill.id)));
    await assertClean();
  });

  test('of chosen namespaces is proven, and says nothing of the whole cluster', async () => {
    await startWorker();
    const before = (await catalog.clusters.get(inventory.cluster.id))?.lastProvenAt;
    const drill = await endOf(await ask({ namespaces: ['logs'] }));
    assert.deepEqual([drill.state, drill.collections], ['completed', 1], drill.errorMessage ?? '');
    assert.deepEqual((await catalog.clusters.get(inventory.cluster.id))?.lastProvenAt, before);
    await assertClean();
  });

  test('that was begun after the last dump of a catalog that was lost is found on its target after the rescue, and taken away; one of others is left', async () => {
    const [drillId, theirs] = [newId(), '0123456789abcdef01234567'];
    const [reader, root] = [await repository.openReader(), await repository.loadSnapshot(snapshotId)];
    let dead = false;
    const die = (): void => { if (dead) throw new LeafvaultError('JOBS_LEASE_LOST', 'its worker died'); };
    await assert.rejects(engine.rehearseRestore({
      restoreId: drillId, reader, root, hashSeed: repository.hashSeed, namespaces: [], indexStrategy: 'ALL', tempDir: tempRoot, signal: new AbortController().signal, log: silent, clock: systemClock,
      target: { uri: source.uri }, journal: { load: () => Promise.resolve(null), save: async () => die() }, onProgress: () => undefined,
      onPhase: async (phase) => { dead ||= phase === 'prove'; die(); },
    }), { code: 'JOBS_LEASE_LOST' });
    await reader.close();
    assert.ok((await scratchNow()).length > 0);
    const plans = source.client.db('__leafvault').collection<{ _id: string; snapshotId: string }>('plans');
    const plan = (await plans.findOne({ _id: drillId })) ?? assert.fail('its plan lies on the target');
    await plans.insertOne({ ...plan, _id: theirs, snapshotId: theirs });

    await catalog.transaction((tx) => askAllForLostDrills(tx));
    const chore = createLostDrillsChore({ catalog, clock: systemClock, log: silent, find: engine.findRehearsals });
    await Promise.all([chore.run(new AbortController().signal).catch(() => undefined), chore.run(new AbortController().signal).catch(() => undefined)]);
    await startWorker();
    await until('the drill to be settled', async () => (await catalog.drills.get(drillId)) !== null && !(await catalog.drills.isOpen(drillId)));
    assert.deepEqual([(await catalog.drills.get(drillId))?.errorCode, await catalog.drills.get(theirs), await plans.countDocuments({ _id: theirs })], ['JOBS_CATALOG_RESCUED', null, 1]);
    await plans.deleteOne({ _id: theirs });
    await assertClean();
  });

  test('takes the newest whole snapshot, not a newer one of chosen namespaces, and is planned again where its anchor lies ahead', async () => {
    const part = await insertCompleted(catalog, inventory);
    await catalog.transaction((tx) => tx.executeSql('update snapshots set selection = $1, requested_at = now() + interval \'1 hour\' where id = $2', [JSON.stringify({ databases: ['shop'], collections: [] }), part.snapshotId]));
    const drill = await ask();
    assert.notEqual(drill.snapshotId, part.snapshotId);
    assert.equal(await queue.cancel(drill.jobId, 'test'), 'cancelled');
    const clock = fakeClock(new Date('2027-03-01T12:00:00Z'));
    await catalog.drills.choose(inventory.cluster.id, { everyHours: 24 });
    const look = (): Promise<void> => scheduleDrills({ catalog, clock, log: silent, defaults: NEVER, ask: () => Promise.resolve(null) }).run(new AbortController().signal);
    await look();
    clock.advance(-365 * 24 * 3_600_000);
    await look();
    assert.ok((await catalog.drills.schedule(inventory.cluster.id))!.from! <= clock.now(), 'a clock that was wrong for a moment stops no drills');
    await catalog.snapshots.markDeleted(part.snapshotId);
  });

  test('takes the newest snapshot of the filter that the cluster has now, and proves nothing of it with another one', async () => {
    const { id } = inventory.cluster;
    const provenAt = async (): Promise<Date | null | undefined> => (await catalog.clusters.get(id))?.lastProvenAt;
    await startWorker();
    const ofEverything = await ask();
    await catalog.clusters.setNamespaceFilter(id, { kind: 'included', databases: ['shop'], collections: [] });
    const before = await provenAt();
    assert.equal((await endOf(ofEverything)).state, 'completed');
    assert.deepEqual(await provenAt(), before, 'it was asked for before there was a filter');
    await assert.rejects(ask(), /there is no snapshot/, 'none was taken under the filter');
    const asked = await askForSnapshot(catalog, queue, inventory, { selection: { databases: ['shop'], collections: [] } });
    assert.equal((await ended(catalog, asked.job.id)).state, 'completed');
    for (const place of ['scratch', 'mongod'] as const) {
      const drill = await endOf(await ask({ place }));
      assert.deepEqual([drill.snapshotId, drill.state, drill.errorCode], [asked.snapshotId, 'completed', null]);
    }
    assert.ok((await provenAt())! > before!);
    await catalog.clusters.setNamespaceFilter(id, null);
    await assertClean();
  });

  test('takes what a cluster declares: a target of another name, and no drill where nothing is planned', async () => {
    const other = await catalog.clusters.insert({ id: inventory.cluster.id.replace(/.{4}$/, 'beef'), projectId: inventory.project.id, name: 'staging', uri: source.uri, hosts: [] });
    const choices: DrillChoices = { target: 'staging', namespaces: ['logs'] };
    await catalog.drills.choose(inventory.cluster.id, choices);
    const drills = createDrills({ catalog, queue, clock: systemClock, defaults: NEVER });
    const drill = await drills.ask({ cluster: inventory.cluster, requestedBy: 'test' });
    assert.deepEqual([drill.targetClusterId, drill.namespaces], [other.id, ['logs']]);
    await drills.cancel({ cluster: inventory.cluster, id: drill.id, requestedBy: 'test' });
    assert.equal((await drills.get(inventory.cluster.id, drill.id)).state, 'cancelled');
    await assert.rejects(drills.ask({ cluster: other, requestedBy: 'test' }), { code: 'DRILL_WITHOUT_SNAPSHOT' });
    const { nextDrillAt, order } = await drills.recovery(inventory.cluster);
    assert.deepEqual([order.everyHours, nextDrillAt === null], [0, true]);
  });

  /** Names in the folders of jobs that run. */
  async function jobFolders(): Promise<string[]> {
    const found: string[] = [];
    for (const worker of await readdir(tempRoot)) for (const job of existsSync(join(tempRoot, worker)) ? await readdir(join(tempRoot, worker)) : []) found.push(...(await readdir(join(tempRoot, worker, job))));
    return found;
  }
});

/** In the middle, where chunks are. */
function flipped(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  // Not one byte alone, which may lie in a chunk that is not read; and documents only, which come first.
  for (let at = 64; at < copy.length / 2; at += 40) copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
