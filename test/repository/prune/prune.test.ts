// A prune beside readers and writers: what nobody needs goes, what anybody needs stays, at every moment.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import type { PruneReport, Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { A, assertWhole, B, bytesOf, C, open, remove, withRepository } from '../../support/prune-fixture.ts';
import { collect, objectNames, randomChunks, readContent, readSnapshot, writeEntries, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

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
    const deleted: string[] = [];
    const deleteOne = storage.delete.bind(storage);
    storage.delete = (name, ...rest) => {
      deleted.push(name);
      return deleteOne(name, ...rest);
    };
    assert.deepEqual(figures(await repository.prune()), { freedBytes: 0, rewrittenBytes: 0, waitingBytes: 0, forgotten: 0 });
    assert.deepEqual(deleted.filter((name) => name.startsWith('packs/')), [], 'what went before is not taken away once more');
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

  test('tells in a dry run what has to wait, and for whom', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { a: A });
    const reader = await repository.openReader();
    await remove(gone, repository);
    const before = await bytesOf(storage, 'packs/');
    const report = await repository.prune({ dryRun: true });
    assert.deepEqual([report.inTheWay.map(({ kind }) => kind), report.waitingBytes], [['reader'], before]);
    const over = await repository.prune({ dryRun: true, isOver: ({ kind }) => kind === 'reader' });
    assert.deepEqual([over.inTheWay, over.waitingBytes, over.freedBytes, over.ended.map(({ kind }) => kind)], [[], 0, before, ['reader']]);
    assert.equal((await objectNames(storage)).filter((name) => name.startsWith('sessions/')).length, 1, 'it stays');
    await reader.close();
    const free = await repository.prune({ dryRun: true });
    assert.deepEqual([free.inTheWay, free.waitingBytes, free.freedBytes], [[], 0, before]);
  }));

  test('that runs while its repository is closed ends first, and says that', () => withRepository(async (_, storage) => {
    const repository = await open(storage);
    const gone = await writeSnapshot(repository, { a: A });
    await remove(gone, repository);
    const pruning = repository.prune().then(() => 'done', (error: { readonly code: string }) => error.code);
    await repository.close();
    assert.equal(await pruning, 'REPOSITORY_CLOSED');
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/')), []);
    assert.equal((await collect(storage.list('packs/'))).length > 0, true);
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
      const other = await open(storage);
      const reader = kind === 'reader' ? await other.openReader() : null;
      const writer = kind === 'writer' ? await other.openWriter() : null;
      await remove(gone, repository);
      const held = await repository.prune();
      assert.deepEqual(held.inTheWay.map((session) => session.kind), [kind]);
      assert.equal(held.freedBytes, 0);
      assert.ok(held.waitingBytes > 60 * 3_000);
      assert.equal((await repository.prune()).freedBytes, 0, 'nor does the next one take them');
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
    const other = await open(storage);
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

  test('remembers what waits to be swept while it condemns more', () => withRepository(async (repository, storage) => {
    const [first, second] = [await writeSnapshot(repository, { a: A }), await writeSnapshot(repository, { b: B })];
    const old = await repository.openReader();
    await remove(first, repository);
    await repository.prune();
    await remove(second, repository);
    const more = await repository.prune();
    assert.ok(more.waitingBytes > 120 * 3_000, `${more.waitingBytes} bytes`);
    const again = await writeSnapshot(repository, { a: A, b: B });
    assert.ok(again.stats.newChunks >= A.length + B.length, 'none of it is trusted');
    await old.close();
    assert.equal((await repository.prune()).freedBytes, more.waitingBytes);
    await assertWhole(storage, [[again, { a: A, b: B }]]);
  }));

  test('keeps what is needed of a condemned pack also where a part of it can not be read', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { a: A });
    const packs = (await objectNames(storage)).filter((name) => name.startsWith('packs/'));
    const other = await open(storage);
    const writer = await other.openWriter();
    await remove(gone, repository);
    await repository.prune();
    await writeEntries(writer, { a: A });
    const root = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
    await other.close();
    const [pack = ''] = packs;
    const bytes = await storage.get(pack);
    bytes[1_000] = (bytes[1_000] ?? 0) ^ 0xff;
    await storage.delete(pack);
    await storage.put(pack, bytes);
    const report = await repository.prune();
    assert.deepEqual(report.damagedPacks, [pack.slice(-24)]);
    assert.ok((await objectNames(storage)).includes(pack));
    const { problems } = await repository.check({ readData: true });
    assert.deepEqual(problems.map(({ code }) => code), ['REPOSITORY_CHUNK_DAMAGED'], 'one chunk is lost, and no other');
    assert.deepEqual(problems[0]?.affects, [{ snapshotId: root.id, entry: 'a' }]);
  }));

  test('never gives a number of a generation twice: who began behind it is told from who began before', () => withRepository(async (repository, storage) => {
    const [first, second] = [await writeSnapshot(repository, { a: A }), await writeSnapshot(repository, { b: B })];
    const others: Repository[] = [];
    let writer: Awaited<ReturnType<Repository['openWriter']>> | undefined;
    let began = false;
    const sweeping = await open({
      ...storage,
      async delete(name) {
        if (name.startsWith('packs/') && !began) {
          began = true;
          others.push(await open(storage));
          writer = await others[0]!.openWriter();
        }
        await storage.delete(name);
      },
    });
    await remove(first, repository);
    await sweeping.prune();
    await sweeping.close();
    await remove(second, repository);
    const held = await repository.prune();
    assert.deepEqual(held.inTheWay.map(({ id }) => id), [writer?.sessionId]);
    await writeEntries(writer!, { b: B });
    const root = await writer!.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
    for (const other of others) await other.close();
    for (let rounds = 0; rounds < 3; rounds += 1) await repository.prune();
    await assertWhole(storage, [[root, { b: B }]]);
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

test('a snapshot that is read while it is deleted stays whole for its reader, also where it rests on packs that were condemned', () => withRepository(async (repository, storage) => {
  const gone = await writeSnapshot(repository, { a: A });
  const other = await open(storage);
  const writer = await other.openWriter();
  await remove(gone, repository);
  await repository.prune();
  await writeEntries(writer, { a: A });
  const root = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
  const reader = await other.openReader();
  assert.equal((await other.loadSnapshot(root.id)).id, root.id);
  await remove(root, repository);
  for (let rounds = 0; rounds < 3; rounds += 1) assert.ok((await repository.prune()).waitingBytes > 0);
  const content = await readContent(reader, root);
  assert.deepEqual(content, { a: A });
  await reader.close();
  await other.close();
  await repository.prune();
  assert.equal(await bytesOf(storage, 'packs/'), 0);
}));

test('readers that come and go do not hold back for ever what was condemned before they came', () => withRepository(async (repository, storage) => {
  const kept = await writeSnapshot(repository, { b: B });
  for (let day = 0; day < 5; day += 1) {
    await remove(await writeSnapshot(repository, { a: randomChunks(40, 3_000) }), repository);
    const reader = await repository.openReader();
    await repository.prune();
    await reader.close();
  }
  const bytes = await bytesOf(storage, 'packs/');
  assert.ok(bytes < (60 + 3 * 40) * 3_100, `${bytes} bytes: the kept one and at most two days`);
  await assertWhole(storage, [[kept, { b: B }]]);
}));

test('indexes forget packs that were lost once no snapshot needs them', () => withRepository(async (repository, storage) => {
  const [lost, stays] = [await writeSnapshot(repository, { a: A }), await writeSnapshot(repository, { b: B })];
  const before = (await objectNames(storage)).filter((name) => name.startsWith('packs/'));
  const fresh = await open(storage);
  assert.deepEqual((await fresh.check()).problems, []);
  await fresh.close();
  const own = before.slice(0, 1);
  for (const name of own) await storage.delete(name);
  const { problems } = await repository.check();
  assert.ok(problems.length > 0);
  const costs = new Set(problems.flatMap(({ affects }) => affects.map(({ snapshotId }) => snapshotId)));
  for (const root of [lost, stays]) if (costs.has(root.id)) await remove(root, repository);
  await repository.prune();
  assert.deepEqual((await repository.check({ readData: true })).problems, []);
}));

test('a snapshot stores anew what an index names in a pack that is gone', () => withRepository(async (repository, storage) => {
  const lost = await writeSnapshot(repository, { a: A });
  for (const name of await objectNames(storage)) if (name.startsWith('packs/')) await storage.delete(name);
  await remove(lost, repository);
  const other = await open(storage);
  const again = await writeSnapshot(other, { a: A });
  assert.deepEqual(await readSnapshot(other, again), { a: A });
  await other.close();
}));

describe('prune refuses', () => {
  const cases: readonly (readonly [string, (storage: Storage, root: SnapshotRoot, itsPacks: readonly string[]) => Promise<void>])[] = [
    ['where a root can not be read', async (storage, { id }) => spoil(storage, `snapshots/${id}`)],
    ['where a pack with something needed is gone', async (storage, _root, [pack = '']) => storage.delete(pack)],
    ['where pages can not be read', async (storage, _root, itsPacks) => {
      for (const name of itsPacks) await spoil(storage, name);
    }],
  ];
  for (const [what, harm] of cases) {
    test(`${what}, and takes nothing away`, () => withRepository(async (repository, storage) => {
      const packsNow = async () => (await objectNames(storage)).filter((name) => name.startsWith('packs/'));
      const root = await writeSnapshot(repository, { a: A });
      const itsPacks = await packsNow();
      const gone = await writeSnapshot(repository, { b: B });
      await remove(gone, repository);
      await harm(storage, root, itsPacks);
      const packs = await packsNow();
      const fresh = await open(storage);
      await assert.rejects(fresh.prune(), { code: 'REPOSITORY_PRUNE_REFUSED', hint: /leafvault check/ });
      await fresh.close();
      assert.deepEqual(await packsNow(), packs);
      assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/')), []);
    }));
  }

  test('a store that can not refuse a name that is taken', async () => {
    const storage = createMemoryStorage();
    const repository = await open({ ...storage, conditionalPut: () => Promise.resolve(false) });
    await assert.rejects(repository.prune(), { code: 'REPOSITORY_PRUNE_REFUSED', message: /can not refuse a name that is taken/ });
    await repository.close();
  });
});

async function spoil(storage: Storage, name: string): Promise<void> {
  const bytes = Buffer.from(await storage.get(name));
  for (let at = 100; at < bytes.length; at += 500) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  if (bytes.length <= 100) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0xff;
  await storage.delete(name);
  await storage.put(name, bytes);
}
