// Bases that are wanted while others are read are read together where they lie side by side.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { ChunkLocation } from '../../../src/repository/chunk-index/chunk-index.ts';
import { packName } from '../../../src/repository/format/names.ts';
import { createBaseReads } from '../../../src/repository/write/base-reads.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';

const PACK_ID = 'a'.repeat(24);
const EACH = 1_000;

const at = (place: number): ChunkLocation => ({
  id: Buffer.alloc(32, place), packId: PACK_ID, named: true, type: 1, baseId: null, flags: 0, counter: place, offset: place * EACH, storedLength: EACH, rawLength: EACH, base: 0, packNumber: 0,
});

test('a hundred bases of a slow store take few reads, and each is given its own bytes', async () => {
  const storage = createMemoryStorage();
  const pack = randomBytes(300 * EACH);
  await storage.put(packName(PACK_ID), pack);
  const open = Promise.withResolvers<undefined>();
  let reads = 0;
  const slow: Storage = {
    ...storage,
    async get(...request) {
      reads += 1;
      await open.promise;
      return storage.get(...request);
    },
  };
  const bases = createBaseReads({ storage: slow }, undefined);
  // Not all of them, and not in their order; the last is far away.
  const places = [...Array.from({ length: 99 }, (_, i) => (i * 7) % 99), 299];
  const wanted = places.map((place) => bases.read(at(place)));
  open.resolve(undefined);
  for (const [i, stored] of (await Promise.all(wanted)).entries()) assert.deepEqual(stored, pack.subarray((places[i] ?? 0) * EACH, ((places[i] ?? 0) + 1) * EACH), `base ${places[i]}`);
  assert.ok(reads <= 15, `${reads} reads`);
});

test('what can not be read fails whoever waits for it, and nobody else', async () => {
  const storage = createMemoryStorage();
  await storage.put(packName(PACK_ID), randomBytes(10 * EACH));
  const bases = createBaseReads({ storage }, undefined);
  const results = await Promise.allSettled([0, 500, 1].map((place) => bases.read(at(place))));
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
});
