// A catalog that was rescued knows that a restore is open, and not how far it had come: only its target can say.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { settleRestore, slicesOfChain } from '../../../src/engine/index.ts';
import { freePort } from '../../support/free-port.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { createSettleRestore } from '../../../src/jobs/handlers/run-restore.ts';
import type { JobContext } from '../../../src/jobs/job-handler.ts';
import { makeInventory } from '../../support/catalog-rows.ts';
import { askForRestore } from '../../support/job-rows.ts';
import { silent } from '../../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../../support/queued-catalog.ts';

describe('settling a restore whose plan a rescue emptied', () => {
  let opened: QueuedCatalog;
  before(async () => { opened = await startQueuedCatalog(); });
  after(() => opened?.close());

  test('fails as long as the target can not be reached, and leaves it open: nobody knows what stands there', async () => {
    const { catalog, queue } = opened;
    const inventory = await makeInventory(catalog);
    const { job, restoreId } = await askForRestore(catalog, queue, inventory);
    await catalog.transaction(async (tx) => {
      await tx.restorePlans.save(restoreId!, job.id, { state: 'swapping' });
      await tx.rescues.emptyPlans();
    });
    const host = `127.0.0.1:${await freePort()}`;
    await catalog.clusters.setUri(inventory.cluster.id, `mongodb://${host}/?serverSelectionTimeoutMS=300&connectTimeoutMS=300`, [host]);
    const settle = createSettleRestore({
      catalog, settle: settleRestore, slicesOfChain, clock: systemClock, restore: () => Promise.reject(new Error('nothing is restored')), repositories: { forProject: () => Promise.reject(new Error('no repository')) },
    });
    const context = {
      job: { kind: 'restore', restoreId, payload: {}, claim: { jobId: job.id, token: 1 } }, signal: AbortSignal.timeout(60_000), log: silent, hide: () => undefined,
      fenced: (work: (tx: never) => Promise<unknown>) => catalog.transaction((tx) => work(tx as never)),
    } as unknown as JobContext;
    await assert.rejects(async () => settle(context), { code: 'TARGET_UNREACHABLE' });
    assert.equal(await catalog.restorePlans.isOpen(restoreId!), true);
  });
});
