import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PlacedOperation } from '../../../../src/engine/replay/index.ts';
import { createReplayLanes, type ReplayLanesOptions } from '../../../../src/engine/restore/instant/replay-lanes.ts';
import type { ShadowOperation } from '../../../../src/engine/restore/instant/apply-operations.ts';
import { createRandom } from '../../backup/random.ts';

function placed(id: number, nth: number, { ordered = false, bytes = 10 } = {}): PlacedOperation {
  const raw = Buffer.alloc(5, 0x10);
  raw.writeInt32LE(id, 1);
  return { kind: 'update', id: raw, newId: null, object: Buffer.alloc(bytes), time: { t: 1, i: nth }, sequence: nth, dependent: false, collection: 1, ordered };
}

interface Sent {
  readonly batches: readonly (readonly { readonly id: number; readonly nth: number }[])[];
  readonly most: number;
}

async function run(operations: readonly PlacedOperation[], options: Partial<ReplayLanesOptions> = {}): Promise<Sent> {
  const batches: { readonly id: number; readonly nth: number }[][] = [];
  let [now, most] = [0, 0];
  let asking = 0;
  const lanes = createReplayLanes({
    async before() {
      asking += 1;
      assert.equal(asking, 1, 'one call at a time');
      await delay(0);
      asking -= 1;
    },
    async send(batch) {
      now += 1;
      most = Math.max(most, now);
      await delay(10);
      // Noted when it is over: what follows in the lane must not be before it.
      batches.push(batch.map(({ operation }) => ({ id: operation.id.readInt32LE(1), nth: operation.time.i })));
      now -= 1;
    },
    isAlone: () => false, lanes: 4, batchOperations: 7, ...options,
  });
  for (const operation of operations) await lanes.add({ shadow: 'd.s', label: 'd.c', operation } satisfies ShadowOperation, operation);
  await lanes.drain();
  return { batches, most };
}

test('operations of one document keep their order, several lanes run at once', async () => {
  const random = createRandom(1);
  const operations = Array.from({ length: 400 }, (_, nth) => placed(random.below(20), nth));
  const { batches, most } = await run(operations);
  const byId = Map.groupBy(batches.flat(), ({ id }) => id);
  for (const [id, found] of byId) assert.deepEqual(found.map(({ nth }) => nth), operations.filter((each) => each.id.readInt32LE(1) === id).map(({ time }) => time.i));
  assert.equal(batches.flat().length, 400);
  assert.ok(batches.every((batch) => batch.length <= 7));
  assert.ok(most > 1 && most <= 4, `${most} at once`);
});

test('an ordered collection has one lane', async () => {
  const { batches, most } = await run(Array.from({ length: 60 }, (_, nth) => placed(nth, nth, { ordered: true })));
  assert.deepEqual(batches.flat().map(({ nth }) => nth), Array.from({ length: 60 }, (_, nth) => nth));
  assert.equal(most, 1);
});

test('batches are bounded by bytes, and what has to goes alone', async () => {
  const large = await run(Array.from({ length: 20 }, (_, nth) => placed(nth, nth, { bytes: 600 })), { lanes: 1, batchBytes: 1_300 });
  assert.ok(large.batches.every((batch) => batch.length <= 2));
  const alone = await run(Array.from({ length: 9 }, (_, nth) => placed(nth, nth)), { lanes: 1, isAlone: ({ operation }) => operation.time.i === 4 });
  assert.deepEqual(alone.batches.map((batch) => batch.map(({ nth }) => nth)), [[0, 1, 2, 3], [4], [5, 6, 7, 8]]);
});

test('the first failure stops what comes after it', async () => {
  let sent = 0;
  await assert.rejects(run(Array.from({ length: 100 }, (_, nth) => placed(1, nth)), { send: async () => {
    sent += 1;
    throw new Error('refused');
  } }), /refused/);
  assert.equal(sent, 1);
});
