// Deltas in a second copy: a snapshot is shown there when what its deltas rest on is there, too; a base comes back from it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import { packName, snapshotName } from '../../../src/repository/format/names.ts';
import { openWithCopies, type Repository, type SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { assertWholeCopy, copyTo, PACKS } from '../../support/copy-fixture.ts';
import { createVariants, deltasIn, named } from '../../support/delta-fixture.ts';
import { copyToMemory, MASTER_KEY, openTestRepository, randomChunks, readSnapshot, writeEntries, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

interface World { readonly storage: Storage; readonly repository: Repository; readonly fresh: SnapshotRoot; readonly content: Content; readonly contents: ReadonlyMap<string, Content>; readonly basePack: string; readonly deltaPack: string }

/** One snapshot that rests on itself, one with deltas whose base is in the first alone. */
async function begin(): Promise<World> {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage, PACKS);
  const { near, vary } = createVariants();
  const chunks = randomChunks(6, 3_000);
  const old = await writeSnapshot(repository, { a: chunks }, newId(), near);
  const content = { a: chunks.map((chunk) => vary(chunk)) };
  const fresh = await writeSnapshot(repository, content, newId(), near);
  const [delta] = await deltasIn(storage);
  const basePack = (await named(storage)).find(({ id }) => id === delta?.base)?.pack ?? assert.fail();
  return { storage, repository, fresh, content, contents: new Map([[old.id, { a: chunks }], [fresh.id, content]]), basePack: packName(basePack), deltaPack: packName(delta?.pack ?? '') };
}

async function withDamage(storage: Storage, name: string): Promise<Storage> {
  // Behind the header: a chunk.
  return copyToMemory(storage, (each, bytes) => (each === name ? Buffer.concat([bytes.subarray(0, 90), Buffer.alloc(8), bytes.subarray(98)]) : bytes));
}

describe('a copy of a repository with deltas', () => {
  test('withholds a snapshot whose deltas rest on what could not be copied, and shows it when that is mended', async () => {
    const { storage, repository, fresh, contents, basePack } = await begin();
    const to = createMemoryStorage();
    const report = await copyTo(await withDamage(storage, basePack), to);
    assert.deepEqual(report.damaged.map(({ object }) => object), [basePack]);
    assert.ok(report.withheld.some((name) => name.includes(fresh.id)));
    await assertWholeCopy(to, contents, 'withheld');
    await copyTo(storage, to);
    assert.deepEqual(await assertWholeCopy(to, contents, 'mended'), [...contents.keys()].sort());
    await repository.close();
  });

  test('shows a snapshot that rests on a base which is left as a delta itself', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage, PACKS);
    const { near, vary } = createVariants();
    const [bottom] = randomChunks(1, 3_000) as [Buffer];
    const middle = vary(bottom);
    const lowest = await writeSnapshot(repository, { a: [bottom] }, newId(), near);
    // Two writers at once: one stores it full, the other as a delta.
    const [one, other] = [await repository.openWriter(), await repository.openWriter()];
    await writeEntries(one, { a: [middle] });
    await writeEntries(other, { b: [middle] }, near);
    const commit = { createdAt: new Date().toISOString(), series: 'test', body: {} };
    const [full, delta] = [await one.commit({ id: newId(), ...commit }), await other.commit({ id: newId(), ...commit })];
    const content = { c: [vary(middle, 99)] };
    const top = await writeSnapshot(repository, content, newId(), near);
    const [last, ...more] = (await deltasIn(storage)).filter(({ base }) => base !== near.ids.get(bottom.toString('latin1'))?.toString('hex'));
    assert.deepEqual([last?.base, more], [near.ids.get(middle.toString('latin1'))?.toString('hex'), []]);
    const lost = (await named(storage)).find(({ id, base }) => id === last?.base && base === null)?.pack ?? assert.fail();
    const to = createMemoryStorage();
    const report = await copyTo(await withDamage(storage, packName(lost)), to);
    assert.deepEqual(report.withheld, [snapshotName(full.id)]);
    assert.deepEqual(await assertWholeCopy(to, new Map<string, Content>([[lowest.id, { a: [bottom] }], [delta.id, { b: [middle] }], [top.id, content]]), 'at depth 2'), [lowest.id, delta.id, top.id].sort());
    await repository.close();
  });

  test('finds a delta that is damaged by its tag', async () => {
    const { storage, repository, deltaPack } = await begin();
    const report = await copyTo(await withDamage(storage, deltaPack), createMemoryStorage());
    assert.deepEqual(report.damaged.map(({ object }) => object), [deltaPack]);
    await repository.close();
  });

  test('gives a base that is damaged in the first store to its readers, and back to the store', async () => {
    const { storage, repository, fresh, content, basePack } = await begin();
    const to = createMemoryStorage();
    await copyTo(storage, to);
    await repository.close();
    const damaged = await withDamage(storage, basePack);
    const both = await openWithCopies({ storage: damaged, masterKey: MASTER_KEY, tempDir: '/tmp/leafvault-test-index', threads: 0, copies: [to], retry: { attempts: 1, firstDelayMs: 1 } });
    assert.deepEqual(await readSnapshot(both, fresh), content);
    const { problems } = await both.check({ readData: true });
    assert.ok(problems.some(({ affects }) => affects.some(({ snapshotId }) => snapshotId === fresh.id)));
    const { healed, failed } = await both.heal({ from: to, objects: problems.map(({ object }) => object) });
    assert.deepEqual([healed.map(({ name }) => name), failed], [[basePack], []]);
    assert.deepEqual((await both.check({ readData: true })).problems, []);
    await both.close();
  });
});
