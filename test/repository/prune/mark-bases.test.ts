// Marking what deltas rest on, in little memory: files beside, and none that is left when it is cancelled.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createChunkIndex } from '../../../src/repository/chunk-index/chunk-index.ts';
import { sortEntries } from '../../../src/repository/chunk-index/sort-entries.ts';
import { createSortedRuns } from '../../../src/repository/chunk-index/sorted-runs.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES, writeChunkEntry } from '../../../src/repository/format/chunk-entry.ts';
import { markBases } from '../../../src/repository/prune/mark-bases.ts';
import { withTempDir } from '../../support/repository-fixture.ts';

/** More than are kept in memory. */
const DELTAS = 200_000;

test('a mark that is cancelled leaves no file', () => withTempDir(async (folder) => {
  const index = createChunkIndex({ tempDir: join(folder, 'index') });
  const live = createSortedRuns({ tempDir: join(folder, 'live') });
  const [ids, bases] = [randomBytes(DELTAS * 32), randomBytes(DELTAS * 32)];
  const [entries, marks] = [Buffer.alloc(DELTAS * CHUNK_ENTRY_BYTES), Buffer.alloc(DELTAS * CHUNK_ENTRY_BYTES)];
  for (let i = 0; i < DELTAS; i += 1) {
    const id = ids.subarray(i * 32, (i + 1) * 32);
    writeChunkEntry(entries, i * CHUNK_ENTRY_BYTES, { id, type: CHUNK_TYPES.delta, flags: 0, counter: i, offset: 64 + i, storedLength: 1, rawLength: 90, base: i, packNumber: 0 });
    id.copy(marks, i * CHUNK_ENTRY_BYTES);
  }
  await index.add({ packs: [{ id: '1'.padStart(24, '0'), chunks: DELTAS, sizeBytes: 1 }], entries: sortEntries(entries), bases });
  await live.add(sortEntries(marks));

  const tempDir = join(folder, 'marks');
  const stop = new AbortController();
  let asked = 0;
  let filesBefore = 0;
  const isThere = (): boolean => {
    asked += 1;
    if (asked === 3 * (DELTAS - 2_000)) {
      filesBefore = readdirSync(tempDir).length;
      stop.abort(new Error('enough'));
    }
    return true;
  };
  await assert.rejects(markBases({ index, live, tempDir, signal: stop.signal, isBad: undefined, isThere }), { message: 'enough' });
  assert.deepEqual([filesBefore, readdirSync(tempDir).length], [1, 0], 'what was found did not fit into memory any more');
  await index.close();
  await live.close();
}));
