// Deltas whose base rotted, or is gone: one finding that names both, and the next snapshot heals what it can; what nobody needs is not told.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import { readIndexObject } from '../../../src/repository/chunk-index/load-indexes.ts';
import { INDEXES, packName } from '../../../src/repository/format/names.ts';
import type { CheckReport, Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { createVariants, deltasIn, named, type NamedChunk } from '../../support/delta-fixture.ts';
import { assertWhole, open, remove } from '../../support/prune-fixture.ts';
import { collect, MASTER_KEY, randomChunks, readSnapshot, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

interface World {
  readonly storage: Storage;
  readonly repository: Repository;
  readonly old: SnapshotRoot;
  readonly fresh: SnapshotRoot;
  readonly content: Content;
  readonly delta: NamedChunk;
  readonly base: NamedChunk;
}

/** Two snapshots, the second with one delta on the first; the first is deleted, so that its base is needed for the delta alone. */
async function begin(): Promise<World & { readonly write: (content: Content) => Promise<SnapshotRoot> }> {
  const storage = createMemoryStorage();
  const repository = await open(storage, { packBytes: 16 * 1024 });
  const { near, vary } = createVariants();
  const chunks = randomChunks(12, 3_000);
  const old = await writeSnapshot(repository, { a: chunks }, newId(), near);
  const content = { a: [...chunks.slice(0, 5), vary(chunks[5] as Buffer), ...chunks.slice(6)], other: randomChunks(4, 3_000) };
  const fresh = await writeSnapshot(repository, content, newId(), near);
  await remove(old, repository);
  const [delta] = await deltasIn(storage);
  assert.ok(delta);
  const base = (await named(storage)).find(({ id }) => id === delta.base);
  assert.ok(base);
  return { storage, repository, old, fresh, content, delta, base, write: (next) => writeSnapshot(repository, next, newId(), near) };
}

/** As a disk that rots does it. */
async function rot(storage: Storage, { pack, offset }: NamedChunk): Promise<Buffer> {
  const sound = await storage.get(packName(pack));
  const bytes = Buffer.from(sound);
  bytes[offset + 20] = (bytes[offset + 20] ?? 0) ^ 1;
  await storage.delete(packName(pack));
  await storage.put(packName(pack), bytes);
  return sound;
}

const costs = ({ problems }: CheckReport): string[] => problems.flatMap(({ affects }) => affects.map(({ snapshotId, entry }) => `${snapshotId} ${entry ?? ''}`)).sort();

describe('a delta whose base rotted', () => {
  test('is one finding that names both and costs what the delta costs; the next snapshot heals it', async () => {
    const { storage, repository, fresh, content, delta, base, write } = await begin();
    await rot(storage, base);
    const found = await repository.check({ readData: true, quarantine: true });
    const both = found.problems.filter(({ message }) => message.includes(delta.id) && message.includes(base.id));
    assert.deepEqual([both.length, both[0]?.code], [1, 'REPOSITORY_CHUNK_DAMAGED']);
    assert.ok(both[0]?.object.startsWith(packName(base.pack)), 'it is the pack of the base that has to be mended');
    assert.deepEqual(costs(found), [`${fresh.id} a`]);
    assert.deepEqual([found.quarantinedPacks, found.quarantinedCopies], [1, 1], 'the base; its deltas are sound');
    assert.deepEqual(costs(await repository.check()), [`${fresh.id} a`], 'a check without data knows what an earlier one found');
    await assert.rejects(readSnapshot(repository, fresh), { code: 'REPOSITORY_CHUNK_DAMAGED', message: new RegExp(`${delta.id}.*${base.id}`) });

    const next = await write(content);
    assert.equal(next.stats.newChunks, 1, 'the delta, stored full');
    for (let round = 0; round < 2; round += 1) {
      await assertWhole(storage, [[fresh, content], [next, content]]);
      await repository.prune();
    }
    assert.deepEqual(await readSnapshot(repository, fresh), content);
    await repository.close();
  });

  test('is found by whoever reads the pack of the delta alone', async () => {
    const { storage, repository, fresh, delta, base } = await begin();
    assert.notEqual(delta.pack, base.pack);
    await rot(storage, base);
    const parts = 1_000;
    const part = (Number.parseInt(delta.pack.slice(-8), 16) % parts) + 1;
    assert.deepEqual(costs(await repository.check({ readData: { part, of: parts }, quarantine: true })), [`${fresh.id} a`]);
    await repository.close();
  });

  test('is read again when the base comes back', async () => {
    const { storage, repository, fresh, content, base } = await begin();
    const sound = await rot(storage, base);
    await repository.check({ readData: true, quarantine: true });
    await storage.delete(packName(base.pack));
    await storage.put(packName(base.pack), sound);
    assert.equal((await repository.check({ readData: true, quarantine: true })).releasedPacks, 1);
    await assertWhole(storage, [[fresh, content]]);
    await repository.close();
  });
});

test('a delta whose base is in a pack that is gone is told, and stops a prune before it takes anything', async () => {
  const { storage, repository, fresh, delta, base } = await begin();
  await storage.delete(packName(base.pack));
  const found = await repository.check();
  assert.ok(found.problems.some(({ message, affects }) => message.includes(delta.id) && message.includes(base.id) && affects.some(({ snapshotId }) => snapshotId === fresh.id)));
  await assert.rejects(repository.prune(), { code: 'REPOSITORY_PRUNE_REFUSED' });
  await repository.close();
});

test('a delta that rotted itself costs itself and not its base', async () => {
  const { storage, repository, fresh, content, delta, write } = await begin();
  await rot(storage, delta);
  const found = await repository.check({ readData: true, quarantine: true });
  assert.deepEqual([found.problems.map(({ object }) => object), costs(found)], [[`${packName(delta.pack)} chunk ${delta.id}`], [`${fresh.id} a`]]);
  const next = await write(content);
  assert.equal(next.stats.newChunks, 1);
  await assertWhole(storage, [[fresh, content], [next, content]]);
  await repository.close();
});

test('a delta that nobody needs is told neither while its base is there nor when it went before', async () => {
  const storage = createMemoryStorage();
  const repository = await open(storage, { packBytes: 16 * 1024 });
  const { near, vary } = createVariants();
  const base = randomBytes(3_000);
  const old = await writeSnapshot(repository, { a: [base] }, newId(), near);
  // In one pack with much that stays, so that the dead delta stays, too.
  const kept = { keeps: randomChunks(4, 3_000) };
  const fresh = await writeSnapshot(repository, { ...kept, delta: [vary(base)] }, newId(), near);
  const last = await writeSnapshot(repository, kept, newId(), near);
  await remove(old, repository);
  await remove(fresh, repository);
  await repository.prune();
  const [delta, ...more] = await deltasIn(storage);
  assert.deepEqual([more.length, (await named(storage)).some(({ id }) => id === delta?.base)], [0, false], 'the delta is there, its base is not');
  await assertWhole(storage, [[last, kept]]);
  const again = await writeSnapshot(repository, { delta: [vary(base)] }, newId(), near);
  assert.equal(again.stats.newChunks > 0, true, 'nothing rests on it');
  await assertWhole(storage, [[last, kept], [again, { delta: [vary(base)] }]]);
  await repository.close();
});

test('a lost pack of bases is one finding, however many deltas rest on it, and costs every snapshot that needs one', async () => {
  const storage = createMemoryStorage();
  const repository = await open(storage, { packBytes: 256 * 1024 });
  const { near, vary } = createVariants();
  const chunks = randomChunks(40, 1_000);
  const old = await writeSnapshot(repository, { a: chunks }, newId(), near);
  const fresh: SnapshotRoot[] = [];
  for (let i = 1; i <= 3; i += 1) fresh.push(await writeSnapshot(repository, { a: chunks.map((chunk) => vary(chunk, i)) }, newId(), near));
  const deltas = await deltasIn(storage);
  const packs = new Set((await named(storage)).filter(({ id }) => deltas.some(({ base }) => base === id)).map(({ pack }) => pack));
  assert.deepEqual([deltas.length, packs.size], [120, 1]);
  await remove(old, repository);
  for (const pack of packs) await storage.delete(packName(pack));
  const found = await repository.check();
  assert.deepEqual(found.problems.map(({ object }) => object.split(' ')[0]), [...packs, ...packs].map(packName), 'the pack, and what it costs');
  assert.deepEqual(costs(found), fresh.map(({ id }) => `${id} a`).sort());
  await repository.close();
});

test('a base in a pack that no index names is told, as a prune is refused for it', async () => {
  const storage = createMemoryStorage();
  const repository = await open(storage);
  const { near, vary } = createVariants();
  const base = randomBytes(3_000);
  const old = await writeSnapshot(repository, { a: [base] }, newId(), near);
  const content: Content = { b: [vary(base)] };
  const fresh = await writeSnapshot(repository, content, newId(), near);
  await remove(old, repository);
  await repository.close();
  const [delta] = await deltasIn(storage);
  const pack = (await named(storage)).find(({ id }) => id === delta?.base)?.pack;
  const { keys } = await unlock(storage, MASTER_KEY);
  for (const { name } of await collect(storage.list(INDEXES))) {
    if ((await readIndexObject({ storage, keys }, name)).packs.some(({ id }) => id === pack)) await storage.delete(name);
  }
  const again = await open(storage);
  assert.deepEqual(await readSnapshot(again, fresh), content, 'the packs know themselves what they hold');
  await again.close();
  const checking = await open(storage);
  assert.deepEqual((await checking.check()).problems.map(({ code, object }) => [code, object]), [['REPOSITORY_OBJECT_MISSING', INDEXES]]);
  await assert.rejects(checking.prune(), { code: 'REPOSITORY_PRUNE_REFUSED' });
  await checking.close();
});
