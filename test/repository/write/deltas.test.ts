// Deltas from the writer to the reader: small where little changed, the same bytes for ever, and nothing rests on a base that may go.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { newId } from '../../../src/foundation/ids.ts';
import { packName } from '../../../src/repository/format/names.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { changed, deltasIn, named } from '../../support/delta-fixture.ts';
import { bytesOf, open, remove } from '../../support/prune-fixture.ts';
import { nearTo, openTestRepository, randomChunks, readSnapshot, writeEntries, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

describe('a chunk that is near to a stored one', () => {
  for (const threads of [0, 2]) {
    test(`takes a hundredth of its bytes and reads back (${threads} threads)`, async () => {
      const storage = createMemoryStorage();
      const repository = await openTestRepository(storage, { threads });
      const old = randomChunks(60, 20_000);
      const next: Buffer[] = old.map((chunk, i) => changed(chunk, i, 5_000 + i));
      const near = nearTo((chunk) => old[next.indexOf(chunk)] ?? null);
      await writeSnapshot(repository, { data: old }, newId(), near);
      const before = await bytesOf(storage, 'packs/');
      const root = await writeSnapshot(repository, { data: next }, newId(), near);
      const added = (await bytesOf(storage, 'packs/')) - before;
      assert.equal((await deltasIn(storage)).length, 60);
      assert.ok(added < 60 * 20_000 * 0.03, `${added} bytes`);
      assert.deepEqual(await readSnapshot(repository, root), { data: next });
      await repository.close();
      const fresh = await openTestRepository(storage, { threads });
      assert.deepEqual(await readSnapshot(fresh, root), { data: next });
      assert.deepEqual((await fresh.check({ readData: true })).problems, []);
      await fresh.close();
    });
  }

  test('rests on a full chunk only: what is near to a delta takes its base', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    const versions: Buffer[] = [randomBytes(9_000)];
    for (let i = 1; i < 6; i += 1) versions.push(changed(versions[i - 1] as Buffer, i * 700));
    const near = nearTo((chunk) => versions[versions.indexOf(chunk) - 1] ?? null);
    const roots = [];
    for (const version of versions) roots.push(await writeSnapshot(repository, { data: [version] }, newId(), near));
    assert.deepEqual(new Set((await deltasIn(storage)).map(({ base }) => base)), new Set([near.ids.get(versions[0]?.toString('latin1') ?? '')?.toString('hex')]));
    assert.equal((await deltasIn(storage)).length, 5);
    for (const [i, root] of roots.entries()) assert.deepEqual(await readSnapshot(repository, root), { data: [versions[i]] });
    await repository.close();
  });

  test('is stored full where too much changed, where the base is four times as long, and where the hint leads nowhere', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    const old: Buffer = randomBytes(20_000);
    const hints = new Map<Buffer, Buffer>([
      [changed(old, ...Array.from({ length: 9_000 }, (_, i) => i * 2)), old], [old.subarray(0, 4_000), old], [randomBytes(4_000), randomBytes(10)],
    ]);
    const near = nearTo((chunk) => hints.get(chunk) ?? null);
    await writeSnapshot(repository, { data: [old] }, newId(), near);
    const root = await writeSnapshot(repository, { data: [...hints.keys()] }, newId(), near);
    assert.deepEqual(await deltasIn(storage), []);
    assert.deepEqual(await readSnapshot(repository, root), { data: [...hints.keys()] });
    await repository.close();
  });

  test('is asked for in the order of the calls, known or new', async () => {
    const repository = await openTestRepository(createMemoryStorage(), { threads: 2 });
    const chunks = randomChunks(200, 2_000);
    await writeSnapshot(repository, { data: chunks.slice(0, 100) });
    const writer = await repository.openWriter();
    const asked: Buffer[] = [];
    const refs = await Promise.all(chunks.map((chunk) => writer.putChunk(chunk, 1, { base: (id) => { asked.push(id); return null; } })));
    assert.deepEqual(asked, refs.map(({ id }) => id));
    await writer.abort();
    await repository.close();
  });
});

describe('any sequence of changes', () => {
  test('gives every version back to the byte, whatever is deleted and pruned in between', async () => {
    const step = fc.record({ at: fc.nat(30_000), length: fc.nat(400), insert: fc.boolean(), drop: fc.nat(3), prune: fc.nat(2) }, { noNullPrototype: true });
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const storage = createMemoryStorage();
      const repository = await open(storage, { packBytes: 8_192 });
      let current: Buffer[] = Array.from({ length: 3 }, (_, i) => Buffer.concat([randomBytes(3_000), Buffer.alloc(1_000, i)]));
      const previous = new Map<Buffer, Buffer>();
      const near = nearTo((chunk) => previous.get(chunk) ?? null);
      const live = [{ root: await writeSnapshot(repository, { data: current }, newId(), near), content: { data: current } as Content }];
      for (const { at, length, insert, drop, prune } of steps) {
        const before = current;
        current = current.map((chunk, i) => {
          const from = (at + i) % chunk.length;
          const next = Buffer.concat([chunk.subarray(0, from), randomBytes(length), chunk.subarray(insert ? from : Math.min(chunk.length, from + length))]);
          previous.set(next, before[i] as Buffer);
          return next;
        });
        live.push({ root: await writeSnapshot(repository, { data: current }, newId(), near), content: { data: current } });
        if (drop > 0 && live.length > drop) for (const { root } of live.splice(0, drop)) await remove(root, repository);
        if (prune === 0) await repository.prune();
      }
      await repository.prune();
      for (const { root, content } of live) assert.deepEqual(await readSnapshot(repository, root), content);
      assert.deepEqual((await repository.check({ readData: true })).problems, []);
      await repository.close();
    }), { numRuns: 15 });
  });
});

describe('a base that can not be rested on', () => {
  const old = randomBytes(9_000);
  const next = changed(old, 77);
  const near = () => nearTo((chunk) => (chunk.equals(next) ? old : null));
  const begin = async () => {
    const storage = createMemoryStorage();
    const repository = await open(storage);
    const hints = near();
    const root = await writeSnapshot(repository, { data: [old] }, newId(), hints);
    return { storage, repository, hints, root, pack: (await named(storage)).find(({ id }) => id === hints.ids.get(old.toString('latin1'))?.toString('hex'))?.pack ?? '' };
  };

  test('since its pack is condemned: the chunk is full, and so is a delta on it stored anew', async () => {
    const { storage, repository, hints, root } = await begin();
    const holding = await open(storage);
    const reader = await holding.openReader();
    const second = await writeSnapshot(repository, { data: [next] }, newId(), hints);
    assert.equal((await deltasIn(storage)).length, 1);
    await remove(root, repository);
    await remove(second, repository);
    await repository.prune();
    const third = await writeSnapshot(repository, { data: [next] }, newId(), hints);
    assert.equal((await named(storage)).filter(({ id, base }) => id === hints.ids.get(next.toString('latin1'))?.toString('hex') && base === null).length, 1);
    await reader.close();
    await holding.close();
    await repository.prune();
    assert.deepEqual(await readSnapshot(repository, third), { data: [next] });
    assert.deepEqual(await deltasIn(storage), []);
    await repository.close();
  });

  test('since its pack is gone, or damaged: the chunk is full', async () => {
    for (const harm of ['gone', 'damaged']) {
      const { storage, repository, hints, pack } = await begin();
      const name = packName(pack);
      const bytes = await storage.get(name);
      await storage.delete(name);
      if (harm === 'damaged') await storage.put(name, Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(9), bytes.subarray(109)]));
      const root = await writeSnapshot(repository, { data: [next] }, newId(), hints);
      assert.deepEqual(await deltasIn(storage), [], harm);
      assert.deepEqual(await readSnapshot(repository, root), { data: [next] });
      await repository.close();
    }
  });

  test('since no index names it yet: a writer does not rest on its own packs before', async () => {
    const storage = createMemoryStorage();
    const repository = await open(storage);
    const hints = near();
    const writer = await repository.openWriter();
    await writeEntries(writer, { one: [old] }, hints);
    await writeEntries(writer, { two: [next] }, hints);
    await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
    assert.deepEqual(await deltasIn(storage), []);
    await repository.close();
  });
});

test('an abort does not wait for the read of a base', async () => {
  const storage = createMemoryStorage();
  const [old] = randomChunks(1, 9_000) as [Buffer];
  const next = changed(old, 77);
  const hints = nearTo((chunk) => (chunk.equals(next) ? old : null));
  const first = await open(storage);
  await writeSnapshot(first, { data: [old] }, newId(), hints);
  await first.close();
  const reading = Promise.withResolvers<undefined>();
  let isStalled = false;
  const stalling: Storage = {
    ...storage,
    async get(name, range, options) {
      if (!isStalled || !name.startsWith('packs/')) return storage.get(name, range, options);
      reading.resolve(undefined);
      return new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error)));
    },
  };
  const repository = await open(stalling);
  const stop = new AbortController();
  const writer = await repository.openWriter({ signal: stop.signal });
  isStalled = true;
  const put = writer.putChunk(next, 1, { base: () => hints.ids.get(old.toString('latin1')) ?? null });
  put.catch(() => undefined);
  await reading.promise;
  stop.abort(new Error('enough'));
  await assert.rejects(put, { message: 'enough' });
  await writer.abort();
  isStalled = false;
  await repository.close();
});
