// What a prune writes anew: never what a check found bad under a name of which nobody knows that.
import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../../../src/foundation/clock.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { putBadCopies } from '../../../src/repository/bad-copies.ts';
import { sortEntries } from '../../../src/repository/chunk-index/sort-entries.ts';
import { chunkIdOf, createChunkSealer, sealedBound, type DeltaBase } from '../../../src/repository/chunks/seal-chunk.ts';
import { createZstd } from '../../../src/repository/chunks/zstd.ts';
import { sealIndex } from '../../../src/repository/format/index-object.ts';
import type { RepositoryKeys } from '../../../src/repository/format/keys.ts';
import { BAD, indexName, packName } from '../../../src/repository/format/names.ts';
import type { SnapshotRoot } from '../../../src/repository/index.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createPackDraft } from '../../../src/repository/write/pack-draft.ts';
import { createSegments } from '../../../src/repository/write/segments.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { changed, createVariants, deltasIn, named } from '../../support/delta-fixture.ts';
import { assertWhole, open, remove } from '../../support/prune-fixture.ts';
import { collect, MASTER_KEY, randomChunks, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

/** One delta that is needed, in a pack of which the rest is not. */
async function begin() {
  const storage = createMemoryStorage();
  const repository = await open(storage);
  const { near, vary } = createVariants();
  const base = randomChunks(1, 3_000);
  const old = await writeSnapshot(repository, { base }, newId(), near);
  const delta = vary(base[0] as Buffer);
  const both = await writeSnapshot(repository, { delta: [delta], gone: randomChunks(8, 3_000) }, newId(), near);
  const content: Content = { delta: [delta] };
  const root: SnapshotRoot = await writeSnapshot(repository, content, newId(), near);
  await remove(old, repository);
  await remove(both, repository);
  const [place] = await deltasIn(storage);
  const { keys } = await unlock(storage, MASTER_KEY);
  return { storage, repository, root, content, place: place ?? assert.fail(), keys };
}

test('a delta that a check found bad is put full, from what can be read of it', async () => {
  const { storage, repository, root, content, place, keys } = await begin();
  await putBadCopies({ storage, keys, clock: systemClock }, place.pack, [place.id]);
  await repository.prune();
  await repository.prune();
  assert.deepEqual((await named(storage)).filter(({ id }) => id === place.id).map(({ base }) => base), [null]);
  await assertWhole(storage, [[root, content]]);
  await repository.close();
});

test('a delta with a sound tag that nobody can read stays with the record of it, and the next snapshot heals it', async () => {
  const storage = createMemoryStorage();
  const repository = await open(storage);
  const base = randomBytes(3_000);
  const old = await writeSnapshot(repository, { base: [base] });
  const { keys } = await unlock(storage, MASTER_KEY);
  const wanted = changed(base, 5);
  await forge(storage, keys, { wanted, base });
  const content: Content = { delta: [wanted] };
  const root = await writeSnapshot(repository, content);
  await remove(old, repository);
  assert.deepEqual((await deltasIn(storage)).map(({ id }) => id), [chunkIdOf(createSecretKey(keys.chunkId), wanted).toString('hex')], 'it is taken for known');
  const found = await repository.check({ readData: true, quarantine: true });
  assert.deepEqual([found.quarantinedCopies, found.problems.map(({ affects }) => affects)], [1, [[{ snapshotId: root.id, entry: 'delta' }]]]);
  for (let round = 0; round < 2; round += 1) assert.equal((await repository.prune()).damagedPacks.length, 1, 'it is worth rewriting, and stays');
  const next = await writeSnapshot(repository, content);
  assert.equal(next.stats.newChunks, 1);
  for (let round = 0; round < 2; round += 1) {
    await assertWhole(storage, [[root, content], [next, content]]);
    await repository.prune();
  }
  assert.deepEqual([await deltasIn(storage), await collect(storage.list(BAD))], [[], []]);
  await repository.close();
});

/** A pack with much that nobody needs, and a delta as a process with bad memory would make it: sealed well, of other bytes than its id says. */
async function forge(storage: Storage, keys: RepositoryKeys, { wanted, base }: { readonly wanted: Buffer; readonly base: Buffer }): Promise<void> {
  const idKey = createSecretKey(keys.chunkId);
  const draft = createPackDraft(keys, createSegments(), newId());
  const place = (id: Buffer, raw: Buffer, near?: DeltaBase): void => {
    const [target, counter] = [Buffer.alloc(sealedBound(raw.length)), draft.nextCounter()];
    const { type, storedLength } = createChunkSealer(createZstd())(raw, id, { packKey: createSecretKey(draft.key), packId: draft.idBytes, counter }, target, near);
    draft.place(target.subarray(0, storedLength), { id, type, flags: 0, counter, rawLength: raw.length, ...(near === undefined ? {} : { baseId: Buffer.from(near.id) }) });
  };
  place(chunkIdOf(idKey, wanted), changed(wanted, 6), { id: chunkIdOf(idKey, base), raw: base });
  for (const chunk of randomChunks(8, 3_000)) place(chunkIdOf(idKey, chunk), chunk);
  const { parts, entries, bases, sizeBytes } = draft.seal();
  await storage.put(packName(draft.id), parts);
  const name = indexName(newId());
  await storage.put(name, sealIndex(keys, name, { packs: [{ id: draft.id, chunks: 9, sizeBytes }], entries: sortEntries(entries), bases }));
}
