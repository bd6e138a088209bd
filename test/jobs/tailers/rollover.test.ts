// An oplog that is too small, and a tailer that is stopped too long: the chain ends where it is, a new one begins with a base of its own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../src/domain/cluster-time.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { differences, heldNow, restoreToInstant, servicesOf } from '../../support/instant-restores.ts';
import { until } from '../../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { mark, openTailerWorld, oplogBetween, reach, storedChain, windowsOf, type TailerWorld } from '../../support/tailer-world.ts';

describe('an oplog that rolls over what was not kept', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let target: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  let source: Inventory;
  let copy: Inventory;

  before(async () => {
    // A server cuts its oplog behind checkpoints only.
    [servers, target, world] = await Promise.all([startReplicaSet({ oplogSizeMB: 2, checkpointSeconds: 1 }), startReplicaSet(), openTailerWorld()]);
    client = await MongoClient.connect(servers.uri);
    source = await world.addCluster(servers.uri);
    copy = await makeInventory(world.catalog, target.uri);
  });
  after(async () => {
    await client?.close(true);
    await world?.[Symbol.asyncDispose]();
    await Promise.all([servers?.stop(), target?.stop()]);
  });

  test('ends the chain by name; the gap offers nothing, both windows are exact, and whoever follows it is warned before the next loss', async () => {
    await world.startWorker();
    const tailers = await world.startTailers();
    await write('before');
    const first = await reach(world, source, await mark(client), { base: true });
    await nextSecond(first.base!);
    await write('in the first window');
    const early = await heldNow(servers.memberUri(0), ['shop']);
    await write('later in the first window');
    await reach(world, source, await mark(client));

    await tailers.stop();
    const stopped = (await windowsOf(world, source)).at(-1)!.to;
    await write('in the gap');
    const lost = await mark(client);
    await rollOver(lost);
    await world.startTailers();
    const second = await reach(world, source, await mark(client), { base: true });
    await nextSecond(second.base!);
    await write('in the second window');
    const late = await heldNow(servers.memberUri(0), ['shop']);
    await write('at last');
    const newest = await reach(world, source, await mark(client));

    const windows = await windowsOf(world, source);
    assert.deepEqual(windows.map(({ id, end }) => [id, end?.reason]), [[first.id, 'OPLOG_ROLLED_OVER'], [second.id, undefined]]);
    assert.match(windows[0]?.end?.message ?? '', /oldest entry/);
    assert.deepEqual(windows[0]?.to, stopped);
    assert.equal(newest.id, second.id);
    const { raw } = await storedChain(world.repository, first.id);
    assert.deepEqual(raw.filter((entry) => entry.includes('in the gap')), []);
    const kept = await storedChain(world.repository, second.id);
    const expected = await oplogBetween(client, second.from, second.to);
    assert.ok(Buffer.concat(kept.raw.slice(0, expected.length)).equals(Buffer.concat(expected)));

    await assertGap(lost, stopped, second.base!);
    const { warning, headroomSeconds } = await until('the warning', async () => {
      await mark(client);
      const status = await servicesOf(world).continuous.status({ ...source.cluster, continuousBackup: true });
      return status.state === 'warning' && status;
    });
    assert.match(warning ?? '', /^the oplog holds only \d+ minutes: \d+ minutes are left before the tailer loses entries; give the replica set a larger oplog$/);
    assert.ok(headroomSeconds !== null && headroomSeconds < 3_600, `${headroomSeconds} s`);
    for (const { time, held } of [early, late]) {
      const job = await restoreToInstant(world, source, copy, { border: time });
      assert.equal(job.state, 'completed', JSON.stringify(job));
      assert.ok(held.get('shop.orders')!.documents.length > 0);
      assert.deepEqual(await differences(target.uri, held), []);
    }
  });

  async function write(state: string): Promise<void> {
    const orders = client.db('shop').collection('orders');
    await orders.insertMany(Array.from({ length: 50 }, (_, n) => ({ n, state })));
    await orders.updateMany({ n: { $mod: [3, 0] } }, { $set: { state } });
    await orders.deleteMany({ n: 49 });
  }

  /** Until a window that begins there offers a whole second. */
  function nextSecond({ t }: ClusterTime): Promise<unknown> {
    return until('the next second', async () => (await mark(client)).t > t);
  }

  /** Writes until the oplog begins behind a time. */
  async function rollOver(time: ClusterTime): Promise<void> {
    const oldest = async (): Promise<ClusterTime> => {
      const { ts } = (await client.db('local').collection('oplog.rs').find().sort({ $natural: 1 }).limit(1).next())!;
      return { t: ts.t, i: ts.i };
    };
    const filler = client.db('filler').collection('c');
    while (compareClusterTimes(await oldest(), time) <= 0) {
      await filler.insertMany(Array.from({ length: 20 }, () => ({ pad: 'x'.repeat(100_000) })));
      await filler.deleteMany({});
    }
  }

  async function assertGap(lost: ClusterTime, before: ClusterTime, after: ClusterTime): Promise<void> {
    const { continuous } = servicesOf(world);
    const { gaps, windows } = await continuous.status(source.cluster);
    assert.deepEqual(gaps, [{ from: before, to: after, reason: 'OPLOG_ROLLED_OVER' }]);
    assert.deepEqual(windows.map(({ to }) => to)[0], before);
    await assert.rejects(restoreToInstant(world, source, copy, { border: lost }), (error) => {
      assert.ok(isLeafvaultError(error, 'CONTINUOUS_IN_GAP'), String(error));
      assert.deepEqual(error.details, {
        reason: 'OPLOG_ROLLED_OVER', before: { border: before, time: new Date(before.t * 1000) }, after: { border: after, time: new Date((after.t + 1) * 1000) },
      });
      return true;
    });
  }
});
