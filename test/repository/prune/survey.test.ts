// What a prune reads of snapshots that were deleted: nothing where nothing of what they need could go under a reader's hands, and no page twice.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { A, B, C, open, remove } from '../../support/prune-fixture.ts';
import { writeSnapshot, type Content } from '../../support/repository-fixture.ts';

interface World {
  readonly repository: Repository;
  /** How often a prune reads in packs. */
  readsOfPrune(): Promise<number>;
}

async function withCounting(use: (world: World) => Promise<void>): Promise<void> {
  const storage = createMemoryStorage();
  let reads = 0;
  const repository = await open({
    ...storage,
    get: (name, ...rest) => {
      if (name.startsWith('packs/')) reads += 1;
      return storage.get(name, ...rest);
    },
  });
  try {
    await use({
      repository,
      async readsOfPrune() {
        reads = 0;
        await repository.prune();
        return reads;
      },
    });
  } finally {
    await repository.close();
  }
}

/** A list for each chunk, so that pages are what there is to walk. */
const many = (chunks: readonly Buffer[]): Content => Object.fromEntries(chunks.map((chunk, i) => [`entry ${i}`, [chunk]]));

async function write(repository: Repository, content: Content, times: number): Promise<SnapshotRoot[]> {
  const roots: SnapshotRoot[] = [];
  for (let i = 0; i < times; i += 1) roots.push(await writeSnapshot(repository, content));
  return roots;
}

describe('a prune that meets deleted snapshots', () => {
  test('walks none of them where every condemned pack is gone, although a generation is there', () =>
    withCounting(async ({ repository, readsOfPrune }) => {
      await remove(await writeSnapshot(repository, { data: A }), repository);
      assert.equal(await readsOfPrune(), 0);
      for (const root of await write(repository, many(C), 3)) await remove(root, repository);
      assert.equal(await readsOfPrune(), 0);
    }));

  test('walks what they share once where packs that are condemned wait for a reader', async () => {
    const readsWith = async (times: number): Promise<number> => {
      let reads = 0;
      await withCounting(async ({ repository, readsOfPrune }) => {
        const [dead] = await write(repository, { data: B }, 1);
        const reader = await repository.openReader();
        await remove(dead!, repository);
        await repository.prune();
        for (const root of await write(repository, many(C), times)) await remove(root, repository);
        reads = await readsOfPrune();
        await reader.close();
      });
      return reads;
    };
    const [one, four] = [await readsWith(1), await readsWith(4)];
    assert.ok(one > C.length, `${one} reads`);
    // Their entries are read for each, the pages of their lists are not.
    assert.ok(four - one <= 3 * (one - C.length), `${one} reads for one, ${four} for four`);
  });
});
