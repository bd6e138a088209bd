import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openPostgresQueue, type PostgresQueue } from '../../src/jobs/index.ts';
import { abandonJob } from '../../src/services/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { askForRestore, askForSnapshot, until, type Asked } from '../support/job-rows.ts';
import { silent } from '../support/postgres.ts';
import { startServicesWorld, type ServicesWorld } from '../support/services-world.ts';

describe('abandoning what a restore left', () => {
  let world: ServicesWorld;
  let queue: PostgresQueue;
  before(async () => {
    world = await startServicesWorld();
    queue = await openPostgresQueue({ catalog: world.catalog, log: silent });
  });
  after(async () => {
    await queue?.close();
    await world?.close();
  });

  /** Its job is over, its plan is not. */
  const leftOpen = async (): Promise<Asked & { readonly restoreId: string }> => {
    const { catalog, inventory } = world;
    const asked = await askForRestore(catalog, queue, inventory);
    const { claim } = (await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['restore'] })) ?? assert.fail();
    await catalog.fenced(claim, async (tx) => {
      await tx.restorePlans.save(asked.restoreId ?? '', claim.jobId, { state: 'swapping' });
      await tx.leases.finish(claim, 'cancelled');
    });
    return { ...asked, restoreId: asked.restoreId ?? '' };
  };
  const abandon = (id: string, standsElsewhere: () => Promise<boolean> = () => Promise.resolve(true)): Promise<void> => abandonJob({ catalog: world.catalog, clock: systemClock, standsElsewhere }, { id, by: 'test' });
  const refused = (why: RegExp) => (error: { readonly code: string; readonly message: string }): boolean => error.code === 'RESTORE_NOT_ABANDONABLE' && why.test(error.message);

  test('waits for a worker that is just trying to end it, and keeps others away while it asks', async () => {
    const { catalog } = world;
    const { job, restoreId } = await leftOpen();
    const worker = (await catalog.leases.claimUnsettled({ workerId: 'w', leaseSeconds: 60, except: [] })) ?? assert.fail();
    let isAsking = false;
    const done = abandon(job.id, async () => {
      isAsking = true;
      assert.equal(await catalog.leases.claimUnsettled({ workerId: 'w2', leaseSeconds: 60, except: [] }), null);
      return true;
    });
    await until('it to wait', async () => (await catalog.jobs.get(job.id)) !== null);
    assert.equal(isAsking, false);
    await catalog.leases.drop(worker.claim);
    await done;
    assert.equal(await catalog.restorePlans.isOpen(restoreId), false);
  });

  test('finds that a worker was faster', async () => {
    const { catalog } = world;
    const { job, restoreId } = await leftOpen();
    const worker = (await catalog.leases.claimUnsettled({ workerId: 'w', leaseSeconds: 60, except: [] })) ?? assert.fail();
    const done = assert.rejects(abandon(job.id), refused(/has ended it just now/));
    await catalog.fenced(worker.claim, (tx) => tx.restorePlans.markSettled(restoreId, 'old'));
    await catalog.leases.drop(worker.claim);
    await done;
  });

  test('leaves it to be ended where its servers are there, nobody can tell, or a worker took it meanwhile', async () => {
    const { catalog } = world;
    const { job, restoreId } = await leftOpen();
    await assert.rejects(abandon(job.id, () => Promise.resolve(false)), refused(/its servers are there/));
    await assert.rejects(abandon(job.id, () => Promise.reject(new Error('no route'))), refused(/nobody can tell .*no route/));
    await assert.rejects(abandon(job.id, async () => {
      // As where this process stood still for longer than its lease.
      await catalog.leases.giveUp({ deadOwners: await owners(), maxLosses: 3 });
      return true;
    }), { code: 'CATALOG_LEASE_LOST' });
    assert.equal(await catalog.restorePlans.isOpen(restoreId), true);
    await abandon(job.id);
  });

  test('is refused for what runs, left nothing, or is no restore', async () => {
    const { catalog, inventory } = world;
    const waiting = await askForRestore(catalog, queue, inventory);
    await catalog.transaction((tx) => tx.restorePlans.save(waiting.restoreId ?? '', waiting.job.id, { state: 'swapping' }));
    await assert.rejects(abandon(waiting.job.id), refused(/a job of it is not over/));
    const { claim } = (await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['restore'] })) ?? assert.fail();
    await assert.rejects(abandon(waiting.job.id), refused(/a job of it is not over/));
    await catalog.fenced(claim, async (tx) => {
      await tx.restorePlans.markSettled(waiting.restoreId ?? '', 'old');
      await tx.leases.finish(claim, 'cancelled');
    });
    await assert.rejects(abandon(waiting.job.id), refused(/left nothing/));
    await assert.rejects(abandon((await askForSnapshot(catalog, queue, inventory)).job.id), refused(/kind snapshot leaves nothing/));
    await assert.rejects(abandon('0'.repeat(24)), { code: 'JOB_NOT_FOUND' });
  });

  async function owners(): Promise<string[]> {
    const { rows } = await world.catalog.transaction((tx) => tx.executeSql('select owner from leases where owner is not null', []));
    return rows.map(({ owner }) => String(owner));
  }
});
