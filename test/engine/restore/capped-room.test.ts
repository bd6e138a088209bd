import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Document, Timestamp } from 'mongodb';
import type { ClusterTime } from '../../../src/domain/cluster-time.ts';
import type { RestoreOptions } from '../../../src/engine/contracts.ts';
import { restoreSnapshot } from '../../../src/engine/restore/index.ts';
import type { SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { takeSnapshot } from '../../support/capture.ts';
import { restoreWorld } from '../../support/restore-world.ts';
import { INTO_COPY, startSmallSource, type SmallSource } from './instant/small-source.ts';

/** A document has 1,000 bytes. */
const PAD = 'x'.repeat(976);
const SIZES = { four: 4_096, nine: 9_216, ten: 10_240 };
const NAMES = ['byMax', 'bySize'];

/** What is done to both collections, one after the other. */
const STEPS: readonly (readonly [string, (small: SmallSource) => Promise<void>])[] = [
  ['the limits are lowered', (small) => limit(small, 4, SIZES.four)],
  ['one is inserted behind that', (small) => insert(small, 100, 1)],
  ['the limits are raised again and filled', async (small) => {
    await limit(small, 9, SIZES.nine);
    await insert(small, 200, 5);
  }],
  ['the limits are lowered to what they had been', (small) => limit(small, 4, SIZES.four)],
  ['the newest are deleted by hand', async ({ client }) => {
    for (const name of NAMES) await client.db('shop').collection<Document>(name).deleteMany({ _id: { $gte: 202 } as never });
  }],
  ['another is inserted', (small) => insert(small, 300, 1)],
];

let small: SmallSource;
let lowered: SnapshotRoot;
const moments: { readonly label: string; readonly time: ClusterTime; readonly held: Document }[] = [];

before(async () => {
  small = await startSmallSource(createMemoryStorage(), async (client) => {
    await client.db('shop').createCollection('byMax', { capped: true, size: 100_000, max: 10 });
    await client.db('shop').createCollection('bySize', { capped: true, size: SIZES.ten });
    for (const name of NAMES) await client.db('shop').collection<Document>(name).insertMany(documents(0, 10));
  });
  for (const [label, step] of STEPS) {
    await step(small);
    moments.push({ label, time: await small.here(), held: await heldIn('shop') });
    if (moments.length === 1) lowered = (await takeSnapshot({ uri: small.server.memberUri(0), repository: small.repository, selection: { databases: ['shop'], collections: [] } })).root;
  }
});

after(() => small?.[Symbol.asyncDispose]());
beforeEach(() => small.client.db('copy').dropDatabase());

function documents(from: number, count: number): Document[] {
  return Array.from({ length: count }, (_, n) => ({ _id: from + n, pad: PAD }));
}

async function insert({ client }: SmallSource, from: number, count: number, db = 'shop'): Promise<void> {
  for (const name of NAMES) await client.db(db).collection<Document>(name).insertMany(documents(from, count));
}

async function limit({ client }: SmallSource, cappedMax: number, cappedSize: number): Promise<void> {
  await client.db('shop').command({ collMod: 'byMax', cappedMax });
  await client.db('shop').command({ collMod: 'bySize', cappedSize });
}

/** Ids in their order, and options, of every collection. */
async function heldIn(name: string): Promise<Document> {
  const db = small.client.db(name);
  const held: Document = {};
  for (const listed of await db.listCollections().toArray() as Document[]) {
    held[String(listed['name'])] = { options: listed['options'] as Document, ids: (await db.collection(String(listed['name'])).find().sort({ $natural: 1 }).toArray()).map(({ _id }) => _id as unknown) };
  }
  return held;
}

async function restore(changes: Partial<RestoreOptions>, root = small.root): Promise<void> {
  await using world = await restoreWorld(small.repository, root, small.server.uri, { selection: INTO_COPY, ...changes });
  await restoreSnapshot(world.options);
}

describe('a capped collection that holds more than its limits say', { timeout: 900_000 }, () => {
  test('does so on the source until the next insert', () => {
    const counts = (name: string) => moments.map(({ held }) => (held[name] as { readonly ids: unknown[] }).ids.length);
    assert.deepEqual([counts('byMax'), counts('bySize')], [[10, 4, 9, 9, 6, 4], [10, 4, 9, 9, 6, 4]]);
  });

  for (const [index, [label]] of STEPS.entries()) {
    test(`comes back as it was when ${label}`, async () => {
      const { time, held } = moments[index]!;
      await restore({ instant: small.oplog.instant(time) });
      assert.deepEqual(await heldIn('copy'), held);
    });
  }

  test('comes back out of a snapshot, and its limits count from the next insert on', async () => {
    await restore({}, lowered);
    assert.deepEqual(await heldIn('copy'), moments[0]!.held);
    await insert(small, 100, 1, 'copy');
    assert.deepEqual(await heldIn('copy'), moments[1]!.held);
  });

  test('comes back out of a snapshot that is the base of an instant', async () => {
    for (const { time, held } of moments.slice(1)) {
      await small.client.db('copy').dropDatabase();
      await restore({ instant: small.oplog.instant(time) }, lowered);
      assert.deepEqual(await heldIn('copy'), held);
    }
  });

  test('comes back with what it held between an insert and the deletes that this brings', async () => {
    const [entry] = await small.client.db('local').collection('oplog.rs').find({ ns: 'shop.byMax', op: 'i', 'o._id': 100 }).toArray();
    const { t, i } = entry!['ts'] as Timestamp;
    await restore({ instant: small.oplog.instant({ t, i }) });
    const { byMax } = await heldIn('copy');
    assert.deepEqual((byMax as Document)['ids'], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
  });

  test('is not taken for proven when somebody changed a limit of its shadow', async () => {
    for (const change of [{ cappedMax: 12 }, { cappedSize: 50_000 }]) {
      await assert.rejects(restore({
        onPhase: async (phase) => {
          if (phase !== 'prove') return;
          const [shadow] = await small.client.db('copy').listCollections({ 'options.max': { $exists: true } }).toArray();
          await small.client.db('copy').command({ collMod: shadow!.name, ...change });
        },
      }, lowered), { code: 'RESTORE_PROOF_FAILED', message: /shop\.byMax.*limit/ });
      assert.deepEqual(await heldIn('copy'), {});
    }
  });
});
