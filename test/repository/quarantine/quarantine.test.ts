// Damaged objects are moved aside and fetched again; at any call that is struck nothing is lost and the next try ends the work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChunkPool } from '../../../src/repository/chunks/chunk-pool.ts';
import { healObject, quarantineObject, refetchObject } from '../../../src/repository/quarantine/quarantine.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createMemoryStorage, withRetry, type Storage } from '../../../src/storage/index.ts';
import { createFaultyStorage, FAULT_MODES, ODD_MODES } from '../../support/faulty-storage.ts';
import { collect, copyToMemory, MASTER_KEY, objectNames, openTestRepository, randomChunks, readSnapshot, writeSnapshot } from '../../support/repository-fixture.ts';

const CONTENT = { a: randomChunks(20, 3_000) };

async function make(): Promise<{ readonly storage: Storage; readonly context: (storage: Storage) => Parameters<typeof healObject>[0]; readonly names: string[] }> {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage);
  const snapshot = await writeSnapshot(repository, CONTENT);
  await repository.addFact({ snapshotId: snapshot.id, kind: 'pin', createdAt: new Date().toISOString(), body: {} });
  await (await repository.chains.begin({ series: 's', from: '0'.repeat(16), body: {} })).append({ to: '1'.padStart(16, '0'), records: 1, raw: Buffer.from('x'), body: {} });
  await repository.close();
  const { file, keys } = await unlock(storage, MASTER_KEY);
  const pool = createChunkPool(keys.chunkId, 0);
  const movable = (await objectNames(storage)).filter((name) => name !== 'repository.json');
  return { storage, names: movable, context: (each) => ({ id: file.id, keys, pool, storage: withRetry(each, { attempts: 3, firstDelayMs: 1 }) }) };
}

const flipped = (bytes: Buffer): Buffer => {
  const other = Buffer.from(bytes);
  const at = bytes.length >> 1;
  other[at] = (other[at] ?? 0) ^ 0x40;
  return other;
};

test('an object of every kind with a flipped bit is found, moved aside as it is, and replaced', async () => {
  const { storage, context, names } = await make();
  assert.ok(['keys/', 'packs/', 'indexes/', 'snapshots/', 'facts/', 'oplog/'].every((prefix) => names.some((name) => name.startsWith(prefix))));
  for (const name of names) {
    const broken = await copyToMemory(storage, (each, bytes) => (each === name ? flipped(bytes) : bytes));
    assert.equal(await healObject(context(storage), name, broken), null, 'what is sound stays');
    const healed = await healObject(context(broken), name, storage);
    const aside = healed?.quarantined ?? '';
    assert.ok(aside.startsWith('quarantine/'), name);
    assert.deepEqual(await broken.get(aside), flipped(await storage.get(name)));
    assert.deepEqual(await broken.get(name), await storage.get(name));
    assert.equal(await healObject(context(broken), name, storage), null, 'it is sound now');
  }
});

test('what the copy has not, or has damaged, is left as it is', async () => {
  const { storage, context, names } = await make();
  const pack = names.find((name) => name.startsWith('packs/')) ?? '';
  const broken = await copyToMemory(storage, (name, bytes) => (name === pack ? flipped(bytes) : bytes));
  const before = await objectNames(broken);
  await assert.rejects(healObject(context(broken), pack, broken), { code: 'REPOSITORY_OBJECT_DAMAGED' });
  await assert.rejects(healObject(context(broken), pack, createMemoryStorage()), { code: 'REPOSITORY_OBJECT_MISSING' });
  assert.deepEqual(await objectNames(broken), before);
  await assert.rejects(refetchObject(context(broken), pack, storage), { code: 'STORAGE_OBJECT_EXISTS' });
  for (const name of ['repository.json', 'copy.json', 'sessions/x', 'generations/0000000001']) await assert.rejects(quarantineObject({ storage: broken }, name), { code: 'REPOSITORY_OBJECT_HELD' });
  assert.equal(await quarantineObject({ storage: broken }, 'packs/00/none'), null);
});

for (const mode of [...FAULT_MODES, ...ODD_MODES].filter((each) => each !== 'tear' && each !== 'other order' && each !== 'break off')) {
  test(`struck at any call, the damaged bytes are kept and the next try ends it (${mode})`, async () => {
    const { storage, context, names } = await make();
    const pack = names.find((name) => name.startsWith('packs/')) ?? '';
    const damagedBytes = flipped(await storage.get(pack));
    for (let call = 1; ; call += 1) {
      const broken = await copyToMemory(storage, (name, bytes) => (name === pack ? damagedBytes : bytes));
      const faulty = createFaultyStorage(broken, call, mode);
      await healObject(context(faulty), pack, storage).catch(() => null);
      if (!faulty.struck) return assert.ok(call > (ODD_MODES.includes(mode) ? 3 : 4), `${call} calls`);
      await faulty.arrive();
      await healObject(context(broken), pack, storage);
      const aside = (await objectNames(broken)).filter((name) => name.startsWith('quarantine/'));
      assert.equal(aside.length, 1);
      assert.deepEqual(await broken.get(aside[0] ?? ''), damagedBytes);
      const repository = await openTestRepository(broken);
      const [root] = await collect(repository.listSnapshots());
      assert.ok(root);
      assert.deepEqual(await readSnapshot(repository, root), CONTENT);
      assert.deepEqual((await repository.check({ readData: true })).problems, []);
      await repository.close();
    }
  });
}
