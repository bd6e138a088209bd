// Giving up what a restore left on servers that are gone for good: nobody tries to end it any more, and nothing counts as kept.
import type { CatalogStore, Claim } from '../catalog/index.ts';
import { sleep } from '../foundation/abort.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';

/** Whether a connection string leads to other servers than those that a plan has to be ended on. @throws where nobody can tell */
export type StandsElsewhere = (request: {
  readonly restoreId: string; readonly target: { readonly uri: string }; readonly plan: Readonly<Record<string, unknown>> | null; readonly signal: AbortSignal;
}) => Promise<boolean>;

export interface AbandonParts {
  readonly catalog: Pick<CatalogStore, 'restores' | 'restorePlans' | 'jobs' | 'clusters' | 'leases' | 'fenced' | 'transaction'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly standsElsewhere: StandsElsewhere;
}

/** Longer than the target is asked. */
const LEASE_SECONDS = 90;
const ASK_MS = 45_000;
/** A worker that is just trying to end it has given up by then, where it can't. */
const WAIT_MS = 30_000;
const LOOK_AGAIN_MS = 250;

/**
 * Asks the target first: as long as its servers are there, or nobody can tell, what was begun stays to be ended.
 * @param by who asks, for people
 * @throws RESTORE_NOT_ABANDONABLE
 */
export async function abandonRestore({ catalog, clock, standsElsewhere }: AbandonParts, { restoreId, by }: { readonly restoreId: string; readonly by: string }): Promise<void> {
  const refuse = (why: string, hint?: string, cause?: unknown): LeafvaultError =>
    new LeafvaultError('RESTORE_NOT_ABANDONABLE', `Abandoning restore ${restoreId} was refused: ${why}`, { details: { id: restoreId, why }, ...(hint === undefined ? {} : { hint }), ...(cause === undefined ? {} : { cause }) });
  const isOpen = await catalog.restorePlans.isOpen(restoreId);
  if (!isOpen && (await catalog.restorePlans.keptUntil(restoreId)) === null) throw refuse('it left nothing on its target that would still have to be ended or dropped');
  const restore = await catalog.restores.get(restoreId);
  const job = restore === null ? null : await catalog.jobs.get(restore.jobId);
  if (job?.state === 'queued' || job?.state === 'running' || (await catalog.restorePlans.changeUnderWay(restoreId)) !== null) throw refuse('a job of it is not over', 'Cancel that with `leafvault jobs cancel` first');
  const targetClusterId = restore?.targetClusterId ?? null;
  const uri = targetClusterId === null ? null : await catalog.clusters.uriOf(targetClusterId);
  if (uri === null) throw refuse('its cluster has no connection string, so nobody can tell whether its servers are there', 'Give the cluster one that leads to the servers which took their place');
  const claim = isOpen ? await claimOf({ catalog, clock }, restoreId) : null;
  if (isOpen && claim === null && !(await catalog.restorePlans.isOpen(restoreId))) throw refuse('a worker has ended it just now');
  if (isOpen && claim === null) throw refuse('a worker is just trying to end it, or at work on the same target', 'Try again in a minute');
  try {
    const plan = await catalog.restorePlans.load(restoreId);
    const isElsewhere = await standsElsewhere({ restoreId, target: { uri }, plan, signal: AbortSignal.timeout(ASK_MS) }).catch((cause: unknown) => {
      // Words of the engine name hosts and causes, never a secret.
      const words = isLeafvaultError(cause) ? cause.message : describeError(cause);
      throw refuse(`nobody can tell whether its servers are there (${words})`, 'Give the cluster the connection string of the servers that took their place', cause);
    });
    if (!isElsewhere) throw refuse('its servers are there', isOpen ? 'A worker ends it by itself within a minute; the log says what keeps it from that' : 'Undo it, or have dropped what it keeps');
    if (claim !== null) {
      await catalog.fenced(claim, async (tx) => {
        await tx.restorePlans.markAbandoned(restoreId);
        await tx.jobs.addToMessage(claim.jobId, `What it had left on its target was given up by ${by}: those servers are gone`);
      });
    } else {
      await catalog.transaction(async (tx) => {
        if ((await tx.restorePlans.changeUnderWay(restoreId)) !== null || (await tx.restorePlans.isOpen(restoreId))) throw refuse('a job that changes what it keeps was asked for meanwhile');
        await tx.restorePlans.markAbandoned(restoreId);
      });
    }
  } finally {
    if (claim !== null) await catalog.leases.drop(claim);
  }
}

/** As a worker that settles it: no other one does meanwhile. Null where it can't be had. */
async function claimOf({ catalog, clock }: Pick<AbandonParts, 'catalog' | 'clock'>, restoreId: string): Promise<Claim | null> {
  for (const end = clock.monotonicMs() + WAIT_MS; ;) {
    const job = await catalog.leases.claimUnsettled({ workerId: `abandon-${newId()}`, leaseSeconds: LEASE_SECONDS, except: [], restoreId });
    if (job !== null || clock.monotonicMs() > end || !(await catalog.restorePlans.isOpen(restoreId))) return job?.claim ?? null;
    await sleep(LOOK_AGAIN_MS);
  }
}
