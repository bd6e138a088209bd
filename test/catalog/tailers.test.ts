// Leases of tailers, their fence, and the rows of chains, on both kinds of server.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog, TailerStatus } from '../../src/catalog/index.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { makeInventory, snapshotRow, jobRow, type Inventory } from '../support/catalog-rows.ts';
import { at, claim, ended, saveBase, saveChain } from '../support/chain-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { DATABASES, emptyCatalog, type TestDatabase } from '../support/postgres.ts';

const lost = (error: unknown) => isLeafvaultError(error, 'CATALOG_TAILER_LOST');
const STATUS: TailerStatus = { member: 'h:1', position: at(100), oldest: at(10), newest: at(101), rolls: false, warning: null };
const FAILURE = { code: 'SOURCE_UNREACHABLE', message: 'nobody answers', hint: null };

for (const { name, start } of DATABASES) {
  describe(`tailers on ${name}`, () => {
    let server: TestDatabase;
    let catalog: Catalog;
    let clock: FakeClock;
    let inventory: Inventory;

    before(async () => {
      server = await start();
      clock = fakeClock();
      catalog = await server.open({ clock });
    });
    after(async () => {
      await catalog.close();
      await server.stop();
    });
    beforeEach(async () => {
      inventory = await makeInventory(catalog);
      await catalog.clusters.setContinuousBackup(inventory.cluster.id, true);
    });
    afterEach(() => emptyCatalog(catalog));

    const free = async (): Promise<string[]> => (await catalog.tailers.free([])).map(({ id }) => id);
    const expire = () => catalog.transaction((tx) => tx.executeSql("update tailers set expires_at = clock_timestamp() - interval '1 second'"));

    test('are wanted where continuous backup is on, or a chain goes on although it is off', async () => {
      const { cluster } = inventory;
      await makeInventory(catalog);
      assert.deepEqual(await free(), [cluster.id]);
      assert.deepEqual(await catalog.tailers.free([cluster.id]), []);
      await catalog.clusters.setContinuousBackup(cluster.id, false);
      assert.deepEqual(await free(), []);
      await saveChain(catalog, inventory, at(1), at(2));
      assert.deepEqual(await free(), [cluster.id]);
    });

    test('have one owner until the lease ends, is given back, or the owner is no worker any more', async () => {
      const { cluster } = inventory;
      const first = await claim(catalog, inventory, 'one');
      assert.equal(await catalog.tailers.claim({ clusterId: cluster.id, workerId: 'two', leaseSeconds: 60 }), null);
      assert.deepEqual(await free(), []);
      await expire();
      assert.deepEqual(await free(), [cluster.id]);
      const second = await claim(catalog, inventory, 'two');
      assert.ok(second.token > first.token);
      await catalog.tailers.release(first);
      assert.deepEqual(await free(), [], 'a claim that is no longer good gives nothing back');
      await catalog.tailers.release(second);
      const third = await claim(catalog, inventory, 'three');
      assert.deepEqual(await free(), []);
      await catalog.workers.remove(['three']);
      assert.deepEqual(await free(), [cluster.id]);
      assert.ok((await claim(catalog, inventory, 'four')).token > third.token);
    });

    test('write nothing once their claim is replaced', async () => {
      const { cluster } = inventory;
      const first = await claim(catalog, inventory, 'one');
      assert.equal(await catalog.tailers.saveStatus(first, STATUS), true);
      await expire();
      assert.equal((await catalog.tailers.get(cluster.id))?.held, false);
      await claim(catalog, inventory, 'two');
      assert.equal(await catalog.tailers.saveStatus(first, { ...STATUS, member: 'other' }), false);
      assert.equal(await catalog.tailers.saveFailure(first, FAILURE), false);
      await assert.rejects(catalog.following(first, () => Promise.resolve()), lost);
      assert.equal((await catalog.tailers.get(cluster.id))?.member, 'h:1');
      assert.deepEqual(await catalog.tailers.renew([first], 60), []);
    });

    test('are taken from a process that was frozen in the middle of a transaction', { timeout: 900_000 }, async ({ signal }) => {
      const { cluster } = inventory;
      const frozen = await server.open({ schema: catalog.schema, idleTransactionMs: 200 });
      try {
        const first = await claim(catalog, inventory, 'one');
        const [inside, woken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        signal.addEventListener('abort', () => woken.resolve());
        const written = frozen.following(first, async (tx) => {
          await tx.tailers.setChain(cluster.id, null);
          inside.resolve();
          await woken.promise;
          await tx.tailers.setChain(cluster.id, null);
        });
        await inside.promise;
        await catalog.workers.remove(['one']);
        const second = await claim(catalog, inventory, 'two');
        woken.resolve();
        await assert.rejects(written, (error) => isLeafvaultError(error, 'CATALOG_UNREACHABLE'), 'what it began was rolled back');
        // It has another connection for what comes next, which a slow machine may lose like the first one.
        const next = async (): Promise<void> => frozen.following(first, () => Promise.resolve()).catch((error: unknown) => {
          if (!isLeafvaultError(error, 'CATALOG_UNREACHABLE') || signal.aborted) throw error;
          return next();
        });
        await assert.rejects(next(), lost);
        assert.deepEqual((await catalog.tailers.renew([second], 60)).map(({ token }) => token), [second.token]);
      } finally {
        await frozen.close();
      }
    });

    test('hear with their renewal what was decided, even behind the end of a lease that nobody took', async () => {
      const { cluster } = inventory;
      const mine = await claim(catalog, inventory);
      await expire();
      assert.deepEqual(await catalog.tailers.renew([mine], 60), [{ clusterId: cluster.id, token: mine.token, wanted: true, endRequested: null, cutRequested: false }]);
      await catalog.tailers.requestEnd(cluster.id, 'RESTORED');
      assert.equal((await catalog.tailers.renew([mine], 60))[0]?.endRequested, null, 'there is no chain to end');
      await saveChain(catalog, inventory, at(1), at(2));
      await catalog.tailers.requestEnd(cluster.id, 'RESTORED');
      await catalog.clusters.setContinuousBackup(cluster.id, false);
      assert.deepEqual(await catalog.tailers.renew([mine], 60), [{ clusterId: cluster.id, token: mine.token, wanted: false, endRequested: 'RESTORED', cutRequested: false }]);
      await catalog.following(mine, (tx) => tx.tailers.setChain(cluster.id, null));
      assert.equal((await catalog.tailers.get(cluster.id))?.endRequested, null);
    });

    test('are wanted for the open chain of a cluster that was deleted, and not for one that waits for a connection string', async () => {
      const { cluster } = inventory;
      await saveChain(catalog, inventory, at(1), at(2));
      await catalog.transaction((tx) => tx.executeSql('update clusters set uri_sealed = null where id = $1', [cluster.id]));
      assert.deepEqual(await free(), []);
      await catalog.clusters.markDeleted(cluster.id);
      assert.deepEqual(await free(), [cluster.id]);
    });

    test('are told to end their chain when the cluster\'s connection string names other servers, and not for another password', async () => {
      const { cluster } = inventory;
      const mine = await claim(catalog, inventory);
      await saveChain(catalog, inventory, at(1), at(2));
      await catalog.clusters.setUri(cluster.id, 'mongodb://u:another@127.0.0.1:27017/', ['127.0.0.1:27017']);
      assert.equal((await catalog.tailers.renew([mine], 60))[0]?.endRequested, null);
      await catalog.clusters.setUri(cluster.id, 'mongodb://u:another@127.0.0.1:27018/', ['127.0.0.1:27018']);
      assert.equal((await catalog.tailers.renew([mine], 60))[0]?.endRequested, 'ADDRESS_CHANGED');
    });

    test('tell their last failure until things go well again', async () => {
      const { cluster } = inventory;
      const mine = await claim(catalog, inventory);
      await catalog.tailers.saveFailure(mine, FAILURE);
      const failed = await catalog.tailers.get(cluster.id);
      assert.deepEqual([failed?.state, failed?.error], ['failed', { ...FAILURE, at: clock.now() }]);
      await catalog.tailers.saveStatus(mine, { ...STATUS, warning: 'small' });
      const running = await catalog.tailers.get(cluster.id);
      assert.deepEqual([running?.state, running?.error, running?.warning, running?.position], ['running', null, 'small', at(100)]);
      await catalog.tailers.release(mine, 'stopped');
      const stopped = await catalog.tailers.get(cluster.id);
      assert.deepEqual([stopped?.state, stopped?.held, stopped?.warning], ['stopped', false, null]);
    });

    test('have chains that grow by what their row does not know yet, and end once', async () => {
      const chain = await saveChain(catalog, inventory, at(1), at(10));
      const growth = { to: at(20), sequence: 4, slices: 1, records: 5, rawBytes: 50, storedBytes: 20, newestSliceAt: clock.now() };
      for (let twice = 0; twice < 2; twice += 1) await catalog.transaction((tx) => tx.chains.grow(chain.id, growth));
      const grown = await catalog.chains.openOf(inventory.cluster.id);
      assert.deepEqual([grown?.to, grown?.slices, grown?.records, grown?.rawBytes, grown?.storedBytes], [at(20), 4, 35, 3050, 1020]);
      await assert.rejects(saveChain(catalog, inventory, at(30), at(40)), (error) => isLeafvaultError(error, 'CATALOG_DUPLICATE'), 'of one cluster one chain goes on');
      const end = { reason: 'STOPPED', message: 'off', at: clock.now() };
      await catalog.transaction((tx) => tx.chains.end(chain.id, end));
      await catalog.transaction((tx) => tx.chains.end(chain.id, { ...end, reason: 'RESTORED' }));
      assert.deepEqual((await catalog.chains.get(chain.id))?.end, end);
      assert.equal(await catalog.chains.openOf(inventory.cluster.id), null);
    });

    test('have as bases the whole snapshots of one instant of the same set within the chain', async () => {
      const chain = await saveChain(catalog, inventory, at(100, 5), at(200, 5));
      const window = async () => (await catalog.chains.windows(inventory.cluster.id))[0]?.base ?? null;
      await saveBase(catalog, inventory, at(100, 4));
      await saveBase(catalog, inventory, at(200, 6));
      await saveBase(catalog, inventory, at(150), { replicaSetId: 'e'.repeat(24) });
      await saveBase(catalog, inventory, at(150), { consistency: 'fuzzy' });
      const part = await saveBase(catalog, inventory, at(150));
      await catalog.transaction((tx) => tx.executeSql(`update snapshots set selection = '{"databases":["a"],"collections":[]}' where id = $1`, [part]));
      const deleted = await saveBase(catalog, inventory, at(150));
      await catalog.snapshots.markDeleted(deleted);
      assert.equal(await window(), null);
      assert.equal((await catalog.chains.totals())[0]?.recoveryPoint, null);
      const [last, first, middle] = [await saveBase(catalog, inventory, at(200, 5)), await saveBase(catalog, inventory, at(100, 5)), await saveBase(catalog, inventory, at(160))];
      assert.deepEqual(await window(), at(100, 5));
      const [totals] = await catalog.chains.totals();
      assert.deepEqual([totals?.recoveryPoint, totals?.openHasBase], [at(200, 5), true]);
      assert.equal(await catalog.chains.newestBase(chain, at(100, 5)), first);
      assert.equal(await catalog.chains.newestBase(chain, at(159, 0xffff_ffff)), first);
      assert.equal(await catalog.chains.newestBase(chain, at(160)), middle);
      assert.equal(await catalog.chains.newestBase(chain, at(200, 5)), last);
      assert.equal(await catalog.chains.newestBase(chain, at(100, 4)), null);
    });

    test('tell why the newest try to get a base failed', async () => {
      const chain = await saveChain(catalog, inventory, at(100), at(200), { createdAt: clock.now() });
      const failure = () => catalog.chains.baseFailure(chain.id);
      const ask = () => catalog.transaction(async (tx) => {
        clock.advance(1000);
        const job = await tx.jobs.insert(jobRow(inventory));
        return (await tx.snapshots.insert(snapshotRow(inventory, job.id))).jobId;
      });
      assert.equal(await failure(), null);
      const jobId = await ask();
      assert.equal(await failure(), null);
      await catalog.transaction(async (tx) => {
        await tx.executeSql("update jobs set state = 'failed', finished_at = created_at, error_code = 'CAPTURE_STALLED', error_message = 'stands still' where id = $1", [jobId]);
        await tx.executeSql("update snapshots set state = 'failed' where job_id = $1", [jobId]);
      });
      assert.deepEqual(await failure(), { code: 'CAPTURE_STALLED', message: 'stands still' });
      await ask();
      assert.equal(await failure(), null, 'another try is under way');
      await catalog.transaction((tx) => tx.executeSql("update snapshots set deleted_at = requested_at where state = 'queued'"));
      assert.notEqual(await failure(), null);
      await saveBase(catalog, inventory, at(150));
      assert.equal(await failure(), null);
    });

    test('need a base unless there is a fresh one, one is on its way, or one failed just now', async () => {
      const TIMES = { patienceMs: 60_000, freshMs: 86_400_000 };
      const { cluster } = inventory;
      const chain = await saveChain(catalog, inventory, at(100), at(200), { createdAt: clock.now() });
      const needs = () => catalog.chains.needsBase(chain.id, TIMES);
      assert.equal(await needs(), true);
      const job = await catalog.transaction(async (tx) => {
        const made = await tx.jobs.insert(jobRow(inventory));
        await tx.snapshots.insert(snapshotRow(inventory, made.id));
        return made;
      });
      assert.equal(await needs(), false, 'one is queued');
      assert.equal(await catalog.jobs.requestCancel(job.id, 'test'), 'cancelled');
      assert.equal(await needs(), false, 'one failed just now');
      clock.advance(61_000);
      assert.equal(await needs(), true);
      await saveBase(catalog, inventory, at(250));
      assert.equal(await needs(), false, 'the next slices will reach it');
      clock.advance(86_400_001);
      assert.equal(await needs(), true, 'a restore would have a day to replay');
      await catalog.transaction((tx) => tx.chains.end(chain.id, { reason: 'STOPPED', message: null, at: clock.now() }));
      assert.equal((await catalog.chains.windows(cluster.id))[0]?.base, null);
      const next = await saveChain(catalog, inventory, at(300), at(400), { createdAt: clock.now() });
      assert.equal(await catalog.chains.needsBase(next.id, TIMES), true);
      assert.deepEqual((await catalog.chains.windows(cluster.id)).map(({ end }) => end?.reason), ['STOPPED', undefined]);
      await saveChain(catalog, inventory, at(10), at(20), { ...ended('RESTORED'), createdAt: new Date(0) });
      assert.deepEqual((await catalog.chains.windows(cluster.id)).map(({ end }) => end?.reason), ['RESTORED', 'STOPPED', undefined]);
    });
  });
}
