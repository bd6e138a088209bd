// What a writer holds in memory, and what it sends again.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { setImmediate as immediately } from 'node:timers/promises';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { openTestRepository, randomChunks, readSnapshot, writeEntries, writeSnapshot } from '../../support/repository-fixture.ts';

describe('writer', () => {
  test('takes no more while the store stalls, and goes on when it does', async () => {
    const inner = createMemoryStorage();
    let letGo = (): void => undefined;
    const stalled = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const storage: Storage = {
      ...inner,
      async put(name, bytes, options) {
        if (name.startsWith('packs/')) await stalled;
        await inner.put(name, bytes, options);
      },
    };
    const repository = await openTestRepository(storage, { packBytes: 512 * 1024 });
    const writer = await repository.openWriter();
    let taken = 0;
    const chunks = randomChunks(600, 50_000);
    const writing = Promise.all(chunks.map(async (chunk) => {
      const ref = await writer.putChunk(chunk, 1);
      taken += chunk.length;
      return ref;
    }));
    for (let last = -1; last !== taken;) {
      last = taken;
      for (let turn = 0; turn < 200; turn += 1) await immediately();
    }
    assert.ok(taken > 0 && taken < 12_000_000, `${taken} bytes of 30,000,000 were taken while nothing could be stored`);
    letGo();
    assert.equal((await writing).length, 600);
    await writer.abort();
    await repository.close();
  });

  test('can be aborted while the store stalls', async () => {
    const inner = createMemoryStorage();
    const storage: Storage = {
      ...inner,
      put: (name, bytes, options) => (name.startsWith('packs/')
        ? new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)))
        : inner.put(name, bytes, options)),
    };
    const repository = await openTestRepository(storage);
    const stop = new AbortController();
    const writer = await repository.openWriter({ signal: stop.signal });
    const writing = Promise.allSettled(randomChunks(300, 50_000).map((chunk) => writer.putChunk(chunk, 1)));
    await immediately();
    const reason = new Error('cancelled');
    stop.abort(reason);
    await writer.abort();
    assert.ok((await writing).some((result) => result.status === 'rejected' && result.reason === reason));
    await repository.close();
  });

  test('sends a pack again with the very same bytes', async () => {
    const inner = createMemoryStorage();
    const sent = new Map<string, string[]>();
    const storage: Storage = {
      ...inner,
      async put(name, bytes, options) {
        const hash = createHash('sha256');
        for (const part of bytes instanceof Uint8Array ? [bytes] : bytes) hash.update(part);
        const tries = sent.get(name) ?? [];
        sent.set(name, [...tries, hash.digest('hex')]);
        if (name.startsWith('packs/') && tries.length < 2) throw new LeafvaultError('STORAGE_FAILED', 'busy', { retryable: true });
        await inner.put(name, bytes, options);
      },
    };
    const repository = await openTestRepository(storage);
    const content = { a: randomChunks(100, 5_000) };
    const root = await writeSnapshot(repository, content);
    const packs = [...sent].filter(([name]) => name.startsWith('packs/'));
    assert.ok(packs.length > 3);
    for (const [name, tries] of packs) assert.deepEqual([tries.length, new Set(tries).size], [3, 1], name);
    assert.deepEqual(await readSnapshot(repository, root), content);
    await repository.close();
  });

  test('gives up with the cause when the store stays full', async () => {
    const inner = createMemoryStorage();
    const storage: Storage = {
      ...inner,
      async put(name, bytes, options) {
        if (name.startsWith('packs/')) throw new LeafvaultError('STORAGE_FULL', `Storing ${name} failed: no room is left`, { hint: 'Free disk space' });
        await inner.put(name, bytes, options);
      },
    };
    const repository = await openTestRepository(storage);
    await assert.rejects(writeSnapshot(repository, { a: randomChunks(100, 5_000) }), { code: 'STORAGE_FULL' });
    const writer = await repository.openWriter();
    await writeEntries(writer, { a: [randomBytes(10)] });
    await writer.abort();
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    await repository.close();
  });

  test('holds a large list and large chunks in few pages and packs', async () => {
    const repository = await openTestRepository(createMemoryStorage(), { threads: 2, packBytes: 4 * 1024 * 1024 });
    const writer = await repository.openWriter();
    const list = writer.openList();
    const big = await writer.putChunk(randomBytes(20_000_000), 1);
    for (let i = 0; i < 3_000; i += 1) await list.append(i % 3 === 0 ? big : await writer.putChunk(Buffer.from(`small ${i}`), 1));
    const whole = await list.finish();
    assert.equal(whole.chunks, 3_000);
    assert.equal(whole.rawBytes, 20_000_000 * 1_000 + Array.from({ length: 3_000 }, (_, i) => (i % 3 === 0 ? 0 : `small ${i}`.length)).reduce((a, b) => a + b));
    await writer.abort();
    await repository.close();
  });
});
