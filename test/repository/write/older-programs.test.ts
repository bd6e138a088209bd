// Programs that know no deltas: they pass the packs and indexes by that hold some, so nothing of theirs rests on one, and their prunes are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import { INDEXES, packName, PACKS } from '../../../src/repository/format/names.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { createVariants, deltasIn, named } from '../../support/delta-fixture.ts';
import { assertWhole, open } from '../../support/prune-fixture.ts';
import { collect, randomChunks, readSnapshot, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

/** The store as such a program sees it: what says version 2 is too new for it, as version 3 is for this one. */
function seenByOlder(storage: Storage): Storage {
  const places = (name: string, size: number): readonly number[] => (name.startsWith(INDEXES) ? [4] : name.startsWith(PACKS) ? [4, size - 8] : []);
  return {
    ...storage,
    async get(name, range, options) {
      const bytes = Buffer.from(await storage.get(name, range, options));
      const { sizeBytes } = (await storage.stat(name)) ?? assert.fail();
      for (const place of places(name, sizeBytes)) {
        const at = place - (range?.offset ?? 0);
        if (bytes[at] !== 2) continue;
        bytes[at] = 3;
        // Nor does it open as anything that this one knows: else it would be taken for a flipped bit.
        if (name.startsWith(INDEXES)) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      }
      return bytes;
    },
  };
}

const versionOf = async (storage: Storage, name: string): Promise<number | undefined> => (await storage.get(name))[4];

async function begin() {
  const storage = createMemoryStorage();
  const repository = await open(storage);
  const { near, vary } = createVariants();
  const chunks = randomChunks(8, 3_000);
  const old = { a: chunks };
  const oldRoot = await writeSnapshot(repository, old, newId(), near);
  const fresh: Content = { a: chunks.map((chunk) => vary(chunk)) };
  const freshRoot = await writeSnapshot(repository, fresh, newId(), near);
  const [delta] = await deltasIn(storage);
  const basePack = (await named(storage)).find(({ id }) => id === delta?.base)?.pack ?? assert.fail();
  return { storage, repository, old, oldRoot, fresh, freshRoot, basePack, deltaPack: delta?.pack ?? '' };
}

test('packs and indexes have a later version where they hold deltas, and only there', async () => {
  const { storage, repository, basePack, deltaPack } = await begin();
  assert.deepEqual([await versionOf(storage, packName(basePack)), await versionOf(storage, packName(deltaPack))], [1, 2]);
  const indexes = (await collect(storage.list(INDEXES))).map(({ name }) => name).sort();
  assert.deepEqual(await Promise.all(indexes.map((name) => versionOf(storage, name))), [1, 2]);
  await repository.close();
});

test('an older writer rests on no delta: its snapshot is whole even when the bases are gone', async () => {
  const { storage, repository, fresh, basePack } = await begin();
  await repository.close();
  const older = await open(seenByOlder(storage));
  const root = await writeSnapshot(older, fresh);
  assert.ok(root.stats.newRawBytes >= 8 * 3_000, `${root.stats.newRawBytes} bytes were new to it`);
  await older.close();
  await storage.delete(packName(basePack));
  const now = await open(storage);
  assert.deepEqual(await readSnapshot(now, root), fresh);
  await now.close();
});

test('an older program is told by name what it can not read, reads what rests on itself, and does not prune', async () => {
  const { storage, repository, old, oldRoot, fresh, freshRoot } = await begin();
  await repository.close();
  const older = await open(seenByOlder(storage));
  assert.deepEqual(await readSnapshot(older, oldRoot), old);
  await assert.rejects(readSnapshot(older, freshRoot), (error: Error) => {
    assert.equal((error as Error & { code: string }).code, 'REPOSITORY_CHUNK_MISSING');
    assert.equal((error.cause as { code?: string }).code, 'REPOSITORY_FORMAT_NEWER');
    return true;
  });
  const before = (await collect(storage.list(''))).map(({ name }) => name).filter((name) => !name.startsWith('sessions/')).sort();
  await assert.rejects(older.prune(), { code: 'REPOSITORY_PRUNE_REFUSED', message: /format version/ });
  assert.deepEqual((await collect(storage.list(''))).map(({ name }) => name).sort(), before);
  assert.ok((await older.check()).problems.some(({ code, object }) => code === 'REPOSITORY_FORMAT_NEWER' && object.startsWith(INDEXES)));
  await older.close();
  await assertWhole(storage, [[oldRoot, old], [freshRoot, fresh]]);
});

test('an older writer that was at work before the first delta does not come to know it', async () => {
  const storage = createMemoryStorage();
  const repository = await open(storage);
  const { near, vary } = createVariants();
  const chunks = randomChunks(8, 3_000);
  await writeSnapshot(repository, { a: chunks }, newId(), near);
  const older = await open(seenByOlder(storage));
  const writer = await older.openWriter();
  const fresh: Content = { a: chunks.map((chunk) => vary(chunk)) };
  await writeSnapshot(repository, fresh, newId(), near);
  assert.equal((await deltasIn(storage)).length, 8);
  // Its process takes in new indexes under it.
  await (await older.openReader()).close();
  for (const chunk of fresh['a'] ?? []) await writer.putChunk(chunk, 1);
  assert.equal(writer.stats.newChunks, 8);
  await writer.abort();
  await older.close();
  await repository.close();
});

test('indexes that a prune joins keep the later version', async () => {
  const { storage, repository, oldRoot, fresh, freshRoot } = await begin();
  await repository.addFact({ snapshotId: oldRoot.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  await repository.prune();
  await repository.prune();
  const deltas = await deltasIn(storage);
  assert.equal(deltas.length, 8);
  for (const { name } of await collect(storage.list(INDEXES))) {
    const holds = deltas.length > 0 && (await versionOf(storage, name)) === 2;
    assert.ok(holds || (await versionOf(storage, name)) === 1);
  }
  assert.ok((await Promise.all((await collect(storage.list(INDEXES))).map(({ name }) => versionOf(storage, name)))).includes(2));
  await repository.close();
  await assertWhole(storage, [[freshRoot, fresh]]);
});
