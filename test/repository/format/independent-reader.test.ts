// The exit guarantee: a program that knows only the format document and the master key reads everything.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChainWriter } from '../../../src/repository/index.ts';
import { createLocalStorage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain } from '../../support/chain-fixture.ts';
import { readIndependently } from '../../../tools/read-repository.ts';
import { collect, MASTER_KEY, openTestRepository, randomChunks, withTempDir, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

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
  await repository.close();
}));
