// Which chunk a new one may be stored as a delta of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChunkIndex, ChunkLocation } from '../../../src/repository/chunk-index/chunk-index.ts';
import { CHUNK_TYPES, NO_BASE } from '../../../src/repository/format/chunk-entry.ts';
import { chooseBase } from '../../../src/repository/write/choose-base.ts';

const idOf = (name: string): Buffer => Buffer.alloc(32, name);

test('a chunk is no base of itself, though another writer put it since it was looked for', async () => {
  const copy = (name: string, base: string | null): ChunkLocation => ({
    id: idOf(name), packId: name, named: true, type: base === null ? CHUNK_TYPES.zstd : CHUNK_TYPES.delta, baseId: base === null ? null : idOf(base),
    flags: 0, counter: 1, offset: 64, storedLength: 20, rawLength: 90, base: NO_BASE, packNumber: 0,
  });
  const copies = [copy('full', null), copy('delta', 'full')];
  const index = { find: (id: Buffer) => Promise.resolve(copies.filter((each) => each.id.equals(id))) } as unknown as ChunkIndex;
  const chosen = (chunk: string, hint: string) => chooseBase({ index }, { id: idOf(chunk), rawLength: 90 }, idOf(hint), () => true);
  assert.equal((await chosen('new', 'full'))?.packId, 'full');
  assert.equal((await chosen('new', 'delta'))?.packId, 'full');
  assert.equal(await chosen('full', 'full'), null);
  assert.equal(await chosen('full', 'delta'), null, 'nor of a delta that rests on it');
});
