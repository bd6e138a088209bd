// Reading a list in order: few calls, right order, other copies where one is bad.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/foundation/clock.ts';
import type { LeafvaultError } from '../../../src/foundation/errors.ts';
import type { ChunkLocation } from '../../../src/repository/chunk-index/chunk-index.ts';
import { NO_BASE } from '../../../src/repository/format/chunk-entry.ts';
import { createChunkLoader } from '../../../src/repository/read/load-chunk.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { createFaultyStorage } from '../../support/faulty-storage.ts';
import { openTestRepository, randomChunks, readContent, writeSnapshot } from '../../support/repository-fixture.ts';

describe('reading ahead', () => {
  test('fetches neighbouring chunks together', async () => {
    const inner = createMemoryStorage();
    const content = { a: randomChunks(400, 4_000) };
    const writing = await openTestRepository(inner, { packBytes: 1024 * 1024 });
    const root = await writeSnapshot(writing, content);
    await writing.close();
    const counted = createFaultyStorage(inner, 0);
    const repository = await openTestRepository(counted);
    const reader = await repository.openReader();
    const before = counted.calls;
    assert.deepEqual(await readContent(reader, root), content);
    assert.ok(counted.calls - before < 20, `${counted.calls - before} calls for 400 chunks`);
    await repository.close();
  });

  test('keeps the order of a list that jumps about and repeats', async () => {
    const repository = await openTestRepository(createMemoryStorage(), { threads: 2 });
    const chunks = randomChunks(100, 3_000);
    const order = Array.from({ length: 500 }, (_, i) => chunks[(i * 37) % 100] ?? assert.fail());
    const root = await writeSnapshot(repository, { stored: chunks, order });
    const reader = await repository.openReader();
    assert.deepEqual((await readContent(reader, root))['order'], order);
    await repository.close();
  });

  test('reads what shrank a thousandfold in small steps', async () => {
    const repository = await openTestRepository(createMemoryStorage(), { threads: 2 });
    const content = { zeros: Array.from({ length: 20 }, (_, i) => Buffer.alloc(3_000_000, i)) };
    const root = await writeSnapshot(repository, content);
    const reader = await repository.openReader();
    assert.deepEqual(await readContent(reader, root), content);
    await repository.close();
  });

  test('may be left early', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const root = await writeSnapshot(repository, { a: randomChunks(300, 3_000) });
    const reader = await repository.openReader();
    for await (const entry of reader.entries(root)) {
      for await (const { ref } of reader.chunks(entry.lists['data'] ?? assert.fail())) {
        assert.equal(ref.records, 1);
        break;
      }
    }
    await reader.close();
    await repository.close();
  });
});

describe('a chunk of a later format', () => {
  test('is refused by name', async () => {
    const storage = createMemoryStorage();
    const packId = '5f00000000000000000000ab';
    await storage.put(`packs/ab/${packId}`, randomBytes(500));
    const later: ChunkLocation = {
      id: Buffer.alloc(32, 1), type: 3, flags: 0, counter: 1, offset: 64, storedLength: 50, rawLength: 100, base: NO_BASE, packNumber: 0, packId, named: true, baseId: null,
    };
    const loader = createChunkLoader({
      storage,
      index: { find: async () => [later] } as unknown as Parameters<typeof createChunkLoader>[0]['index'],
      pool: { open: async () => ({ kind: 'opened', job: 1, raw: new Uint8Array(100), faults: [] }) } as unknown as Parameters<typeof createChunkLoader>[0]['pool'],
      packKeys: { of: async () => Buffer.alloc(32), fromHeader: () => Buffer.alloc(32) },
      refreshIndex: async () => undefined,
      recoverIndex: async () => undefined,
      clock: systemClock,
    }, new Map());
    await assert.rejects(loader.load(later.id), (error: LeafvaultError) => {
      assert.equal(error.code, 'REPOSITORY_CHUNK_UNSUPPORTED');
      assert.ok(error.message.includes(packId) && error.message.includes('type 3'));
      return true;
    });
  });
});
