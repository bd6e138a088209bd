// Which copy of a chunk is kept: whatever marks, weighs and moves asks this, so the answer is one for all of them.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { createChunkIndex } from '../../../src/repository/chunk-index/chunk-index.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES, NO_BASE, writeChunkEntry } from '../../../src/repository/format/chunk-entry.ts';
import { keptCopy } from '../../../src/repository/prune/kept-copy.ts';
import { withTempDir } from '../../support/repository-fixture.ts';

const idOf = (name: string): Buffer => hash('sha256', name, 'buffer');
const CHUNK = idOf('chunk');

interface State {
  readonly bad?: readonly number[];
  readonly gone?: readonly number[];
  readonly prefers?: readonly number[];
  /** Copies of other chunks; left out: one full copy of each base. */
  readonly others?: readonly (readonly [name: string, form: string])[];
}

/** Copies of the chunk by pack number: 'full', or the base of a delta. Those of others lie in the packs behind. */
async function keptOf(copies: readonly string[], state: State = {}): Promise<number | null> {
  return withTempDir(async (tempDir) => {
    const index = createChunkIndex({ tempDir });
    const rows = [...copies.map((form) => ({ id: CHUNK, form })), ...(state.others ?? [['base one', 'full'], ['base two', 'full']]).map(([name, form]) => ({ id: idOf(name), form }))];
    const gathered: Buffer[] = [];
    for (const [number, { id, form }] of rows.entries()) {
      const entry = Buffer.alloc(CHUNK_ENTRY_BYTES);
      writeChunkEntry(entry, 0, {
        id, type: form === 'full' ? CHUNK_TYPES.zstd : CHUNK_TYPES.delta, flags: 0, counter: 1, offset: 64, storedLength: 20, rawLength: 90, packNumber: 0, base: form === 'full' ? NO_BASE : 0,
      });
      await index.add({ packs: [{ id: number.toString(16).padStart(24, '0'), chunks: 1, sizeBytes: 200 }], entries: entry, bases: form === 'full' ? Buffer.alloc(0) : idOf(form) });
    }
    for await (const piece of index.pieces()) {
      for (let at = 0; at < piece.length; at += CHUNK_ENTRY_BYTES) if (piece.subarray(at, at + 32).equals(CHUNK)) gathered.push(Buffer.from(piece.subarray(at, at + CHUNK_ENTRY_BYTES)));
    }
    const entries = Buffer.concat(gathered);
    const rules = { index, isThere: (pack: number) => state.gone?.includes(pack) !== true, isBad: state.bad === undefined ? undefined : (pack: number) => state.bad?.includes(pack) === true };
    const kept = await keptCopy(rules, { entries, from: 0, to: entries.length }, (pack) => state.prefers?.includes(pack) ?? true);
    await index.close();
    return kept === null ? null : entries.readUInt32LE(kept + 56);
  });
}

test('of a chunk a full copy is kept before a delta, a sound one before a bad one, else one that is preferred, else the first', async () => {
  assert.equal(await keptOf(['base one', 'full']), 1);
  assert.equal(await keptOf(['base one', 'full'], { prefers: [0] }), 1, 'it may be the base of another');
  assert.equal(await keptOf(['full', 'full'], { prefers: [1] }), 1);
  assert.equal(await keptOf(['full', 'full'], { prefers: [] }), 0);
  assert.equal(await keptOf(['full', 'full'], { bad: [0] }), 1);
  assert.equal(await keptOf(['full', 'base one'], { bad: [0] }), 1);
  assert.equal(await keptOf(['full', 'base one'], { gone: [0] }), 1);
  assert.equal(await keptOf(['full'], { bad: [0] }), 0, 'a bad one where there is no other');
  assert.equal(await keptOf(['full'], { gone: [0] }), null);
});

test('of deltas those are kept whose base can be read, on one base whatever is preferred, and a bad full copy before the others', async () => {
  const [one, two] = [idOf('base one'), idOf('base two')].map((id) => id.readUInt32LE(0)) as [number, number];
  const first = one < two ? 0 : 1;
  for (const prefers of [[0], [1], []]) assert.equal(await keptOf(['base one', 'base two'], { prefers }), first, 'marked is what is weighed and moved');
  assert.equal(await keptOf(['base one', 'base two', 'base one'], { prefers: [2] }), first === 0 ? 2 : 1);
  // Packs 2 and 3 hold the bases.
  assert.equal(await keptOf(['base one', 'base two'], { gone: [2] }), 1);
  assert.equal(await keptOf(['base one', 'base two'], { gone: [3] }), 0);
  assert.equal(await keptOf(['base one', 'base two'], { bad: [2] }), 1);
  assert.equal(await keptOf(['base one', 'base two'], { bad: [2], gone: [3] }), 0, 'a base that is bad may come back');
  assert.equal(await keptOf(['base none', 'full'], { bad: [1] }), 1);
  assert.equal(await keptOf(['base none']), 0);
});

test('a delta whose base is left as a delta itself is kept before what nobody can read', async () => {
  for (const [alive, dead] of [['base one', 'base two'], ['base two', 'base one']] as const) {
    // Packs 2 and 3: full copies of both bases, bad; 4: a delta of one of them, on 5, which is sound.
    const others = [[alive, 'full'], [dead, 'full'], [alive, 'base zero'], ['base zero', 'full']] as const;
    assert.equal(await keptOf([alive, dead], { others, bad: [2, 3] }), 0, alive);
    assert.equal(await keptOf([dead, alive], { others, bad: [2, 3] }), 1, alive);
    assert.equal(await keptOf([dead, alive], { others, bad: [2, 3, 5] }), alive === first(alive, dead) ? 1 : 0, 'nobody reads either');
    assert.equal(await keptOf(['full', alive], { others, bad: [0, 2, 3] }), 1, 'before a full copy that is bad');
    assert.equal(await keptOf(['full', alive], { others, bad: [0, 2, 3, 4] }), 0);
    assert.equal(await keptOf([alive, dead], { others, bad: [2] }), 1, 'a base in full is better');
  }
});

function first(...names: readonly string[]): string {
  return [...names].sort((a, b) => idOf(a).readUInt32LE(0) - idOf(b).readUInt32LE(0))[0] ?? '';
}
