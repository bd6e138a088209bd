// A check that reads a share of the bytes: all shares together are everything, each is about its part.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealObject } from '../../../src/repository/format/sealed-object.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, numberName, position } from '../../support/chain-fixture.ts';
import { MASTER_KEY, objectNames, openTestRepository, randomChunks, writeSnapshot } from '../../support/repository-fixture.ts';

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

test('the shares together find what a whole check does of links between slices', async () => {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage);
  const { keys } = await unlock(storage, MASTER_KEY);
  const writer = await beginChain(repository);
  const slices = await appendSlices(writer, randomChunks(20, 200));
  await writer.end({ reason: 'STOPPED' });
  // Whoever has the key can seal what opens and leaves a gap before it.
  const raw = Buffer.from('raw');
  for (const sequence of [4, 8, 16, 17]) {
    const name = numberName(writer.head.id, sequence);
    const header = {
      formatVersion: 1, chainId: writer.head.id, sequence, from: position(sequence * 10 - 9), to: position(sequence * 10), records: 1, rawBytes: raw.length, encoding: 'stored',
      previous: slices[sequence - 2]?.digest, createdAt: '2026-01-01T00:00:00Z', body: {},
    };
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    await storage.delete(name);
    await storage.put(name, sealObject(keys, { kind: 'oplog', name }, Buffer.concat([length, json, raw])));
  }
  // What follows a slice that does not follow is not compared with it.
  const whole = (await repository.check({ readData: true })).problems.map(({ object }) => object).sort();
  assert.deepEqual(whole, [4, 8, 16, 18].map((sequence) => numberName(writer.head.id, sequence)));
  for (const parts of [2, 5, 30]) {
    const found = new Set<string>();
    for (let part = 1; part <= parts; part += 1) for (const { object } of (await repository.check({ readData: { part, of: parts } })).problems) found.add(object);
    assert.deepEqual([...found].sort(), whole, `${parts} shares`);
  }
  await repository.close();
});

test('a slice and a dump that were found damaged are read again on demand, whatever part is read', async () => {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage);
  const writer = await beginChain(repository);
  await appendSlices(writer, randomChunks(20, 2_000));
  for (let n = 0; n < 2; n += 1) await repository.dumps.write((async function* () { yield randomChunks(1, 2_000)[0]!; })(), () => ({}));
  const [, older] = await repository.dumps.list();
  const spoiled = [numberName(writer.head.id, 5), `catalog/${older?.id}/0000000001`].sort();
  const sound = new Map<string, Buffer>();
  for (const name of spoiled) {
    sound.set(name, await storage.get(name));
    const bytes = Buffer.from(await storage.get(name));
    bytes[bytes.length >> 1]! ^= 1;
    await storage.delete(name);
    await storage.put(name, bytes);
  }
  const named = async (part: number, again: readonly string[] = []): Promise<string[]> =>
    (await repository.check({ readData: { part, of: 30 }, again })).problems.map(({ object }) => object).sort();
  const byPart = [];
  for (let part = 1; part <= 30; part += 1) byPart.push(await named(part));
  assert.deepEqual(byPart.flat().sort(), spoiled, 'each by one part');
  const neither = 1 + byPart.findIndex((found) => found.length === 0);
  assert.deepEqual(await named(neither, spoiled), spoiled);
  for (const [name, bytes] of sound) {
    await storage.delete(name);
    await storage.put(name, bytes);
  }
  assert.deepEqual(await named(neither, spoiled), []);
  await repository.close();
});
