// Second copies as workers keep them, on a real catalog: when they are due, who does it, what is known of them afterwards.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { COPY_STATES, readCopyStates, type CopyState } from '../../src/domain/copy-state.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { createCopyChores } from '../../src/jobs/index.ts';
import type { Repository } from '../../src/repository/index.ts';
import { createOverview } from '../../src/services/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { insertCompleted, makeInventory, OUTCOME, type Inventory } from '../support/catalog-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { emptyCatalog, silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { copyToMemory, objectNames, openTestRepository, randomChunks, writeSnapshot } from '../support/repository-fixture.ts';

const HOUR_MS = 3_600_000;

describe('second copies', () => {
  let server: TestDatabase;
  let catalog: Catalog;
  let clock: FakeClock;
  let inventory: Inventory;
  let repository: Repository;
  let copies: Storage[];

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
    inventory = await makeInventory(catalog);
    repository = await openTestRepository(createMemoryStorage(), { clock });
    copies = [createMemoryStorage('one'), createMemoryStorage('two')];
  });

  const run = async (stores: readonly Storage[] = copies): Promise<void> => {
    for (const chore of createCopyChores({ catalog, clock, log: silent, repository, copies: stores })) await chore.run(AbortSignal.timeout(60_000));
  };
  const take = async (): Promise<void> => {
    const { snapshotId } = await insertCompleted(catalog, inventory);
    await catalog.clusters.learn(inventory.cluster.id, { lastSuccessAt: clock.now() });
    await writeSnapshot(repository, { a: randomChunks(4, 2_000) }, snapshotId);
  };
  const states = async (): Promise<readonly CopyState[]> => readCopyStates(await catalog.settings.get(COPY_STATES));
  const roots = async (store: Storage): Promise<number> => (await objectNames(store)).filter((name) => name.startsWith('snapshots/')).length;

  test('are made at once, then after snapshots at most once an hour, and every day', async () => {
    await take();
    await run();
    assert.deepEqual(await Promise.all(copies.map(roots)), [1, 1]);
    await take();
    clock.advance(HOUR_MS - 1);
    await run();
    assert.deepEqual(await Promise.all(copies.map(roots)), [1, 1], 'within the hour');
    clock.advance(1);
    await run();
    assert.deepEqual(await Promise.all(copies.map(roots)), [2, 2]);
    clock.advance(3 * HOUR_MS);
    const [before] = await states();
    await run();
    assert.deepEqual((await states())[0], before, 'nothing new came');
    clock.advance(21 * HOUR_MS);
    await run();
    assert.ok((await states())[0]!.startedAt > before!.startedAt);
  });

  test('that were there and are empty now are not begun anew by themselves, as on a disk that is not mounted', async () => {
    await take();
    await run();
    const unmounted = copies.map(({ address }) => createMemoryStorage(address.replace('memory:', '')));
    clock.advance(24 * HOUR_MS);
    await run(unmounted);
    assert.deepEqual(await Promise.all(unmounted.map(async (store) => (await objectNames(store)).length)), [0, 0]);
    for (const { failure, succeededAt } of await states()) assert.deepEqual([/is empty, and a copy was there before/.test(failure?.cause ?? ''), succeededAt !== null], [true, true]);
    await repository.copyTo({ to: unmounted[0]! });
    clock.advance(HOUR_MS);
    await run([unmounted[0]!, copies[1]!]);
    assert.deepEqual((await states()).map(({ failure }) => failure), [null, null], 'somebody began it anew, and the other one is back');
  });

  test('that fail keep no other one back, are tried again, and stand in the metrics with their last success', async () => {
    await take();
    const down: Storage = { ...copies[0]!, stat: () => Promise.reject(new LeafvaultError('STORAGE_DENIED', 'no')) };
    await run([down, copies[1]!]);
    assert.deepEqual((await states()).map(({ number, succeededAt }) => [number, succeededAt !== null]), [[1, false], [2, true]]);
    clock.advance(HOUR_MS);
    await run();
    const { copies: told } = await createOverview({ catalog, clock }).read();
    assert.deepEqual(told?.map(({ number, succeededAt, problems }) => [number, succeededAt?.getTime(), problems]), [[1, clock.now().getTime(), 0], [2, clock.now().getTime(), 0]]);
    await run([copies[1]!]);
    clock.advance(24 * HOUR_MS);
    await run([copies[1]!]);
    assert.deepEqual((await states()).map(({ address }) => address), ['memory:two'], 'what is out of the setting is forgotten');
  });

  test('of a repository with damage are no success, and say so', async () => {
    const storage = createMemoryStorage();
    repository = await openTestRepository(storage, { clock });
    await take();
    await run();
    clock.advance(24 * HOUR_MS);
    await take();
    const known = new Set(await objectNames(copies[0]!));
    const damaged = await copyToMemory(storage, (name, bytes) => (name.startsWith('packs/') && !known.has(name) ? Buffer.concat([bytes.subarray(0, 90), Buffer.alloc(bytes.length - 90)]) : bytes));
    repository = await openTestRepository(damaged, { clock });
    const succeeded = (await states())[0]?.succeededAt;
    await run();
    const [state] = await states();
    assert.deepEqual([state?.succeededAt, state?.problems], [succeeded, 2]);
    assert.equal(await roots(copies[0]!), 1);
  });

  test('are read back, a share each day, and what rotted there is put anew and told', async () => {
    const check = { everyHours: 24, parts: 3 };
    const [copy] = copies as [Storage, Storage];
    const runWith = async (): Promise<void> => {
      for (const chore of createCopyChores({ catalog, clock, log: silent, repository, copies: [copy], check })) await chore.run(AbortSignal.timeout(60_000));
    };
    await take();
    await runWith();
    const pack = (await objectNames(copy)).find((name) => name.startsWith('packs/')) ?? assert.fail();
    const sound = await copy.get(pack);
    const bytes = Buffer.from(sound);
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    await copy.delete(pack);
    await copy.put(pack, bytes);
    const parts: (number | undefined)[] = [];
    for (let day = 0; day < 3; day += 1) {
      clock.advance(HOUR_MS);
      await take();
      await runWith();
      assert.equal((await states())[0]?.read?.part, day + 1, 'a run within the day reads nothing back');
      clock.advance(23 * HOUR_MS);
      await runWith();
      parts.push((await states())[0]?.read?.part);
    }
    assert.deepEqual(parts, [2, 3, 1]);
    const [state] = await states();
    assert.deepEqual([state?.rotted?.names, state?.rotted?.objects, state?.problems], [[pack], 1, 0]);
    assert.ok((await copy.get(pack)).equals(sound));
    assert.equal((await createOverview({ catalog, clock }).read()).copies?.[0]?.rotted, 1);
  });

  test('are made by one of two workers that look at once', async () => {
    await take();
    await Promise.all([run(), run()]);
    assert.deepEqual(await Promise.all(copies.map(roots)), [1, 1]);
    assert.deepEqual((await objectNames(copies[0]!)).filter((name) => name.startsWith('sessions/')), []);
  });
});
