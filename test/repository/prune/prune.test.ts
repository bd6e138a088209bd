// A prune beside readers and writers: what nobody needs goes, what anybody needs stays, at every moment.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import type { PruneReport, Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import {
  collect, objectNames, openTestRepository, randomChunks, readContent, readSnapshot, writeEntries, writeSnapshot, type Content,
} from '../../support/repository-fixture.ts';

const A = randomChunks(60, 3_000);
const B = randomChunks(60, 3_000);
const C = randomChunks(20, 3_000);

async function withRepository(use: (repository: Repository, storage: Storage) => Promise<void>): Promise<void> {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage);
  await use(repository, storage);
  await repository.close();
}

const remove = ({ id }: SnapshotRoot, repository: Repository) => repository.addFact({ snapshotId: id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });

async function bytesOf(storage: Storage, prefix: string): Promise<number> {
  return (await collect(storage.list(prefix))).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Whole in the eyes of a fresh process, to the last byte. */
async function assertWhole(storage: Storage, snapshots: readonly (readonly [SnapshotRoot, Content])[]): Promise<void> {
  const fresh = await openTestRepository(storage);
  const listed = (await collect(fresh.listSnapshots())).map(({ id }) => id).sort();
  assert.deepEqual(listed, snapshots.map(([{ id }]) => id).sort());
  for (const [root, content] of snapshots) assert.deepEqual(await readSnapshot(fresh, root), content);
  assert.deepEqual((await fresh.check({ readData: true })).problems, []);
  await fresh.close();
}

const figures = ({ freedBytes, rewrittenBytes, waitingBytes, forgotten }: PruneReport) => ({ freedBytes, rewrittenBytes, waitingBytes, forgotten });

describe('prune', () => {
  test('takes the packs of a deleted snapshot away, its root and its facts, and nothing of the others', () => withRepository(async (repository, storage) => {
    const first = await writeSnapshot(repository, { a: A });
    const second = await writeSnapshot(repository, { a: A, b: B });
    const third = await writeSnapshot(repository, { c: C });
    await repository.addFact({ snapshotId: third.id, kind: 'expiry', createdAt: new Date().toISOString(), body: {} });
    await remove(third, repository);
    await remove(first, repository);
    const before = await bytesOf(storage, 'packs/');
    const report = await repository.prune();
    const after = await bytesOf(storage, 'packs/');
    assert.deepEqual([report.snapshots, report.forgotten, report.bytes, report.freedBytes], [1, 2, before, before - after]);
    assert.ok(report.freedBytes > 20 * 3_000, `${report.freedBytes} bytes`);
    assert.deepEqual(report.inTheWay, []);
    assert.deepEqual((await objectNames(storage)).filter((name) => /^(?:facts|sessions)\//.test(name) || name === `snapshots/${third.id}`), []);
    await assertWhole(storage, [[second, { a: A, b: B }]]);
    assert.deepEqual(figures(await repository.prune()), { freedBytes: 0, rewrittenBytes: 0, waitingBytes: 0, forgotten: 0 });
  }));

  test('tells in a dry run what it would free, to the byte where no pack is rewritten, and changes nothing', () => withRepository(async (repository, storage) => {
    const first = await writeSnapshot(repository, { a: A });
    const second = await writeSnapshot(repository, { b: B });
    await remove(first, repository);
    const names = await objectNames(storage);
    const dry = await repository.prune({ dryRun: true });
    assert.deepEqual(await objectNames(storage), names);
    const { freedBytes, forgotten } = await repository.prune();
    assert.deepEqual([dry.freedBytes, dry.forgotten], [freedBytes, forgotten]);
    assert.ok(freedBytes > 60 * 3_000);
    await assertWhole(storage, [[second, { b: B }]]);
  }));

  test('rewrites packs of which less than three quarters are needed, and leaves the others as they are', () => withRepository(async (repository, storage) => {
    const mixed = A.flatMap((chunk, i) => [chunk, B[i] as Buffer]);
    const both = await writeSnapshot(repository, { mixed });
    const half = await writeSnapshot(repository, { a: A });
    await remove(both, repository);
    const report = await repository.prune();
    assert.ok(report.rewrittenBytes > 50 * 3_000 && report.rewrittenBytes < 75 * 3_000, `${report.rewrittenBytes} bytes`);
    assert.ok(await bytesOf(storage, 'packs/') < 75 * 3_000);
    await assertWhole(storage, [[half, { a: A }]]);
    const most = await writeSnapshot(repository, { a: A.slice(0, 50) });
    await remove(half, repository);
    const again = await repository.prune();
    assert.ok(again.rewrittenBytes < 20 * 3_000, `${again.rewrittenBytes} bytes`);
    await assertWhole(storage, [[most, { a: A.slice(0, 50) }]]);
  }));

  test('joins small packs and their indexes once they fill a pack', () => withRepository(async (repository, storage) => {
    const kept: (readonly [SnapshotRoot, Content])[] = [];
    for (let day = 0; day < 30; day += 1) {
      const content = { a: A, [`day-${day}`]: randomChunks(1, 3_000) };
      kept.push([await writeSnapshot(repository, content), content]);
    }
    const count = async (prefix: string) => (await collect(storage.list(prefix))).length;
    const [packs, indexes] = [await count('packs/'), await count('indexes/')];
    await repository.prune();
    assert.ok((await count('packs/')) <= packs - 25, `${await count('packs/')} of ${packs} packs`);
    assert.ok((await count('indexes/')) <= 2, `${await count('indexes/')} of ${indexes} indexes`);
    await assertWhole(storage, kept);
    assert.equal((await repository.prune()).rewrittenBytes, 0, 'once is enough');
  }));

  for (const kind of ['reader', 'writer'] as const) {
    test(`leaves everything to a ${kind} that was there before, and takes it away when that is through`, () => withRepository(async (repository, storage) => {
      const [gone, stays] = [await writeSnapshot(repository, { a: A }), await writeSnapshot(repository, { b: B })];
      const other = await openTestRepository(storage);
      const reader = kind === 'reader' ? await other.openReader() : null;
      const writer = kind === 'writer' ? await other.openWriter() : null;
      await remove(gone, repository);
      const held = await repository.prune();
      assert.deepEqual(held.inTheWay.map((session) => session.kind), [kind]);
      assert.equal(held.freedBytes, 0);
      assert.ok(held.waitingBytes > 60 * 3_000);
      if (reader !== null) assert.deepEqual(await readContent(reader, gone), { a: A });
      await reader?.close();
      await writer?.abort();
      await other.close();
      assert.equal((await repository.prune()).freedBytes, held.waitingBytes);
      await assertWhole(storage, [[stays, { b: B }]]);
    }));
  }

  test('is not waited for by a writer that begins behind it, who stores anew what is condemned', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { a: A });
    const old = await repository.openReader();
    await remove(gone, repository);
    await repository.prune();
    const again = await writeSnapshot(repository, { a: A });
    assert.ok(again.stats.newChunks >= A.length);
    await old.close();
    assert.ok((await repository.prune()).freedBytes > 60 * 3_000);
    await assertWhole(storage, [[again, { a: A }]]);
  }));

  test('finds what a writer that was there before took from condemned packs, and saves it', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { a: A });
    const other = await openTestRepository(storage);
    const writer = await other.openWriter();
    await remove(gone, repository);
    await repository.prune();
    await writeEntries(writer, { a: A.slice(0, 30) });
    const root = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
    assert.ok(root.stats.newChunks < 5, 'it rests on the old packs');
    await other.close();
    const saved = await repository.prune();
    assert.ok(saved.rewrittenBytes >= 30 * 3_000, `${saved.rewrittenBytes} bytes`);
    await assertWhole(storage, [[root, { a: A.slice(0, 30) }]]);
    await repository.prune();
    assert.ok(await bytesOf(storage, 'packs/') < 35 * 3_000);
    await assertWhole(storage, [[root, { a: A.slice(0, 30) }]]);
  }));

  test('collects what a crash left: packs without index, chunks without root', () => withRepository(async (repository, storage) => {
    const stays = await writeSnapshot(repository, { b: B });
    const before = (await objectNames(storage)).filter((name) => name.startsWith('packs/'));
    const writer = await repository.openWriter();
    await writeEntries(writer, { a: A });
    await writer.abort();
    assert.ok((await objectNames(storage)).filter((name) => name.startsWith('packs/')).length > before.length);
    await repository.prune();
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('packs/')), before);
    await assertWhole(storage, [[stays, { b: B }]]);
  }));
});
