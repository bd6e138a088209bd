// What went from the source and stays in the copy for some days: in sight, whole, and gone when its time is over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { collect, objectNames, openTestRepository, randomChunks, readSnapshot, writeSnapshot } from '../../support/repository-fixture.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { createLockingStorage } from '../../support/locking-storage.ts';

const DAY_MS = 86_400_000;
const PACKS = { packBytes: 24 * 1024 };

test('a snapshot that was deleted and pruned can be restored from the copy for so many days, then it goes, and the copy is whole all the time', async () => {
  const clock = fakeClock();
  const [storage, to] = [createMemoryStorage('source'), createMemoryStorage('copy')];
  const source = await openTestRepository(storage, { clock, ...PACKS });
  const shared = randomChunks(10, 2_000);
  const contents = { a: shared, b: randomChunks(12, 2_000) };
  const deleted = await writeSnapshot(source, contents);
  const kept = await writeSnapshot(source, { a: shared, c: randomChunks(12, 2_000) });
  const dump = await source.dumps.write((async function* parts() { yield Buffer.from('one'); })(), () => ({}));
  const run = () => source.copyTo({ to, keepDays: 3, isOver: () => true });
  const shown = async (): Promise<string[]> => {
    const copy = await openTestRepository(to, { clock, ...PACKS });
    const ids = (await collect(copy.listSnapshots())).map(({ id }) => id).sort();
    assert.deepEqual((await copy.check({ readData: true })).problems, []);
    if (ids.includes(deleted.id)) assert.deepEqual(await readSnapshot(copy, deleted), contents);
    await copy.close();
    return ids;
  };
  assert.deepEqual([(await run()).kept, (await objectNames(to)).filter((name) => name.startsWith('missed/'))], [0, []]);
  await source.addFact({ snapshotId: deleted.id, kind: 'deleted', createdAt: clock.now().toISOString(), body: {} });
  for (let day = 0; day < 3; day += 1) {
    // The first day only the fact says it; then its root, its packs and its dump are gone from the source.
    if (day > 0) await source.prune({ isOver: () => true });
    if (day === 1) await source.dumps.trim(({ id }) => id !== dump.id);
    const report = await run();
    assert.ok(report.kept > 0 && report.deleted === 0, `day ${day}: ${JSON.stringify(report)}`);
    assert.deepEqual(await shown(), [deleted.id, kept.id].sort(), `day ${day}`);
    assert.equal((await objectNames(to)).filter((name) => name.startsWith('missed/')).length, 1);
    clock.advance(DAY_MS);
    await source.prune({ isOver: () => true });
  }
  for (let day = 0; day < 4; day += 1) {
    await run();
    await shown();
    clock.advance(DAY_MS);
  }
  const last = await run();
  assert.deepEqual([last.kept, last.deleted], [0, 0], 'everything went by now');
  assert.deepEqual(await shown(), [kept.id]);
  assert.deepEqual((await objectNames(to)).filter((name) => name.startsWith('missed/') || name.startsWith('catalog/')), []);
  await source.close();
});

test('a copy that kept things for days lets them go at once where it is told to keep nothing, and is taken into use without the note', async () => {
  const clock = fakeClock();
  const [storage, to] = [createMemoryStorage('source'), createMemoryStorage('copy')];
  const source = await openTestRepository(storage, { clock, ...PACKS });
  const deleted = await writeSnapshot(source, { a: randomChunks(10, 2_000) });
  await writeSnapshot(source, { b: randomChunks(10, 2_000) });
  const run = (keepDays: number) => source.copyTo({ to, keepDays, isOver: () => true });
  await run(3);
  await source.addFact({ snapshotId: deleted.id, kind: 'deleted', createdAt: clock.now().toISOString(), body: {} });
  await source.prune();
  assert.ok((await run(3)).kept > 0);
  const kept = createMemoryStorage('promoted');
  for (const name of await objectNames(to)) await kept.put(name, await to.get(name));
  const copy = await openTestRepository(kept, { clock, ...PACKS });
  await copy.promote();
  await copy.close();
  assert.deepEqual((await objectNames(kept)).filter((name) => /^(missed\/|copy\.json)/.test(name)), []);
  const report = await run(0);
  assert.ok(report.deleted > 0 && report.kept === 0);
  assert.deepEqual((await objectNames(to)).filter((name) => name.startsWith('missed/') || name.includes(deleted.id)), []);
  await source.close();
});

test('a copy in a store that holds objects has what it shows held as long, what it only keeps too, and goes on where that store lets nothing go', async () => {
  const clock = fakeClock();
  const to = createLockingStorage(clock, 10);
  const source = await openTestRepository(createMemoryStorage('source'), { clock, ...PACKS });
  const deleted = await writeSnapshot(source, { a: randomChunks(10, 2_000) });
  await writeSnapshot(source, { b: randomChunks(10, 2_000) });
  const run = (keepDays: number) => source.copyTo({ to, keepDays, isOver: () => true });
  assert.deepEqual((await run(20)).locks?.failed, []);
  await source.addFact({ snapshotId: deleted.id, kind: 'deleted', createdAt: clock.now().toISOString(), body: {} });
  for (let day = 0; day < 18; day += 6) {
    clock.advance(6 * DAY_MS);
    await source.prune({ isOver: () => true });
    const { locks, kept } = await run(20);
    assert.deepEqual([locks?.failed, kept > 0], [[], true]);
    for (const name of [`snapshots/${deleted.id}`, ...(await objectNames(to)).filter((each) => each.startsWith('packs/'))]) {
      assert.ok((to.holds.get(name)?.getTime() ?? 0) >= clock.now().getTime() + 5 * DAY_MS, name);
    }
  }
  to.refuses = true;
  const { stuck, deleted: gone } = await run(0);
  assert.deepEqual([stuck.includes(`snapshots/${deleted.id}`), gone], [true, 0]);
  clock.advance(20 * DAY_MS);
  assert.deepEqual((await run(0)).stuck, []);
  assert.deepEqual((await objectNames(to)).filter((name) => name.includes(deleted.id)), []);
  await source.close();
});
