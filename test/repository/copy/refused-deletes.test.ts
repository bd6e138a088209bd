// Stores that let an object not go, at either end: the copy shows no snapshot that it does not have whole.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { collect, objectNames, openTestRepository, randomChunks, readSnapshot, writeSnapshot } from '../../support/repository-fixture.ts';

const PACKS = { packBytes: 24 * 1024 };
const isOver = (): boolean => true;

interface RefusingStorage extends Storage { refuses: boolean }

/** Lets everything go but roots. */
function refusingRoots(): RefusingStorage {
  const inner = createMemoryStorage('refusing');
  const storage: RefusingStorage = { ...inner, refuses: true, delete: async (name) => {
    if (storage.refuses && name.startsWith('snapshots/')) throw new LeafvaultError('STORAGE_LOCKED', `Deleting ${name} failed: it is held`);
    await inner.delete(name);
  } };
  return storage;
}

/** A snapshot that will go, and one that stays; nothing is shared. */
async function twoSnapshots(source: Repository) {
  const gone = await writeSnapshot(source, { a: randomChunks(12, 2_000) });
  await source.addFact({ snapshotId: gone.id, kind: 'about', createdAt: '2026-01-01T00:00:00.000Z', body: {} });
  const kept = await writeSnapshot(source, { b: randomChunks(12, 2_000) });
  return { gone: gone.id, kept: kept.id };
}

const deleteIn = (source: Repository, snapshotId: string): Promise<unknown> => source.addFact({ snapshotId, kind: 'deleted', createdAt: '2026-01-02T00:00:00.000Z', body: {} });

/** Reads whole whatever is in sight. */
async function shownIn(to: Storage): Promise<string[]> {
  const copy = await openTestRepository(to, PACKS);
  try {
    const roots = await collect(copy.listSnapshots());
    for (const root of roots) await readSnapshot(copy, root);
    assert.deepEqual((await copy.check({ readData: true })).problems, []);
    return roots.map(({ id }) => id).sort();
  } finally {
    await copy.close();
  }
}

test('a root that the store of the copy does not let go keeps what it rests on, until it goes', async () => {
  const to = refusingRoots();
  const source = await openTestRepository(createMemoryStorage('source'), PACKS);
  const { gone, kept } = await twoSnapshots(source);
  const run = () => source.copyTo({ to, isOver });
  await run();
  await deleteIn(source, gone);
  for (let rounds = 0; rounds < 3; rounds += 1) await source.prune({ isOver });
  for (let runs = 0; runs < 2; runs += 1) {
    const { stuck, postponed } = await run();
    assert.deepEqual([stuck, postponed], [[`snapshots/${gone}`], true]);
    assert.deepEqual(await shownIn(to), [gone, kept].sort());
  }
  to.refuses = false;
  assert.deepEqual([(await run()).stuck, await shownIn(to)], [[], [kept]]);
  assert.deepEqual((await objectNames(to)).filter((name) => name.includes(gone)), []);
  await source.close();
});

test('a root that was lost in the source stays whole in the copy, however often that is pruned and copied', async () => {
  const [storage, to] = [createMemoryStorage('source'), createMemoryStorage('copy')];
  const source = await openTestRepository(storage, PACKS);
  const { gone, kept } = await twoSnapshots(source);
  const run = () => source.copyTo({ to, isOver });
  await run();
  await storage.delete(`snapshots/${gone}`);
  for (let runs = 0; runs < 2; runs += 1) {
    for (let rounds = 0; rounds < 3; rounds += 1) await source.prune({ isOver });
    const { damaged, postponed } = await run();
    assert.deepEqual([damaged.map(({ object }) => object), postponed], [[`snapshots/${gone}`], true]);
    assert.deepEqual(await shownIn(to), [gone, kept].sort());
  }
  await source.close();
});

for (const keepDays of [0, 3]) {
  test(`a root that the store of the source does not let go is not copied anew once it is deleted, where what went is kept for ${keepDays} days`, async () => {
      const storage = refusingRoots();
    const to = createMemoryStorage('copy');
    const source = await openTestRepository(storage, PACKS);
    const { gone, kept } = await twoSnapshots(source);
    await deleteIn(source, gone);
    for (let rounds = 0; rounds < 3; rounds += 1) await source.prune({ isOver });
    assert.ok((await objectNames(storage)).includes(`snapshots/${gone}`));
    const { snapshots, damaged, withheld } = await source.copyTo({ to, isOver, keepDays });
    assert.deepEqual([snapshots, damaged, withheld], [1, [], []]);
    assert.deepEqual(await shownIn(to), [kept]);
    assert.ok(!(await objectNames(to)).includes(`snapshots/${gone}`));
    await source.close();
  });
}
