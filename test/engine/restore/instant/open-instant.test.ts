import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BSON, type Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { KeptSlice, KeptInstant } from '../../../../src/engine/contracts.ts';
import { openInstant, type Instant } from '../../../../src/engine/restore/instant/open-instant.ts';
import { readCollectionEntry, type CollectionEntry } from '../../../../src/engine/snapshot/index.ts';
import { createProgressTally } from '../../../../src/engine/restore/progress-tally.ts';
import { systemClock } from '../../../../src/foundation/clock.ts';
import { isLeafvaultError } from '../../../../src/foundation/errors.ts';
import type { SnapshotRoot } from '../../../../src/repository/repository.ts';
import { at, COLLECTION, CREATE, deleteOf, entry, insertOf, partOf, updateOf, UUID_TEXT } from '../../replay/entries.ts';
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

function open(base: number, border: number, slices: KeptInstant['slices'], { entries = [], collections = [] }: { readonly entries?: readonly CollectionEntry[]; readonly collections?: readonly string[] } = {}): Promise<Instant> {
  const body = { consistency: 'point-in-time', pointInTime: at(base), beganAt: at(base), source: { replicaSetId: 'a' }, selection: { databases: [], collections } };
  return openInstant({
    root: { body } as unknown as SnapshotRoot, tempDir, signal: new AbortController().signal, tally: createProgressTally(() => undefined, systemClock),
    instant: { border: at(border), replicaSetId: 'a', slices },
  }, entries);
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

  test('takes what a server had for a while from the base once it has its name, and not where it is dropped or takes a name that was not chosen', async () => {
    const [raw, none] = [(document: Document) => Buffer.from(BSON.serialize(document)).toString('base64'), { documents: 0, bytes: 0, cutMask: 0, capped: false, orderedHash: null }];
    const filled = readCollectionEntry({ name: 'd.tmp.agg_out.1', lists: {}, body: {
      kind: 'collection', db: 'd', name: 'tmp.agg_out.1', uuid: UUID_TEXT, options: raw({ temp: true }), indexes: raw({ indexes: [] }), hash: '0'.repeat(32), ...none, documents: 7, temporary: true,
    } });
    const command = (o: Document): Document => ({ op: 'c', ns: 'd.$cmd', ui: COLLECTION, o });
    const rename = entry(4, command({ renameCollection: 'd.tmp.agg_out.1', to: 'd.c', stayTemp: false }));
    const found = async (border: number, window: readonly RawEntry[], collections: readonly string[] = []): Promise<unknown[]> => {
      const instant = await open(1, border, all(slicesOf(1, window)), { entries: [filled], collections });
      await instant.close();
      return instant.entries.map(({ namespace, body }) => [namespace, body.documents, body.temporary]);
    };
    assert.deepEqual(await found(3, [entry(3, insertOf(1)), rename]), []);
    assert.deepEqual(await found(4, [entry(3, insertOf(1)), rename]), [['d.c', 7, undefined]]);
    assert.deepEqual(await found(4, [rename], ['d.c']), [['d.c', 7, undefined]]);
    assert.deepEqual(await found(4, [rename], ['d.else']), []);
    assert.deepEqual(await found(4, [entry(4, command({ drop: 'tmp.agg_out.1' }))]), []);
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
