// A repository in memory to prune, and what must be true of it afterwards.
import assert from 'node:assert/strict';
import type { Repository, SnapshotRoot } from '../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { steppingClock } from './fake-clock.ts';
import { collect, openTestRepository, randomChunks, readSnapshot, type Content } from './repository-fixture.ts';

export const A = randomChunks(60, 3_000);
export const B = randomChunks(60, 3_000);
export const C = randomChunks(20, 3_000);

// What a writer may have put in its own second is left alone, so everything here has a second of its own.
const clock = steppingClock();
export const open: typeof openTestRepository = (storage, options) => openTestRepository(storage, { clock, ...options });

export async function withRepository(use: (repository: Repository, storage: Storage) => Promise<void>): Promise<void> {
  const storage = createMemoryStorage();
  const repository = await open(storage);
  await use(repository, storage);
  await repository.close();
}

export const remove = ({ id }: SnapshotRoot, repository: Repository) => repository.addFact({ snapshotId: id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });

export async function bytesOf(storage: Storage, prefix: string): Promise<number> {
  return (await collect(storage.list(prefix))).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Whole in the eyes of a fresh process, to the last byte. */
export async function assertWhole(storage: Storage, snapshots: readonly (readonly [SnapshotRoot, Content])[]): Promise<void> {
  const fresh = await open(storage);
  const listed = (await collect(fresh.listSnapshots())).map(({ id }) => id).sort();
  assert.deepEqual(listed, snapshots.map(([{ id }]) => id).sort());
  for (const [root, content] of snapshots) assert.deepEqual(await readSnapshot(fresh, root), content);
  assert.deepEqual((await fresh.check({ readData: true })).problems, []);
  await fresh.close();
}
