// The index of chunks: right, whatever the number of entries, in little memory.
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setImmediate as immediately } from 'node:timers/promises';
import fc from 'fast-check';
import { createBloomFilter } from '../../../src/repository/chunk-index/bloom-filter.ts';
import { createChunkIndex, type ChunkIndex } from '../../../src/repository/chunk-index/chunk-index.ts';
import { compareEntries, sortEntries } from '../../../src/repository/chunk-index/sort-entries.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES, NO_BASE, writeChunkEntry } from '../../../src/repository/format/chunk-entry.ts';
import type { IndexPayload } from '../../../src/repository/format/index-object.ts';
import { createPendingChunks } from '../../../src/repository/write/pending-chunks.ts';
import { withTempDir } from '../../support/repository-fixture.ts';

function idOf(seed: number): Buffer {
  return hash('sha256', String(seed), 'buffer');
}

/** One pack with the chunks of these seeds; the offset tells the seed. */
function packOf(pack: number, seeds: readonly number[]): IndexPayload {
  const entries = Buffer.alloc(seeds.length * CHUNK_ENTRY_BYTES);
  seeds.forEach((seed, i) => writeChunkEntry(entries, i * CHUNK_ENTRY_BYTES, {
    id: idOf(seed), type: 1, flags: 0, counter: i, offset: seed, storedLength: 10, rawLength: 20, base: NO_BASE, packNumber: 0,
  }));
  return { packs: [{ id: pack.toString(16).padStart(24, '0'), chunks: seeds.length, sizeBytes: 1_000 + pack }], entries: sortEntries(entries) };
}

/** One pack of deltas: chunk of each seed on the base of that seed. */
function deltasOf(pack: number, pairs: readonly (readonly [seed: number, base: number])[]): IndexPayload {
  const table = [...new Set(pairs.map(([, base]) => base))];
  const entries = Buffer.alloc(pairs.length * CHUNK_ENTRY_BYTES);
  pairs.forEach(([seed, base], i) => writeChunkEntry(entries, i * CHUNK_ENTRY_BYTES, {
    id: idOf(seed), type: CHUNK_TYPES.delta, flags: 0, counter: i, offset: seed, storedLength: 10, rawLength: 20, base: table.indexOf(base), packNumber: 0,
  }));
  return { ...packOf(pack, []), entries: sortEntries(entries), bases: Buffer.concat(table.map(idOf)) };
}

const TINY = { memoryRunBytes: 64 * 1024, pageCacheBytes: 64 * 1024, filterMaxBytes: 256 * 1024 };

describe('chunk index', () => {
  test('finds any of 110,000 chunks and no other with a budget of some hundred KiB', () => withTempDir(async (tempDir) => {
    const index = createChunkIndex({ ...TINY, tempDir });
    const [packs, each] = [110, 1_000];
    for (let pack = 0; pack < packs; pack += 1) await index.add(packOf(pack, Array.from({ length: each }, (_, i) => pack * each + i)));
    assert.equal(index.entries, packs * each);
    for (let seed = 0; seed < packs * each; seed += 97) {
      const [found, ...more] = await index.find(idOf(seed));
      assert.deepEqual([found?.offset, found?.packId, more.length], [seed, Math.floor(seed / each).toString(16).padStart(24, '0'), 0], `chunk ${seed}`);
    }
    let wrong = 0;
    for (let i = 0; i < 2_000; i += 1) wrong += (await index.find(randomBytes(32))).length;
    assert.equal(wrong, 0);
    assert.equal(index.packs.sizeOf(7), 1_007);
    await assertSorted(index, packs * each);
    await index.close();
    assert.deepEqual(await readdir(tempDir), [], 'no file is left');
  }));

  test('gives every copy of a chunk that lies in several packs', () => withTempDir(async (tempDir) => {
    const index = createChunkIndex({ ...TINY, memoryRunBytes: 4_096, tempDir });
    for (let pack = 0; pack < 200; pack += 1) await index.add(packOf(pack, [1, 2, 1_000 + pack]));
    const copies = await index.find(idOf(1));
    assert.equal(new Set(copies.map(({ packId }) => packId)).size, 200);
    assert.equal((await index.find(idOf(1_150))).length, 1);
    await index.close();
  }));

  test('answers lookups that run while runs are merged', () => withTempDir(async (tempDir) => {
    const index = createChunkIndex({ ...TINY, memoryRunBytes: 4_096, pageCacheBytes: 0, tempDir });
    await index.add(packOf(0, [1, 2, 3]));
    let adding = true;
    const added = (async () => {
      for (let pack = 1; pack < 150; pack += 1) await index.add(packOf(pack, Array.from({ length: 30 }, (_, i) => pack * 100 + i)));
      adding = false;
    })();
    let lookups = 0;
    for (; adding; lookups += 1) {
      assert.equal((await index.find(idOf(1 + (lookups % 3)))).length, 1);
      await immediately();
    }
    await added;
    assert.ok(lookups > 20);
    await index.close();
  }));

  test('knows the base of every delta, across runs and merges, and of each copy its own', () => withTempDir(async (tempDir) => {
    const index = createChunkIndex({ ...TINY, memoryRunBytes: 2_000, pageCacheBytes: 8_192, tempDir });
    for (let pack = 0; pack < 60; pack += 1) {
      await index.add(packOf(2 * pack, Array.from({ length: 40 }, (_, i) => pack * 40 + i)));
      await index.add(deltasOf(2 * pack + 1, Array.from({ length: 40 }, (_, i) => [10_000 + pack * 40 + i, (pack * 40 + i) >> 1])));
    }
    await index.add(deltasOf(500, [[10_007, 99], [5, 98]]));
    for (let seed = 0; seed < 2_400; seed += 7) {
      const [full] = await index.find(idOf(seed));
      assert.equal(full?.baseId, null);
      const deltas = (await index.find(idOf(10_000 + seed))).filter(({ packId }) => packId !== (500).toString(16).padStart(24, '0'));
      assert.deepEqual(deltas.map(({ baseId }) => baseId), [idOf(seed >> 1)], `chunk ${seed}`);
    }
    const copies = await index.find(idOf(10_007));
    assert.deepEqual(new Map(copies.map(({ packId, baseId }) => [Number.parseInt(packId, 16), baseId])), new Map([[1, idOf(3)], [500, idOf(99)]]));
    assert.deepEqual((await index.find(idOf(5))).map(({ type, baseId }) => [type, baseId]).sort(), [[1, null], [2, idOf(98)]]);
    let records = 0;
    for await (const piece of index.bases()) records += piece.length / CHUNK_ENTRY_BYTES;
    assert.equal(records, 2_402);
    await index.clear();
    await index.add(deltasOf(1, [[10_007, 4]]));
    assert.deepEqual((await index.find(idOf(10_007))).map(({ baseId }) => baseId), [idOf(4)]);
    await index.close();
    assert.deepEqual(await readdir(tempDir), [], 'no file is left');
  }));

  test('knows the bases of what is added while it is cleared', () => withTempDir(async (tempDir) => {
    const index = createChunkIndex({ ...TINY, memoryRunBytes: 1_000, tempDir });
    for (let pack = 0; pack < 20; pack += 1) await index.add(deltasOf(pack, Array.from({ length: 40 }, (_, i) => [pack * 40 + i, 9_000 + i])));
    const cleared = index.clear();
    const added = [30, 31, 32].map((pack) => index.add(deltasOf(pack, Array.from({ length: 40 }, (_, i) => [pack * 40 + i, 9_000 + i]))));
    await Promise.all([cleared, ...added]);
    assert.equal(index.entries, 120);
    for (let seed = 1_200; seed < 1_320; seed += 1) assert.deepEqual((await index.find(idOf(seed))).map(({ baseId }) => baseId), [idOf(9_000 + (seed % 40))], `chunk ${seed}`);
    await index.close();
  }));

  test('forgets everything when it is cleared', () => withTempDir(async (tempDir) => {
    const index = createChunkIndex({ ...TINY, memoryRunBytes: 1_000, tempDir });
    await index.add(packOf(1, Array.from({ length: 100 }, (_, i) => i)));
    await index.clear();
    assert.deepEqual(await index.find(idOf(5)), []);
    assert.equal(index.packs.count, 0);
    await index.add(packOf(2, [5]));
    assert.equal((await index.find(idOf(5)))[0]?.packId, '2'.padStart(24, '0'));
    await index.close();
  }));

  test('tells of a larger filter when it outgrows its own', () => withTempDir(async (tempDir) => {
    const index = createChunkIndex({ tempDir, memoryRunBytes: 1_000_000 });
    const sizes: number[] = [];
    index.onFilter(({ memory }) => sizes.push(memory.byteLength));
    for (let pack = 0; pack < 8; pack += 1) await index.add(packOf(pack, Array.from({ length: 8_000 }, (_, i) => pack * 8_000 + i)));
    assert.ok(sizes.length > 0);
    for (let seed = 0; seed < 64_000; seed += 101) assert.ok(index.filter.mayHold(idOf(seed)));
    await index.close();
  }));
});

describe('sorting', () => {
  test('orders any entries by id, then pack number, and keeps them whole', () => {
    const entry = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 3 }), fc.nat());
    fc.assert(fc.property(fc.array(entry, { maxLength: 200 }), (rows) => {
      const entries = Buffer.alloc(rows.length * CHUNK_ENTRY_BYTES);
      rows.forEach(([seed, packNumber, offset], i) => writeChunkEntry(entries, i * CHUNK_ENTRY_BYTES, {
        // Ids that differ late: the prefix alone must not decide.
        id: Buffer.concat([Buffer.alloc(31, seed % 3), Buffer.from([seed])]), type: 0, flags: 0, counter: 0, offset, storedLength: 0, rawLength: 0, base: 0, packNumber,
      }));
      const sorted = sortEntries(entries);
      for (let at = CHUNK_ENTRY_BYTES; at < sorted.length; at += CHUNK_ENTRY_BYTES) assert.ok(compareEntries(sorted, at - CHUNK_ENTRY_BYTES, sorted, at) <= 0);
      assert.deepEqual(rowsOf(sorted), rowsOf(entries));
    }));
  });
});

describe('filter', () => {
  test('never denies what was added and seldom affirms what was not', () => {
    const filter = createBloomFilter(32 * 1024);
    const count = (32 * 1024 * 8) / 12;
    for (let seed = 0; seed < count; seed += 1) filter.add(idOf(seed));
    for (let seed = 0; seed < count; seed += 1) assert.ok(filter.mayHold(idOf(seed)));
    let wrong = 0;
    for (let i = 0; i < 8_000; i += 1) if (filter.mayHold(randomBytes(32))) wrong += 1;
    assert.ok(wrong < 160, `${wrong} of 8,000`);
  });
});

describe('pending chunks', () => {
  test('hold what was added through growth and reset', () => {
    const pending = createPendingChunks();
    for (let seed = 0; seed < 9_000; seed += 1) pending.add(idOf(seed));
    for (let seed = 0; seed < 9_000; seed += 1) assert.ok(pending.has(idOf(seed)));
    assert.equal(pending.has(idOf(-1)), false);
    pending.reset([packOf(1, [3, 4]).entries, packOf(2, [9]).entries]);
    assert.deepEqual([3, 4, 9, 10].map((seed) => pending.has(idOf(seed))), [true, true, true, false]);
  });
});

async function assertSorted(index: ChunkIndex, count: number): Promise<void> {
  let seen = 0;
  let last = Buffer.alloc(CHUNK_ENTRY_BYTES);
  for await (const piece of index.pieces()) {
    for (let at = 0; at < piece.length; at += CHUNK_ENTRY_BYTES) {
      assert.ok(compareEntries(last, 0, piece, at) <= 0);
      last = Buffer.from(piece.subarray(at, at + CHUNK_ENTRY_BYTES));
      seen += 1;
    }
  }
  assert.equal(seen, count);
}

function rowsOf(entries: Buffer): string[] {
  return Array.from({ length: entries.length / CHUNK_ENTRY_BYTES }, (_, i) => entries.toString('hex', i * CHUNK_ENTRY_BYTES, (i + 1) * CHUNK_ENTRY_BYTES)).sort();
}
