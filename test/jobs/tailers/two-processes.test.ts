// Two processes that want the same cluster: one is frozen for longer than its lease and woken, again and again.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { compareClusterTimes } from '../../../src/domain/cluster-time.ts';
import { until } from '../../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { startTailerChild, type CatalogChild } from '../../support/start-catalog-child.ts';
import { mark, openTailerWorld, oplogBetween, reach, storedChain, windowsOf, type TailerWorld } from '../../support/tailer-world.ts';

const ROUNDS = 2;

describe('two processes with tailers', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  const children: CatalogChild[] = [];

  before(async () => {
    [servers, world] = await Promise.all([startReplicaSet(), openTailerWorld()]);
    client = await MongoClient.connect(servers.uri);
  });
  after(async () => {
    for (const child of children) await child.kill();
    await client?.close(true);
    await world?.[Symbol.asyncDispose]();
    await servers?.stop();
  });

  test('never write one sequence twice nor leave one out, whichever is frozen and woken', async () => {
    const inventory = await world.addCluster(servers.uri);
    const { cluster } = inventory;
    const start = (): CatalogChild => {
      const child = startTailerChild({ database: world.database.database, schema: world.catalog.schema, store: `file:${join(world.folder, 'store')}` });
      children.push(child);
      return child;
    };
    const follows = (child: CatalogChild, active: number): Promise<unknown> => until(`active ${active}`, async () => (await child.next())['active'] === active);
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n += 1) await client.db('shop').collection('orders').insertOne({ n, pad: 'x'.repeat(n % 3000) });
    })();

    // Both at once: either may be faster.
    const [one, two] = [start(), start()];
    const takes = new Map([one, two].map((child) => [child, follows(child, 1)]));
    let follower = await Promise.race([...takes].map(async ([child, taken]) => taken.then(() => child)));
    let idle = follower === one ? two : one;
    let taken = takes.get(idle);
    for (let round = 1; round <= ROUNDS; round += 1) {
      await reach(world, inventory, await mark(client));
      process.kill(follower.pid, 'SIGSTOP');
      await taken;
      await reach(world, inventory, await mark(client));
      process.kill(follower.pid, 'SIGCONT');
      await follows(follower, 0);
      [follower, idle] = [idle, follower];
      if (round < ROUNDS) taken = follows(idle, 1);
    }
    writing = false;
    await writer;
    const { id, from, to, slices, records, storedBytes } = await reach(world, inventory, await mark(client));
    for (const child of children.splice(0)) {
      process.kill(child.pid, 'SIGTERM');
      await child.exited();
    }

    assert.equal((await windowsOf(world, inventory)).length, 1, 'one chain all the time');
    const [row] = await windowsOf(world, inventory);
    const stored = await storedChain(world.repository, id);
    assert.deepEqual(stored.slices.map(({ sequence }) => sequence), stored.slices.map((_, index) => index + 1));
    assert.deepEqual([row?.slices, row?.records], [stored.slices.length, stored.raw.length]);
    assert.equal(row?.storedBytes, stored.slices.reduce((sum, slice) => sum + slice.storedBytes, 0));
    assert.ok(row.slices >= slices && row.records >= records && row.storedBytes >= storedBytes);
    for (const [index, time] of stored.times.entries()) assert.ok(index === 0 || compareClusterTimes(stored.times[index - 1]!, time) < 0);
    const expected = await oplogBetween(client, from, to);
    assert.ok(Buffer.concat(stored.raw.slice(0, expected.length)).equals(Buffer.concat(expected)), 'every entry of the oplog, once');
    assert.ok(expected.length > 100);
    assert.equal((await world.catalog.snapshots.list(cluster.id, { pageNumber: 1, itemsPerPage: 10 })).totalCount, 1, 'one base was asked for');
  });
});
