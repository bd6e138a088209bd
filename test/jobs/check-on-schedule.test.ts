// Checks that run by themselves, on a real catalog: exactly one worker, one part after the other, and what rotted is healed by the next snapshot.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import type { Catalog } from '../../src/catalog/index.ts';
import { checkKey, type CheckState } from '../../src/domain/check-state.ts';
import { restoreSnapshot } from '../../src/engine/restore/index.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { checkOnSchedule } from '../../src/jobs/index.ts';
import type { CheckReport, Repository } from '../../src/repository/index.ts';
import { createOverview } from '../../src/services/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { insertCompleted, makeInventory, OUTCOME } from '../support/catalog-rows.ts';
import { takeSnapshot } from '../support/capture.ts';
import { appendSlices, beginChain, numberName } from '../support/chain-fixture.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { startReplicaSet } from '../support/mongod.ts';
import { emptyCatalog, silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { copyToMemory, objectNames, openTestRepository, randomChunks, writeSnapshot } from '../support/repository-fixture.ts';
import { contentOfServer, restoreWorld } from '../support/restore-world.ts';

const HOUR_MS = 3_600_000;
const SOUND: CheckReport = { packs: 0, chunks: 0, snapshots: 0, bytesRead: 0, quarantinedPacks: 0, quarantinedCopies: 0, releasedPacks: 0, problems: [] };

describe('a check on a schedule', () => {
  let server: TestDatabase;
  let catalog: Catalog;
  let clock: FakeClock;
  let storage: Storage;
  let repository: Repository;

  before(async () => {
    server = await startEmbedded();
    clock = fakeClock(OUTCOME.capturedAt);
    catalog = await server.open({ clock });
  });
  after(async () => {
    await catalog.close();
    await server.stop();
  });
  beforeEach(async () => {
    await emptyCatalog(catalog);
    storage = createMemoryStorage();
    repository = await openTestRepository(storage, { clock });
  });

  const worker = (of: Repository = repository, parts = 3, everyHours = 24) => {
    const chore = checkOnSchedule({ catalog, clock, log: silent, repositories: () => Promise.resolve([of]), everyHours, parts });
    return (signal: AbortSignal = new AbortController().signal): Promise<void> => chore.run(signal);
  };
  /** A repository that only notes what it is asked for. */
  const noting = (check: (part: number) => Promise<CheckReport> = () => Promise.resolve(SOUND)): { readonly parts: number[]; readonly repository: Repository } => {
    const parts: number[] = [];
    return {
      parts,
      repository: {
        ...repository,
        check: (options) => {
          const part = typeof options?.readData === 'object' ? options.readData.part : 0;
          assert.equal(options?.quarantine, true);
          parts.push(part);
          return check(part);
        },
      },
    };
  };
  const stateNow = async (): Promise<CheckState> => (await catalog.settings.get(checkKey(repository.id))) as CheckState;

  test('reads all parts one after the other, one in each interval, also with other workers later, and once after a week without any', async () => {
    const { parts, repository: noted } = noting();
    await worker(noted)();
    assert.deepEqual(parts, [], 'not at the first start');
    for (let day = 1; day <= 4; day += 1) {
      clock.advance(24 * HOUR_MS - 1);
      await worker(noted)();
      clock.advance(1);
      await worker(noted)();
      await worker(noted)();
    }
    assert.deepEqual(parts, [1, 2, 3, 1]);
    clock.advance(7 * 24 * HOUR_MS);
    for (let looks = 0; looks < 5; looks += 1) await worker(noted)();
    assert.deepEqual(parts, [1, 2, 3, 1, 2]);
    clock.advance(24 * HOUR_MS);
    await worker(noted, 1)();
    assert.deepEqual(parts, [1, 2, 3, 1, 2, 1], 'there are fewer parts now');
  });

  test('never runs where the interval is 0', async () => {
    const { parts, repository: noted } = noting();
    await worker(noted, 3, 0)();
    clock.advance(1000 * HOUR_MS);
    await worker(noted, 3, 0)();
    assert.deepEqual(parts, []);
  });

  test('is run by one of many workers that look at the same moment', async () => {
    const { parts, repository: noted } = noting();
    await worker(noted)();
    clock.advance(24 * HOUR_MS);
    await Promise.all(Array.from({ length: 8 }, () => worker(noted)()));
    assert.deepEqual(parts, [1]);
  });

  test('of a worker that is dead is begun again by another after 15 minutes, the same part; the dead one writes nothing when it wakes up', async () => {
    let wake: (report: CheckReport) => void = () => assert.fail();
    let began: () => void = assert.fail;
    const isBegun = new Promise<void>((resolve) => { began = resolve; });
    const frozen = noting(() => { began(); return new Promise((resolve) => { wake = resolve; }); });
    const other = noting();
    await worker(frozen.repository)();
    clock.advance(24 * HOUR_MS);
    const sleeping = worker(frozen.repository)();
    await isBegun;
    clock.advance(15 * 60_000 - 1);
    await worker(other.repository)();
    assert.deepEqual(other.parts, []);
    clock.advance(1);
    await worker(other.repository)();
    assert.deepEqual([frozen.parts, other.parts], [[1], [1]]);
    const after = await stateNow();
    wake({ ...SOUND, problems: [{ code: 'X', object: 'x', message: 'x', affects: [] }] });
    await sleeping;
    assert.deepEqual(await stateNow(), after);
  });

  test('that could not be ended says why, and is tried again an hour later with the same part', async () => {
    const failing = noting(() => Promise.reject(new LeafvaultError('STORAGE_UNREACHABLE', 'the store does not answer')));
    await worker(failing.repository)();
    clock.advance(24 * HOUR_MS);
    await assert.rejects(worker(failing.repository)(), { code: 'STORAGE_UNREACHABLE' });
    assert.match((await stateNow()).failure?.cause ?? '', /does not answer/);
    assert.equal((await createOverview({ catalog, clock, check: stateNow }).read()).check?.failed, true);
    const sound = noting();
    clock.advance(HOUR_MS - 1);
    await worker(sound.repository)();
    clock.advance(1);
    await worker(sound.repository)();
    assert.deepEqual([failing.parts, sound.parts, (await stateNow()).failure], [[1], [1], null]);
  });

  test('of a worker that stops is left to the next one at once', async () => {
    const stop = new AbortController();
    const stopping = noting(() => { stop.abort(); return Promise.reject(stop.signal.reason as Error); });
    await worker(stopping.repository)();
    clock.advance(24 * HOUR_MS);
    await worker(stopping.repository)(stop.signal);
    const next = noting();
    await worker(next.repository)();
    assert.deepEqual([next.parts, (await stateNow()).failure], [[1], null]);
  });

  test('counts the damaged snapshots of each cluster, as long as they are kept', async () => {
    const [inventory, other] = [await makeInventory(catalog), await makeInventory(catalog)];
    const { snapshotId } = await insertCompleted(catalog, inventory);
    await writeSnapshot(repository, {}, (await insertCompleted(catalog, other)).snapshotId);
    await writeSnapshot(repository, { 'shop.orders': randomChunks(20, 3_000) }, snapshotId);
    const run = worker(repository, 1);
    await run();
    for (const pack of (await objectNames(storage)).filter((name) => name.startsWith('packs/'))) await flip(storage, pack);
    clock.advance(24 * HOUR_MS);
    await run();
    const overview = async () => (await createOverview({ catalog, clock, check: stateNow }).read()).check;
    assert.deepEqual([...(await overview())?.damagedSnapshots ?? []], [[inventory.cluster.id, 1]]);
    assert.deepEqual((await stateNow()).last?.damaged.map((each) => each.snapshotId), [snapshotId]);
    await catalog.snapshots.markDeleted(snapshotId);
    assert.deepEqual([...(await overview())?.damagedSnapshots ?? []], []);
  });

  test('names a snapshot that the catalog keeps and whose root is gone, and one that was deleted at that moment not', async () => {
    const inventory = await makeInventory(catalog);
    const [lost, going] = [(await insertCompleted(catalog, inventory)).snapshotId, (await insertCompleted(catalog, inventory)).snapshotId];
    for (const id of [lost, going]) await writeSnapshot(repository, { 'shop.orders': randomChunks(2, 3_000) }, id);
    const run = worker({ ...repository, listFacts: async function* () { await catalog.snapshots.markDeleted(going); yield* repository.listFacts(); } }, 1);
    await run();
    for (const id of [lost, going]) await storage.delete(`snapshots/${id}`);
    clock.advance(24 * HOUR_MS);
    await run();
    const { last } = await stateNow();
    assert.deepEqual([last?.problems, last?.objects, last?.damaged, last?.lostSnapshots], [1, [`snapshots/${lost}`], [{ snapshotId: lost, namespaces: [] }], [lost]]);
  });

  test('tells of a slice that rotted each day, whatever part is read, until it is sound again', async () => {
    const writer = await beginChain(repository);
    await appendSlices(writer, randomChunks(20, 500));
    const name = numberName(writer.head.id, 7);
    const sound = await storage.get(name);
    const run = worker(repository, 30);
    await run();
    await flip(storage, name);
    const problems: number[] = [];
    const day = async (): Promise<void> => {
      clock.advance(24 * HOUR_MS);
      await run();
      problems.push((await stateNow()).last?.problems ?? -1);
    };
    for (let n = 1; n <= 35; n += 1) await day();
    const found = problems.indexOf(1);
    assert.ok(found >= 0 && found < 30, 'by its part');
    assert.deepEqual(problems.slice(found), problems.slice(found).map(() => 1));
    assert.deepEqual((await stateNow()).last?.objects, [name]);
    await storage.delete(name);
    await storage.put(name, sound);
    await day();
    assert.deepEqual([problems.at(-1), (await stateNow()).last?.objects], [0, []]);
  });

  test('finds what rotted, names snapshot and collection, and after the next snapshot of the source the old one is restored with proof', async () => {
    const source = await startReplicaSet();
    const client = new MongoClient(source.uri);
    try {
      for (const name of ['orders', 'visits']) {
        await client.db('shop').collection(name).insertMany(Array.from({ length: 3_000 }, (_, i) => ({ _id: i as never, name, text: `${name} ${i} `.repeat(40) })));
      }
      const live = await contentOfServer(source.uri);
      const { root: old } = await takeSnapshot({ uri: source.uri, repository });
      const run = worker(repository, 1);
      await run();
      const sound = await copyToMemory(storage);
      await flip(storage, await largestPack(storage));
      clock.advance(24 * HOUR_MS);
      await run();
      const { last } = await stateNow();
      assert.deepEqual([last?.problems, last?.quarantinedCopies, last?.damaged.length, last?.damaged[0]?.snapshotId], [1, 1, 1, old.id]);
      assert.match(last?.damaged[0]?.namespaces.join() ?? '', /^shop\.(orders|visits)$/);
      await using broken = await restoreWorld(repository, old, source.uri);
      await assert.rejects(restoreSnapshot(broken.options), (error: LeafvaultError) => /damaged|altered/i.test(`${error.code} ${error.message}`));
      assert.deepEqual(await contentOfServer(source.uri), live, 'the restore that failed left everything');

      await takeSnapshot({ uri: source.uri, repository, previous: old });
      clock.advance(24 * HOUR_MS);
      await run();
      assert.deepEqual([(await stateNow()).last?.problems, (await stateNow()).last?.damaged], [0, []]);
      await client.db('shop').collection('orders').deleteMany({});
      await client.db('shop').collection('visits').updateMany({}, { $set: { text: 'overwritten' } });
      await using healed = await restoreWorld(repository, old, source.uri);
      await restoreSnapshot(healed.options);
      assert.deepEqual(await contentOfServer(source.uri), live);

      // Worse: nothing at all of the previous snapshot can be read. The next one is taken all the same.
      const ruined = await openTestRepository(await copyToMemory(sound, (name, bytes) => (name.startsWith('packs/') ? null : bytes)), { clock });
      await ruined.check({ quarantine: true });
      const { root: next } = await takeSnapshot({ uri: source.uri, repository: ruined, previous: old });
      await client.db('shop').collection('visits').deleteMany({});
      await using afresh = await restoreWorld(ruined, next, source.uri);
      await restoreSnapshot(afresh.options);
      assert.deepEqual(await contentOfServer(source.uri), live);
      await ruined.close();
    } finally {
      await client.close();
      await source.stop();
    }
  });
});

async function largestPack(storage: Storage): Promise<string> {
  let [name, size] = ['', 0];
  for await (const each of storage.list('packs/')) if (each.sizeBytes > size) [name, size] = [each.name, each.sizeBytes];
  return name;
}

/** One bit of the first chunk. */
async function flip(storage: Storage, name: string): Promise<void> {
  const bytes = Buffer.from(await storage.get(name));
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await storage.delete(name);
  await storage.put(name, bytes);
}
