// Index objects that are joined keep what each entry says, whatever numbers packs and bases had.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../../../src/foundation/clock.ts';
import { readIndexObject } from '../../../src/repository/chunk-index/load-indexes.ts';
import { CHUNK_ENTRY_BYTES, NO_BASE, readChunkEntry, writeChunkEntry } from '../../../src/repository/format/chunk-entry.ts';
import type { IndexPayload } from '../../../src/repository/format/index-object.ts';
import { deriveKeys } from '../../../src/repository/format/keys.ts';
import { createJoiner } from '../../../src/repository/prune/join-indexes.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { collect } from '../../support/repository-fixture.ts';

const BASES = [randomBytes(32), randomBytes(32), randomBytes(32)] as const;

/** An index of packs whose chunks have these bases; -1: none. */
function indexOf(packs: Readonly<Record<string, readonly number[]>>, table: readonly Buffer[]): IndexPayload {
  const rows = Object.values(packs).flatMap((bases, packNumber) => bases.map((base) => ({ base, packNumber })));
  const entries = Buffer.alloc(rows.length * CHUNK_ENTRY_BYTES);
  rows.forEach(({ base, packNumber }, i) => writeChunkEntry(entries, i * CHUNK_ENTRY_BYTES, {
    id: randomBytes(32), type: base < 0 ? 1 : 2, flags: 0, counter: i, offset: 64, storedLength: 20, rawLength: 90, packNumber,
    base: base < 0 ? NO_BASE : table.indexOf(BASES[base] as Buffer),
  }));
  return { packs: Object.keys(packs).map((id) => ({ id, chunks: 1, sizeBytes: 100 })), entries, bases: Buffer.concat(table) };
}

/** Chunk id to pack and base, both by id. */
function said({ packs, entries, bases }: IndexPayload): Map<string, string> {
  return new Map(Array.from({ length: entries.length / CHUNK_ENTRY_BYTES }, (_, i) => {
    const { id, base, packNumber } = readChunkEntry(entries, i * CHUNK_ENTRY_BYTES);
    return [id.toString('hex'), `${packs[packNumber]?.id} ${base === NO_BASE ? 'full' : bases?.toString('hex', base * 32, base * 32 + 32)}`];
  }));
}

test('joined index objects name the same pack and the same base for every chunk that stays', async () => {
  const [context, storage] = [{ keys: deriveKeys(Buffer.alloc(32, 1)), clock: systemClock }, createMemoryStorage()];
  const [a, b, gone] = ['5f00000000000000000000aa', '5f00000000000000000000bb', '5f00000000000000000000cc'];
  const inputs = [indexOf({ [a]: [1, -1, 0], [gone]: [2] }, [BASES[0], BASES[1], BASES[2]]), indexOf({ [b]: [-1, 1, 1] }, [BASES[1]])];
  const joiner = createJoiner({ ...context, storage }, () => Promise.resolve());
  for (const index of inputs) await joiner.add(index, new Set([gone]));
  await joiner.flush();
  const [object] = await collect(storage.list('indexes/'));
  const joined = await readIndexObject({ storage, keys: context.keys }, object?.name ?? '');
  const expected = inputs.flatMap((index) => [...said(index)]).filter(([, place]) => !place.startsWith(gone));
  assert.deepEqual([...said(joined)].sort(), expected.sort());
  assert.equal(joined.bases?.length, 2 * 32, 'the base of what went is gone, and one that both name stands once');
});
