// What the server makes of the operations is compared with our own fold: a replay that does something else is noticed
// before anything is swapped, whatever the server answers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BSON, type Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { RestoreOptions } from '../../../../src/engine/contracts.ts';
import { restoreSnapshot } from '../../../../src/engine/restore/index.ts';
import { isLeafvaultError, type LeafvaultError } from '../../../../src/foundation/errors.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { changeReplay, type ChangeBatch } from '../../../support/change-replay.ts';
import { contentOfServer, restoreWorld } from '../../../support/restore-world.ts';
import { createRandom } from '../../backup/random.ts';
import { INTO_COPY, startSmallSource, type SmallSource } from './small-source.ts';

const LONG = process.env.LEAFVAULT_LONG_TESTS !== undefined;
const SEED = Number(process.env.LEAFVAULT_REPLAY_SEED ?? 20261126);
const N = 300;

let small: SmallSource;
let border: ClusterTime;

before(async () => {
  small = await startSmallSource(createMemoryStorage(), async (client) => {
    await client.db('shop').collection<Document>('orders').insertMany(Array.from({ length: N }, (_, n) => ({ _id: n as never, n })));
    await client.db('shop').createCollection('log', { capped: true, size: 1 << 20, max: 400 });
    await client.db('shop').collection('log').insertOne({ _id: 0 as never });
  });
  const db = small.client.db('shop');
  // Each document is written once, so that no operation is without effect; those of 0 to 9 follow each other.
  await db.collection<Document>('orders').bulkWrite(Array.from({ length: N }, (_, n) => (n % 3 === 0
    ? { updateOne: { filter: { _id: n as never }, update: { $set: { changed: n } } } }
    : n % 3 === 1 ? { deleteOne: { filter: { _id: n as never } } } : { insertOne: { document: { _id: (1_000 + n) as never, n } } })));
  await db.collection('log').insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: (n + 1) as never })));
  await db.collection<Document>('twice').insertOne({ _id: 1 as never, n: 1 });
  for (const n of [2, 3]) await db.collection<Document>('twice').updateOne({ _id: 1 as never }, { $set: { n } });
  border = await small.here();
});

after(() => small?.[Symbol.asyncDispose]());

async function restore(changes: Partial<RestoreOptions> = {}): Promise<LeafvaultError | null> {
  await using world = await restoreWorld(small.repository, small.root, small.server.uri, { selection: INTO_COPY, instant: small.oplog.instant(border), ...changes });
  return await restoreSnapshot(world.options).then(() => null, (error: unknown) => {
    assert.ok(isLeafvaultError(error), String(error));
    return error;
  });
}

async function assertNoticed(change: ChangeBatch): Promise<void> {
  const live = await contentOfServer(small.server.uri);
  using _changed = changeReplay(change);
  // An update of a document whose insert was left out is refused by the server already.
  assert.ok(['RESTORE_PROOF_FAILED', 'RESTORE_REPLAY_REFUSED'].includes((await restore())?.code ?? 'nothing'));
  assert.deepEqual(await contentOfServer(small.server.uri), live, 'nothing was replaced and nothing is left');
}

const idOf = (entry: Buffer): unknown => {
  const { o, o2 } = BSON.deserialize(entry) as unknown as { o: Document; o2?: Document };
  return (o2 ?? o)['_id'];
};

/** The same for every attempt: shadows have other names each time. */
function withoutShadow(entry: Buffer): string {
  const { ns: _shadow, ...operation } = BSON.deserialize(entry);
  return BSON.EJSON.stringify(operation);
}

describe('a replay by the server that differs from our fold', { timeout: 900_000 }, () => {
  let sent: readonly Buffer[];

  before(async () => {
    using unchanged = changeReplay((entries) => entries);
    assert.equal(await restore(), null);
    sent = unchanged.sent;
    assert.equal(sent.length, N + 53);
    await small.client.db('copy').dropDatabase();
  });

  test('is noticed when an operation is left out, whichever it is', async () => {
    const random = createRandom(SEED);
    for (let round = 0; round < (LONG ? 40 : 5); round += 1) {
      const victim = withoutShadow(random.pick(sent));
      await assertNoticed((entries) => entries.filter((entry) => withoutShadow(entry) !== victim));
    }
  });

  test('is noticed when an operation comes twice and the second time is too late', async () => {
    await assertNoticed((entries) => {
      const first = entries.find((entry) => entry.includes('twice') || (idOf(entry) === 1 && BSON.deserialize(entry)['op'] === 'i'));
      return first === undefined ? entries : [...entries, first];
    });
  });

  test('is noticed when two operations of one document are swapped', async () => {
    await assertNoticed((entries) => {
      const [first, second] = entries.filter((entry) => idOf(entry) === 1 && BSON.deserialize(entry)['op'] === 'u');
      if (first === undefined || second === undefined) return entries;
      return entries.with(entries.indexOf(first), second).with(entries.indexOf(second), first);
    });
  });

  test('is noticed when the order of a capped collection is another', async () => {
    await assertNoticed((entries) => {
      const at = entries.findIndex((entry) => idOf(entry) === 10 && BSON.deserialize(entry)['op'] === 'i');
      return at < 0 ? entries : entries.toSpliced(at, 2, entries[at + 1]!, entries[at]!);
    });
  });

  test('is named by operation when the server refuses one', async () => {
    await small.client.db('shop').collection<Document>('orders').updateOne({ _id: 3 as never }, { $set: { changed: 'again' } });
    await using world = await restoreWorld(small.repository, small.root, small.server.uri, {
      selection: INTO_COPY, instant: small.oplog.instant(border),
      onPhase: async (phase) => {
        if (phase !== 'replay') return;
        const swaps = world.journal.saved.at(-1)?.['swaps'] as { from: string; shadow: string }[];
        await small.client.db('copy').collection<Document>(swaps.find(({ from }) => from === 'shop.orders')!.shadow).deleteOne({ _id: 3 as never });
      },
    });
    await assert.rejects(restoreSnapshot(world.options), (error) => {
      assert.ok(isLeafvaultError(error, 'RESTORE_REPLAY_REFUSED'), String(error));
      assert.deepEqual([error.details['namespace'], error.details['id'], error.details['kind']], ['shop.orders', '{"$numberInt":"3"}', 'update']);
      return true;
    });
    assert.deepEqual(await small.client.db('copy').listCollections().toArray(), []);
  });
});

describe('a target that is lost while operations are replayed', { timeout: 900_000 }, () => {
  test('fails the attempt, and the next one begins anew and succeeds', async () => {
    const restoreId = '0123456789abcdef01234567';
    const held = await small.documents('shop', 'twice');
    {
      using _election = changeReplay((entries) => entries, async (batch, db) => {
        if (batch !== 1) return;
        await db.admin().command({ replSetStepDown: 1, force: true });
        for (;; await delay(20)) if ((await db.admin().command({ hello: 1 })).isWritablePrimary === true) return;
      });
      const error = await restore({ restoreId });
      assert.deepEqual([error?.code, error?.retryable], ['RESTORE_REPLAY_INTERRUPTED', true]);
    }
    assert.equal(await restore({ restoreId }), null);
    assert.deepEqual(await small.documents('copy', 'twice'), held);
    assert.equal(await small.client.db('copy').collection('orders').countDocuments(), N);
  });
});
