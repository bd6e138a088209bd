// `leafvault jobs abandon` on real servers: a restore that was interrupted in its swap, and whose servers were built anew.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { openCatalog, type Catalog } from '../../src/catalog/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import type { RestoreJournal } from '../../src/engine/contracts.ts';
import { restoreSnapshot, settleRestore } from '../../src/engine/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { freePort } from '../support/free-port.ts';
import { openPostgresQueue, type PostgresQueue } from '../../src/jobs/index.ts';
import { createMemoryStorage } from '../../src/storage/index.ts';
import { buildSnapshot } from '../support/build-snapshot.ts';
import { makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { askForRestore, type Asked } from '../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../support/mongod.ts';
import { silent } from '../support/postgres.ts';
import { openTestRepository } from '../support/repository-fixture.ts';
import { interrupted, restoreWorld } from '../support/restore-world.ts';
import { runCommand, type CommandRun } from '../support/run-command.ts';

const FLAG = '--servers-are-gone';

describe('leafvault jobs abandon', () => {
  let home: string;
  let own: ReplicaSet;
  let anew: ReplicaSet;
  let client: MongoClient;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let inventory: Inventory;
  let asked: Asked;

  const run = (...argv: readonly string[]): Promise<CommandRun> => runCommand(home, 'jobs', ...argv);
  const leadTo = (uri: string): Promise<void> => catalog.clusters.setUri(inventory.cluster.id, uri, ['127.0.0.1']);
  const isOpen = (): Promise<boolean> => catalog.restorePlans.isOpen(asked.restoreId ?? '');
  const journal = (): RestoreJournal => ({
    load: () => catalog.restorePlans.load(asked.restoreId ?? ''),
    save: (plan) => catalog.transaction((tx) => tx.restorePlans.save(asked.restoreId ?? '', asked.job.id, plan)),
  });
  const endJob = async (outcome: 'completed' | { code: string; message: string; hint: null }): Promise<void> => {
    const { claim } = (await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['restore'] })) ?? assert.fail();
    await catalog.fenced(claim, (tx) => tx.leases.finish(claim, outcome));
  };

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'leafvault-abandon-'));
    [own, anew] = await Promise.all([startReplicaSet(), startReplicaSet()]);
    client = new MongoClient(own.adminUri);
    catalog = await openCatalog({ database: { home }, masterKey: await loadMasterKey(join(home, 'master.key')), log: silent, clock: systemClock });
    queue = await openPostgresQueue({ catalog, log: silent });
    inventory = await makeInventory(catalog, own.adminUri);
  });
  after(async () => {
    await client?.close();
    await queue?.close();
    await catalog?.close();
    await Promise.all([own?.stop(), anew?.stop()]);
    await rm(home, { recursive: true, force: true });
  });

  /** What stands on the servers of a restore whose worker died in its swap, or of one that is over and keeps what it replaced. */
  const leave = async (how: 'half swapped' | 'kept'): Promise<void> => {
    const orders = client.db('shop').collection('orders');
    await orders.insertMany([{ n: 1 }, { n: 2 }]);
    const repository = await openTestRepository(createMemoryStorage());
    const root = await buildSnapshot(own.adminUri, { repository, databases: ['shop'] });
    await orders.deleteMany({});
    asked = await askForRestore(catalog, queue, inventory, undefined, 24);
    await using world = await restoreWorld(repository, root, own.adminUri, { restoreId: asked.restoreId ?? '', oldCollections: 'keep', journal: journal() });
    if (how === 'half swapped') await interrupted('swap:new:shop.orders', restoreSnapshot, world.options);
    else await restoreSnapshot(world.options);
    await endJob(how === 'kept' ? 'completed' : { code: 'JOBS_WORKER_LOST', message: 'The worker was lost', hint: null });
    if (how === 'kept') {
      await catalog.restorePlans.markSettled(asked.restoreId ?? '', 'new');
      await catalog.restorePlans.keep(asked.restoreId ?? '', new Date(Date.now() + 3_600_000));
    }
    await repository.close();
  };

  test('gives up what stands half swapped on servers that are gone, and only there, so that the cluster can be deleted', async () => {
    await leave('half swapped');
    const id = asked.job.id;
    assert.match((await run('--limit', '1')).out, /\n {2}JOBS_WORKER_LOST: The worker was lost\n {2}OPEN: what it left on its target is not ended yet/);
    const unsaid = await run('abandon', id);
    assert.deepEqual([unsaid.code, unsaid.err.includes(FLAG)], [2, true], unsaid.err);
    const there = await run('abandon', id, FLAG);
    assert.deepEqual([there.code, /its servers are there/.test(there.err)], [1, true], there.err);
    await leadTo(`mongodb://u:top-secret@127.0.0.1:${await freePort()}/?serverSelectionTimeoutMS=300`);
    const silentServer = await run('abandon', id, FLAG);
    assert.deepEqual([silentServer.code, /nobody can tell whether its servers are there/.test(silentServer.err), silentServer.err.includes('top-secret')], [1, true, false], silentServer.err);
    assert.deepEqual([await isOpen(), await catalog.clusters.isRestoring(inventory.cluster.id)], [true, true]);

    await leadTo(anew.adminUri);
    await assert.rejects(settleRestore({ restoreId: asked.restoreId ?? '', target: { uri: anew.adminUri }, journal: journal(), signal: AbortSignal.timeout(60_000), log: silent, mustReach: true }), { code: 'RESTORE_TARGET_EXCHANGED' });
    const gone = await run('abandon', id, FLAG);
    assert.deepEqual([gone.code, /is given up/.test(gone.out)], [0, true], gone.err);
    assert.deepEqual([await isOpen(), await catalog.clusters.isRestoring(inventory.cluster.id)], [false, false]);
    assert.equal(await catalog.leases.claimUnsettled({ workerId: 'w', leaseSeconds: 60, except: [] }), null, 'no worker tries to end it any more');
    const told = (await run('--limit', '1')).out;
    assert.deepEqual([/was given up by command line/.test(told), told.includes('OPEN:')], [true, false], told);
    const { items } = await catalog.auditEvents.list({ projectId: inventory.project.id, toldOnly: true }, { pageNumber: 1, itemsPerPage: 100 });
    assert.deepEqual(items.map(({ action, object }) => [action, object]), [['jobs abandon', id]], 'what was refused is no event');
    const names = (await client.db('shop').listCollections().toArray()).map(({ name }) => String(name));
    assert.equal(names.filter((name) => name.startsWith('__lv_')).length, 2, 'nothing was touched there: the old one and the copy');

    for (const [other, why] of [[id, /it left nothing on its target/], ['0'.repeat(24), /no such job/]] as const) {
      const late = await run('abandon', other, FLAG);
      assert.deepEqual([late.code, why.test(late.err)], [1, true], late.err);
    }
  });

  test('lets go of what a restore keeps for an undo on servers that are gone', async () => {
    await client.db('shop').dropDatabase();
    await client.db('__leafvault').dropDatabase();
    await leadTo(own.adminUri);
    await leave('kept');
    const there = await run('abandon', asked.job.id, FLAG);
    assert.deepEqual([there.code, /its servers are there/.test(there.err)], [1, true], there.err);
    await leadTo(anew.adminUri);
    const gone = await run('abandon', asked.job.id, FLAG, '--json');
    assert.deepEqual([gone.code, (JSON.parse(gone.out) as Record<string, unknown>)['id']], [0, asked.job.id], gone.err);
    assert.equal(await catalog.restorePlans.keptUntil(asked.restoreId ?? ''), null);
  });
});
