// Chains of a cluster of which the catalog knows no open one, from what the store holds: which goes on, and what becomes of the others.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/index.ts';
import { positionOf } from '../../../src/domain/cluster-time.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { openChain, type OpenChain } from '../../../src/jobs/tailers/open-chain.ts';
import type { ChainWriter, Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { at, chainRow, claim, SET_ID } from '../../support/chain-rows.ts';
import { createFaultyStorage } from '../../support/faulty-storage.ts';
import { startEmbedded, type TestDatabase } from '../../support/postgres.ts';
import { collect, openTestRepository } from '../../support/repository-fixture.ts';

describe('a tailer that knows no open chain', () => {
  let server: TestDatabase;
  let catalog: Catalog;
  let inventory: Inventory;
  let storage: Storage;
  let repository: Repository;

  before(async () => {
    server = await startEmbedded();
    catalog = await server.open();
  });
  after(async () => {
    await catalog?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    inventory = await makeInventory(catalog);
    storage = createMemoryStorage();
    repository = await openTestRepository(storage);
  });

  const begin = async (from: number, slices = 0): Promise<ChainWriter> => {
    const writer = await repository.chains.begin({ series: inventory.cluster.id, from: positionOf(at(from)), body: { replicaSetId: SET_ID } });
    for (let n = 1; n <= slices; n += 1) await writer.append({ to: positionOf(at(from + n)), records: 1, raw: Buffer.alloc(50), body: {} });
    return writer;
  };
  /** With its row, as a tailer leaves it. */
  const leave = async (from: number, slices: number, reason: string): Promise<ChainWriter> => {
    const writer = await begin(from, slices);
    const end = await writer.end({ reason });
    await catalog.transaction((tx) => tx.chains.save(chainRow(inventory, at(from), at(from + slices), { id: writer.head.id, slices, end: { reason, message: null, at: new Date(end.createdAt) } })));
    return writer;
  };
  const open = async (of: Repository = repository): Promise<OpenChain | null> => {
    const claimed = await claim(catalog, inventory);
    try {
      return await openChain({ catalog, repository: of, clock: systemClock, clusterId: inventory.cluster.id, fence: (work) => catalog.following(claimed, work) });
    } finally {
      await catalog.tailers.release(claimed);
    }
  };
  const windows = async () => (await catalog.chains.windows(inventory.cluster.id)).map(({ id, end }) => [id, end?.reason ?? null]);
  const stored = async () => (await collect(repository.chains.list(inventory.cluster.id))).map(({ head, end }) => [head.id, end?.reason ?? null]).sort();

  test('does not go on with one whose head came to light behind the begin of the next: that holds nothing, and reaches over its end', async () => {
    const late = await begin(1_000);
    const next = await leave(2_000, 3, 'RESTORED');
    assert.equal(await open(), null, 'a new one has to begin');
    assert.deepEqual(await windows(), [[next.head.id, 'RESTORED']], 'no window of it');
    assert.deepEqual(await stored(), [[late.head.id, 'STOPPED'], [next.head.id, 'RESTORED']].sort());
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    assert.equal(await open(), null);
    assert.deepEqual(await windows(), [[next.head.id, 'RESTORED']]);
  });

  test('does not go on with it either where it could not be ended, or where the next one is gone from the store', async () => {
    const late = await begin(1_000);
    const next = await leave(2_000, 1, 'RESTORED');
    for (let call = 1; ; call += 1) {
      const faulty = createFaultyStorage(storage, call, 'fail once');
      const struck = await openTestRepository(faulty, { retry: { attempts: 1, firstDelayMs: 1 } }).then((of) => open(of)).catch(() => null);
      assert.equal(struck, null, `call ${call}`);
      assert.deepEqual(await windows(), [[next.head.id, 'RESTORED']], `call ${call}`);
      if (!faulty.struck) break;
      if ((await stored()).every(([, end]) => end !== null)) break;
    }
    const second = await begin(1_500);
    for (const { name } of await collect(storage.list(`oplog/${next.head.id}/`))) await storage.delete(name);
    assert.equal(await open(), null);
    assert.deepEqual(await stored(), [[late.head.id, 'STOPPED'], [second.head.id, 'STOPPED']].sort());
    assert.deepEqual(await windows(), [[next.head.id, 'RESTORED']]);
  });

  test('goes on with the newest that the store has, and ends the others, with a window of what they hold', async () => {
    const [first, newest] = [await begin(1_000, 2), await begin(2_000, 3)];
    const empty = await begin(1_500);
    const chain = await open();
    assert.deepEqual([chain?.id, chain?.position.time], [newest.head.id, at(2_003)]);
    assert.deepEqual((await windows()).sort(), [[first.head.id, 'STOPPED'], [newest.head.id, null]].sort());
    assert.deepEqual(await stored(), [[first.head.id, 'STOPPED'], [empty.head.id, 'STOPPED'], [newest.head.id, null]].sort());
  });

  test('goes on with one that it began itself, of which only the row is missing', async () => {
    await leave(1_000, 2, 'OPLOG_ROLLED_OVER');
    const begun = await begin(2_000);
    assert.deepEqual([(await open())?.id, (await stored()).find(([id]) => id === begun.head.id)?.[1]], [begun.head.id, null]);
  });
});
