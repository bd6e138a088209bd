// What may rest on which copies: a delta needs its base, and one whose base is not known needs what nobody has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChunkLocation } from '../../../src/repository/chunk-index/chunk-index.ts';
import { addNeededPacks, isReadable, isSafelyStored, safeFullCopy } from '../../../src/repository/chunk-index/resting.ts';
import { CHUNK_TYPES, NO_BASE } from '../../../src/repository/format/chunk-entry.ts';

const idOf = (name: string): Buffer => Buffer.alloc(32, name);

/** `[chunk, pack, base]`; base undefined: full, null: a delta of whose base nothing is known. */
function indexOf(rows: readonly (readonly [chunk: string, pack: string, base?: string | null])[]) {
  const copies = rows.map(([chunk, packId, base]): ChunkLocation => ({
    id: idOf(chunk), packId, named: true, type: base === undefined ? CHUNK_TYPES.zstd : CHUNK_TYPES.delta, baseId: base === undefined || base === null ? null : idOf(base),
    flags: 0, counter: 1, offset: 64, storedLength: 20, rawLength: 90, base: NO_BASE, packNumber: 0,
  }));
  return { find: (id: Buffer) => Promise.resolve(copies.filter((copy) => copy.id.equals(id))) };
}

const safe = () => true;

test('a delta whose base is not known is no full chunk', async () => {
  const index = indexOf([['a', 'one', null], ['b', 'two', 'a']]);
  assert.equal(await safeFullCopy(index, idOf('a'), safe), null);
  assert.deepEqual([await isSafelyStored(index, idOf('a'), safe), await isSafelyStored(index, idOf('b'), safe)], [false, false]);
  assert.deepEqual([await isReadable(index, idOf('a'), safe), await isReadable(index, idOf('b'), safe)], [false, false]);
  const needed = new Set<string>();
  assert.equal(await addNeededPacks(index, idOf('b'), safe, needed), false);
  assert.deepEqual(needed, new Set(['one', 'two']), 'it may come to be known');
});

test('what a reader gets goes one step further than what may be rested on', async () => {
  const index = indexOf([['base', 'zero'], ['a', 'one', 'base'], ['b', 'two', 'a'], ['c', 'three', 'b']]);
  const answers = async (id: string) => [await isSafelyStored(index, idOf(id), safe), await isReadable(index, idOf(id), safe)];
  assert.deepEqual([await answers('a'), await answers('b'), await answers('c')], [[true, true], [false, true], [false, false]]);
  assert.equal(await isReadable(index, idOf('b'), ({ packId }) => packId !== 'zero'), false);
});
