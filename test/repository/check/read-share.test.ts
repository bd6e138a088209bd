// A check that reads a share of the bytes: all shares together are everything, each is about its part.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { objectNames, openTestRepository, randomChunks, writeSnapshot } from '../../support/repository-fixture.ts';

const PARTS = 5;

test('all shares together read every byte once, and one of them finds the damage that a check without data does not', async () => {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage, { packBytes: 16 * 1024 });
  const { id } = await writeSnapshot(repository, { a: randomChunks(400, 3_000) });
  const writer = await repository.chains.begin({ series: 'test', from: '0'.repeat(16), body: {} });
  for (let n = 1; n <= 20; n += 1) await writer.append({ to: n.toString(16).padStart(16, '0'), records: 1, raw: randomChunks(1, 2_000)[0]!, body: {} });

  const packs = (await objectNames(storage)).filter((name) => name.startsWith('packs/'));
  const spoiled = [packs[Math.floor(packs.length / 2)]!, `oplog/${writer.head.id}/0000000007`];
  for (const name of spoiled) {
    const bytes = await storage.get(name);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await storage.delete(name);
    await storage.put(name, bytes);
  }
  const structure = await repository.check();
  assert.deepEqual(structure.problems, []);
  const whole = await repository.check({ readData: true });
  const shares = [];
  for (let part = 1; part <= PARTS; part += 1) shares.push(await repository.check({ readData: { part, of: PARTS } }));
  const extra = shares.map(({ bytesRead }) => bytesRead - structure.bytesRead);
  const all = whole.bytesRead - structure.bytesRead;
  for (const bytes of extra) assert.ok(bytes > 0 && bytes < all / 2, `${bytes} of ${all}`);
  const found = shares.flatMap(({ problems }) => problems.map(({ object }) => object.split(' ')[0]));
  assert.deepEqual([...new Set(found)].sort(), [...spoiled].sort());
  assert.deepEqual(shares.flatMap(({ problems }) => problems.flatMap(({ affects }) => affects.map(({ snapshotId }) => snapshotId))), [id]);
  await repository.close();
});
