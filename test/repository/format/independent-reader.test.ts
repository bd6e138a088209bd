// The exit guarantee: a program that knows only the format document and the master key reads everything.
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import { chunkIdOf, createChunkSealer, sealedBound } from '../../../src/repository/chunks/seal-chunk.ts';
import { createZstd } from '../../../src/repository/chunks/zstd.ts';
import { CHUNK_TYPES } from '../../../src/repository/format/chunk-entry.ts';
import { writeIndexPayload } from '../../../src/repository/format/index-object.ts';
import { factName, indexName, INDEXES, packName, snapshotName } from '../../../src/repository/format/names.ts';
import { sealObject } from '../../../src/repository/format/sealed-object.ts';
import type { RepositoryKeys } from '../../../src/repository/format/keys.ts';
import type { ChainWriter, Repository } from '../../../src/repository/index.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createPackDraft } from '../../../src/repository/write/pack-draft.ts';
import { createSegments } from '../../../src/repository/write/segments.ts';
import { createLocalStorage, type Storage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, position } from '../../support/chain-fixture.ts';
import { changed, named } from '../../support/delta-fixture.ts';
import { readIndependently, type IndependentReader } from '../../../tools/read-repository.ts';
import { collect, MASTER_KEY, openTestRepository, randomChunks, readSnapshot, withTempDir, writeEntries, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

test('a program written from the format document alone reads every snapshot', () => withTempDir(async (folder) => {
  const place = join(folder, 'repository');
  const repository = await openTestRepository(createLocalStorage(place), { tempDir: join(folder, 'temp') });
  const contents: Content[] = [
    { 'shop.orders': randomChunks(700, 200), 'shop.soft': [Buffer.from('soft '.repeat(5_000))], 'shop.empty': [] },
    { 'shop.orders': randomChunks(3, 4_000), ...Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`many.${i}`, [Buffer.from(`only ${i}`)]])) },
  ];
  const roots = [];
  for (const content of contents) roots.push(await writeSnapshot(repository, content));
  const gone = await writeSnapshot(repository, { gone: [Buffer.from('x')] });
  await repository.addFact({ snapshotId: gone.id, kind: 'deleted', createdAt: '2026-01-01T00:00:00Z', body: {} });
  await repository.close();

  const reader = readIndependently(place, MASTER_KEY);
  assert.ok(reader.directoriesAgree());
  const snapshots = new Map(reader.snapshots().map((snapshot) => [snapshot.id, snapshot]));
  assert.deepEqual([...snapshots.keys()].sort(), roots.map(({ id }) => id).sort());
  for (const [i, root] of roots.entries()) {
    const read = Object.fromEntries((snapshots.get(root.id)?.entries ?? []).map(({ name, lists }) => [name, reader.chunks(lists['data'] ?? assert.fail())]));
    assert.deepEqual(read, contents[i]);
  }
  assert.throws(() => readIndependently(place, Buffer.alloc(32, 1)), /no slot/);
}));

test('a program written from the format document alone reads deltas', () => withTempDir(async (folder) => {
  const place = join(folder, 'repository');
  const storage = createLocalStorage(place);
  const { keys } = await (async () => {
    await (await openTestRepository(storage, { tempDir: join(folder, 'temp') })).close();
    return unlock(storage, MASTER_KEY);
  })();
  const repository = await openTestRepository(storage, { tempDir: join(folder, 'temp') });
  const [old] = randomChunks(1, 30_000) as [Buffer];
  const other = changed(old, 3);
  await writeSnapshot(repository, { first: [old] });

  await putDelta(storage, keys, other, old);
  const root = await writeSnapshot(repository, { second: [other] });
  assert.ok(root.stats.newRawBytes < 1_000, 'the delta is known, and not stored again');
  const reader = readIndependently(place, MASTER_KEY);
  assert.ok(reader.directoriesAgree());
  const [entry] = reader.snapshots().find((snapshot) => snapshot.id === root.id)?.entries ?? [];
  assert.deepEqual(reader.chunks(entry?.lists['data'] ?? assert.fail()), [other]);
  assert.deepEqual(await readSnapshot(repository, root), { second: [other] });
  // The base is needed by the delta alone from here on.
  for await (const { id: each } of repository.listSnapshots()) if (each !== root.id) await repository.addFact({ snapshotId: each, kind: 'deleted', createdAt: '2026-01-01T00:00:00Z', body: {} });
  await repository.prune();
  const [left] = readIndependently(place, MASTER_KEY).snapshots()[0]?.entries ?? [];
  assert.deepEqual(readIndependently(place, MASTER_KEY).chunks(left?.lists['data'] ?? assert.fail()), [other]);
  assert.deepEqual(await readSnapshot(repository, root), { second: [other] });
  await repository.close();
}));

test('a program written from the format document alone reads a delta whose base is left as a delta itself', () => withTempDir(async (folder) => {
  const place = join(folder, 'repository');
  const storage = createLocalStorage(place);
  const repository = await openTestRepository(storage, { tempDir: join(folder, 'temp') });
  const { keys } = await unlock(storage, MASTER_KEY);
  const [first] = randomChunks(1, 30_000) as [Buffer];
  const second = changed(first, 7);
  const third = changed(second, 9_000);
  await writeSnapshot(repository, { first: [first] });
  await writeSnapshot(repository, { second: [second] });
  const full = (await named(storage)).find(({ id }) => id === chunkIdOf(createSecretKey(keys.chunkId), second).toString('hex')) ?? assert.fail();
  await putDelta(storage, keys, second, first);
  await putDelta(storage, keys, third, second);
  const root = await writeSnapshot(repository, { third: [third] });
  assert.ok(root.stats.newRawBytes < 1_000, 'the delta is known, and not stored again');
  await storage.delete(packName(full.pack));
  assert.deepEqual(await readSnapshot(repository, root), { third: [third] });
  await repository.close();
  const reader = readIndependently(place, MASTER_KEY);
  const read = reader.snapshots().find((snapshot) => snapshot.id === root.id)?.entries[0];
  assert.deepEqual(reader.chunks(read?.lists['data'] ?? assert.fail()), [third]);
}));

describe('of a repository that is damaged in part, that program', () => {
  async function withStore(use: (world: { readonly place: string; readonly storage: Storage; readonly repository: Repository; readonly flip: (name: string, at?: number) => Promise<void>; readonly read: (reader?: IndependentReader) => Record<string, Content> }) => Promise<void>): Promise<void> {
    await withTempDir(async (folder) => {
      const place = join(folder, 'repository');
      const storage = createLocalStorage(place);
      const repository = await openTestRepository(storage, { tempDir: join(folder, 'temp') });
      const flip = async (name: string, at = -20): Promise<void> => {
        const bytes = await storage.get(name);
        bytes.writeUInt8((bytes.at(at) ?? 0) ^ 1, at < 0 ? bytes.length + at : at);
        await storage.delete(name);
        await storage.put(name, bytes);
      };
      const read = (reader = readIndependently(place, MASTER_KEY)): Record<string, Content> => Object.fromEntries(reader.snapshots()
        .map(({ id, entries }) => [id, Object.fromEntries(entries.map(({ name, lists }) => [name, reader.chunks(lists['data'] ?? assert.fail())]))]));
      await use({ place, storage, repository, flip, read });
      await repository.close();
    });
  }
  const content: Content = { a: randomChunks(4, 2_000) };

  test('tries every copy of a chunk, in whichever pack the sound one is', () => withStore(async ({ place, storage, repository, flip, read }) => {
    // Two that know nothing of each other put the same chunks, as a snapshot does that heals.
    const other = await openTestRepository(storage, { tempDir: join(place, '../other') });
    const writers = [await repository.openWriter(), await other.openWriter()];
    for (const writer of writers) await writeEntries(writer, content);
    const roots = [];
    for (const writer of writers) roots.push(await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} }));
    const copies = Map.groupBy(await named(storage), ({ id }) => id);
    assert.ok([...copies.values()].every(({ length }) => length === 2));
    // One of each, by turns in the one pack and the other: whatever is looked at first is bad for half of them.
    for (const [i, both] of [...copies.values()].entries()) {
      const bad = both.sort((a, b) => (a.pack < b.pack ? -1 : 1))[i % 2] ?? assert.fail();
      await flip(packName(bad.pack), bad.offset + 20);
    }
    for (const root of roots) assert.deepEqual(await readSnapshot(repository, root), content);
    assert.deepEqual(read(), Object.fromEntries(roots.map(({ id }) => [id, content])));
    await other.close();
  }));

  test('reads what rotted and was healed by the next snapshot', () => withStore(async ({ storage, repository, flip, read }) => {
    const old = await writeSnapshot(repository, content);
    const [bad] = (await named(storage)).filter(({ storedLength }) => storedLength > 2_000);
    await flip(packName(bad?.pack ?? ''), (bad?.offset ?? 0) + 20);
    assert.equal((await repository.check({ readData: true, quarantine: true })).quarantinedCopies, 1);
    const next = await writeSnapshot(repository, content);
    assert.deepEqual((await repository.check()).problems, []);
    assert.deepEqual(read(), { [old.id]: content, [next.id]: content });
  }));

  test('names roots, indexes and facts that are damaged, and reads the rest', () => withStore(async ({ place, storage, repository, flip, read }) => {
    const [lost, kept, pinned] = [await writeSnapshot(repository, content), await writeSnapshot(repository, { b: randomChunks(2, 900) }), await writeSnapshot(repository, { c: [] })];
    const fact = (kind: string, snapshotId: string, body: Record<string, unknown> = {}) => repository.addFact({ kind, snapshotId, body, createdAt: new Date().toISOString() });
    const [deleted, pin] = [await fact('deleted', kept.id), await fact('pin', pinned.id, { kept: true })];
    await fact('deleted', pinned.id);
    const names = [snapshotName(lost.id), factName(kept.id, 'deleted', deleted.id), factName(pinned.id, 'pin', pin.id), ...(await collect(storage.list(INDEXES))).map(({ name }) => name)];
    for (const name of names) await flip(name);
    const reader = readIndependently(place, MASTER_KEY);
    assert.deepEqual(Object.keys(read(reader)).sort(), [kept.id, pinned.id].sort(), 'a fact that can not be read deletes nothing, and keeps');
    assert.deepEqual(read(reader)[kept.id], await readSnapshot(repository, kept));
    assert.deepEqual([...reader.unreadable.keys()].sort(), names.sort());
  }));
});

test('a program written from the format document alone reads every chain', () => withTempDir(async (folder) => {
  const place = join(folder, 'repository');
  const repository = await openTestRepository(createLocalStorage(place), { tempDir: join(folder, 'temp') });
  const raws = [...randomChunks(12, 500), Buffer.from('soft '.repeat(20_000)), Buffer.alloc(0)];
  const written: { readonly writer: ChainWriter; readonly raws: readonly Buffer[]; readonly ended: boolean }[] = [];
  for (const [count, ended] of [[raws.length, true], [raws.length, false], [0, true], [0, false]] as const) {
    const writer = await beginChain(repository);
    await appendSlices(writer, raws.slice(0, count));
    if (ended) await writer.end({ reason: 'STOPPED', body: { by: 'a person' } });
    written.push({ writer, raws: raws.slice(0, count), ended });
  }
  const chains = new Map(readIndependently(place, MASTER_KEY).chains().map((chain) => [chain.head['id'], chain]));
  assert.equal(chains.size, written.length);
  const ends = new Map((await collect(repository.chains.list())).map(({ head, end }) => [head.id, end]));
  for (const { writer, raws: expected, ended } of written) {
    const chain = chains.get(writer.head.id) ?? assert.fail();
    assert.deepEqual(chain.head, { formatVersion: 1, ...writer.head });
    assert.deepEqual(chain.slices.map(({ raw }) => raw), expected);
    const slices = await collect(repository.chains.slices(writer.head.id));
    // What only a reader knows, and what only the store needs.
    const ours = slices.map(({ storedBytes: _storedBytes, digest, ...fields }) => ({ digest, ...fields }));
    assert.deepEqual(chain.slices.map(({ header: { formatVersion: _version, encoding: _encoding, ...fields }, digest }) => ({ digest, ...fields })), ours);
    assert.deepEqual(chain.end, ends.get(writer.head.id));
    assert.equal(chain.end !== null, ended);
  }
  for (const { writer } of written.slice(0, 2)) assert.equal((await repository.chains.trim(writer.head.id, { before: position(50) })).slices, 5);
  for (const { head, slices, end } of readIndependently(place, MASTER_KEY).chains()) {
    const ours = await collect(repository.chains.slices(String(head['id'])));
    assert.deepEqual(slices.map(({ digest }) => digest), ours.map(({ digest }) => digest), 'also of a chain whose front was pruned');
    assert.deepEqual(end, ends.get(String(head['id'])));
  }
  await repository.close();
}));

/** What a writer of deltas leaves: a pack, and an index that names it with the base. */
async function putDelta(storage: Storage, keys: RepositoryKeys, raw: Buffer, base: Buffer): Promise<void> {
  const draft = createPackDraft(keys, createSegments(), newId());
  const chunkIdKey = createSecretKey(keys.chunkId);
  const [id, baseId] = [chunkIdOf(chunkIdKey, raw), chunkIdOf(chunkIdKey, base)];
  const target = Buffer.alloc(sealedBound(raw.length));
  const counter = draft.nextCounter();
  const form = createChunkSealer(createZstd())(raw, id, { packKey: createSecretKey(draft.key), packId: draft.idBytes, counter }, target, { id: baseId, raw: base });
  assert.equal(form.type, CHUNK_TYPES.delta);
  draft.place(target.subarray(0, form.storedLength), { id, type: form.type, flags: 0, counter, rawLength: raw.length, baseId });
  const { parts, entries, bases, sizeBytes } = draft.seal();
  assert.deepEqual(bases, baseId);
  await storage.put(packName(draft.id), parts);
  const name = indexName(newId());
  await storage.put(name, sealObject(keys, { kind: 'index', name }, writeIndexPayload({ packs: [{ id: draft.id, chunks: 1, sizeBytes }], entries, bases })));
}
