// The exit guarantee: a program that knows only the format document and the master key reads everything.
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import { chunkIdOf, createChunkSealer, sealedBound } from '../../../src/repository/chunks/seal-chunk.ts';
import { createZstd } from '../../../src/repository/chunks/zstd.ts';
import { CHUNK_TYPES } from '../../../src/repository/format/chunk-entry.ts';
import { writeIndexPayload } from '../../../src/repository/format/index-object.ts';
import { indexName, packName } from '../../../src/repository/format/names.ts';
import { sealObject } from '../../../src/repository/format/sealed-object.ts';
import type { ChainWriter } from '../../../src/repository/index.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createPackDraft } from '../../../src/repository/write/pack-draft.ts';
import { createSegments } from '../../../src/repository/write/segments.ts';
import { createLocalStorage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, position } from '../../support/chain-fixture.ts';
import { readIndependently } from '../../../tools/read-repository.ts';
import { collect, MASTER_KEY, openTestRepository, randomChunks, readSnapshot, withTempDir, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

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
  const changed = Buffer.concat([Buffer.from('changed'), old.subarray(7)]);
  await writeSnapshot(repository, { first: [old] });

  // What a writer of deltas leaves: a pack, and an index that names it with the base.
  const draft = createPackDraft(keys, createSegments(), newId());
  const chunkIdKey = createSecretKey(keys.chunkId);
  const [id, baseId] = [chunkIdOf(chunkIdKey, changed), chunkIdOf(chunkIdKey, old)];
  const target = Buffer.alloc(sealedBound(changed.length));
  const counter = draft.nextCounter();
  const form = createChunkSealer(createZstd())(changed, id, { packKey: createSecretKey(draft.key), packId: draft.idBytes, counter }, target, { id: baseId, raw: old });
  assert.equal(form.type, CHUNK_TYPES.delta);
  draft.place(target.subarray(0, form.storedLength), { id, type: form.type, flags: 0, counter, rawLength: changed.length, baseId });
  const { parts, entries, bases, sizeBytes } = draft.seal();
  assert.deepEqual(bases, baseId);
  await storage.put(packName(draft.id), parts);
  const name = indexName(newId());
  await storage.put(name, sealObject(keys, { kind: 'index', name }, writeIndexPayload({ packs: [{ id: draft.id, chunks: 1, sizeBytes }], entries, bases })));

  const root = await writeSnapshot(repository, { second: [changed] });
  assert.ok(root.stats.newRawBytes < 1_000, 'the delta is known, and not stored again');
  const reader = readIndependently(place, MASTER_KEY);
  assert.ok(reader.directoriesAgree());
  const [entry] = reader.snapshots().find((snapshot) => snapshot.id === root.id)?.entries ?? [];
  assert.deepEqual(reader.chunks(entry?.lists['data'] ?? assert.fail()), [changed]);
  assert.deepEqual(await readSnapshot(repository, root), { second: [changed] });
  // The base is needed by the delta alone from here on.
  for await (const { id: each } of repository.listSnapshots()) if (each !== root.id) await repository.addFact({ snapshotId: each, kind: 'deleted', createdAt: '2026-01-01T00:00:00Z', body: {} });
  await repository.prune();
  const [left] = readIndependently(place, MASTER_KEY).snapshots()[0]?.entries ?? [];
  assert.deepEqual(readIndependently(place, MASTER_KEY).chunks(left?.lists['data'] ?? assert.fail()), [changed]);
  assert.deepEqual(await readSnapshot(repository, root), { second: [changed] });
  await repository.close();
}));

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
