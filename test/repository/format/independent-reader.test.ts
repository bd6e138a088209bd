// The exit guarantee: a program that knows only the format document and the master key reads everything.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLocalStorage } from '../../../src/storage/index.ts';
import { readIndependently } from '../../support/independent-reader.ts';
import { MASTER_KEY, openTestRepository, randomChunks, withTempDir, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

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
