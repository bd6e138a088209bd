import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { KeptSlice, KeptInstant } from '../../../../src/engine/contracts.ts';
import { openInstant, type Instant } from '../../../../src/engine/restore/instant/open-instant.ts';
import { createProgressTally } from '../../../../src/engine/restore/progress-tally.ts';
import { systemClock } from '../../../../src/foundation/clock.ts';
import { isLeafvaultError } from '../../../../src/foundation/errors.ts';
import type { SnapshotRoot } from '../../../../src/repository/repository.ts';
import { at, CREATE, deleteOf, entry, insertOf, partOf, updateOf } from '../../replay/entries.ts';
import type { RawEntry } from '../../replay/oplog-source.ts';

let tempDir: string;
before(async () => { tempDir = await mkdtemp(join(tmpdir(), 'leafvault-instant-')); });
after(() => rm(tempDir, { recursive: true }));

/** One slice for each list; positions between them have no entries. */
function slicesOf(from: number, ...slices: readonly (readonly RawEntry[])[]): KeptSlice[] {
  let begin = at(from);
  return slices.map((entries) => {
    const to = entries.at(-1)!.time;
    const slice = { from: begin, to, raw: Buffer.concat(entries.map(({ raw }) => raw)) };
    begin = to;
    return slice;
  });
}

function open(base: number, border: number, slices: KeptInstant['slices']): Promise<Instant> {
  const body = { consistency: 'point-in-time', pointInTime: at(base), beganAt: at(base), source: { replicaSetId: 'a' }, selection: { databases: [], collections: [] } };
  return openInstant({
    root: { body } as unknown as SnapshotRoot, tempDir, signal: new AbortController().signal, tally: createProgressTally(() => undefined, systemClock),
    instant: { border: at(border), replicaSetId: 'a', slices },
  }, []);
}

const all = (slices: readonly KeptSlice[]): KeptInstant['slices'] => async function* () { yield* slices; };

describe('what a restore knows of an instant', () => {
  test('reads the chain once more from its beginning for a transaction that began before the base', async () => {
    const slices = slicesOf(0, [entry(1, CREATE)], [partOf(2, 0, { applyOps: [insertOf(1, { x: 1 })], partialTxn: true })], [partOf(4, 2, { applyOps: [deleteOf(1)], count: 2 }), entry(5, insertOf(2))]);
    const reads: (ClusterTime | null)[] = [];
    const instant = open(3, 5, async function* ({ behind }) {
      reads.push(behind);
      yield* behind === null ? slices : slices.slice(2);
    });
    // The collection was made before the base and is not in it.
    await assert.rejects(instant, (error) => isLeafvaultError(error, 'REPLAY_COLLECTION_UNLISTED'));
    assert.deepEqual(reads, [at(3), null]);
    assert.deepEqual(await readdir(tempDir), []);
  });

  test('names what exists at the border, and nothing of what comes behind it', async () => {
    const instant = await open(0, 3, all(slicesOf(0, [entry(1, CREATE), entry(2, insertOf(1))], [entry(3, updateOf(1, { x: 1 })), entry(4, { op: 'c', ns: 'd.$cmd', o: { dropDatabase: 1 } })])));
    assert.deepEqual(instant.entries.map(({ namespace, body }) => [namespace, body.kind, body.documents]), [['d.c', 'collection', 0]]);
    assert.equal(instant.table.operationCount(instant.numberOf(instant.entries[0]!)!), 2);
    await instant.close();
    await instant.close();
    assert.deepEqual(await readdir(tempDir), []);
  });

  test('leaves out what a restore was building', async () => {
    const built = { ...CREATE, o: { ...CREATE.o, create: '__lv_0123456789ab.1' } };
    const instant = await open(0, 2, all(slicesOf(0, [entry(1, built), entry(2, { ...insertOf(1), ns: 'd.__lv_0123456789ab.1' })])));
    assert.deepEqual([instant.entries, instant.warnings.length], [[], 1]);
    await instant.close();
  });

  test('is refused where entries are not of their slice', async () => {
    const [slice] = slicesOf(0, [entry(1, CREATE), entry(2, insertOf(1))]);
    for (const wrong of [{ ...slice!, to: at(3) }, { ...slice!, from: at(1) }, { ...slice!, raw: Buffer.alloc(0) }]) {
      await assert.rejects(open(1, 2, all([wrong])), (error) => isLeafvaultError(error, 'REPLAY_WINDOW_BROKEN'));
    }
    await assert.rejects(open(1, 2, all([])), (error) => isLeafvaultError(error, 'RESTORE_INSTANT_OUTSIDE'));
  });
});
