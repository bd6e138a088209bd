// The restore job: the engine restores and proves; the journal stands in the catalog, every save fenced by the claim.
import type { Catalog, CatalogTransaction, RestoreRecord, SnapshotRecord } from '../../catalog/index.ts';
import type { ChainToRead, RestoreJournal, RestoreOptions, RestoreResult, RestoreSnapshot, SettleOptions, SettleRestore } from '../../engine/contracts.ts';
import type { RestoreInstant } from '../../domain/instant.ts';
import type { Repository } from '../../repository/repository.ts';
import { throwIfAborted } from '../../foundation/abort.ts';
import type { Clock } from '../../foundation/clock.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import { redactUri } from '../../foundation/redact.ts';
import { JOB_PAYLOADS } from '../contracts.ts';
import type { Completion, JobContext, JobHandler } from '../job-handler.ts';
import type { RepositoryProvider } from '../repository-provider.ts';
import { learnProof } from './learn-proof.ts';
import { requireClusterUri, requireRestore, requireSnapshot } from './required-rows.ts';

export interface RunRestoreParts {
  readonly catalog: Catalog;
  readonly repositories: RepositoryProvider;
  readonly restore: RestoreSnapshot;
  readonly settle: SettleRestore;
  readonly slicesOfChain: (chain: ChainToRead) => NonNullable<RestoreOptions['instant']>['slices'];
  readonly clock: Clock;
  /** Told between phases; tests act there. */
  readonly onPhase?: RestoreOptions['onPhase'];
}

// Cleaning up a target: long enough for many collections, short enough for a stop.
const SETTLE_PATIENCE_MS = 120_000;
/** Of a pause, which is to free its worker: the next attempt settles first in any case. */
const PAUSE_PATIENCE_MS = 20_000;

export function createRunRestore(parts: RunRestoreParts): JobHandler {
  return async (context) => {
    const { catalog, repositories } = parts;
    const restore = await requireRestore(catalog, context.job);
    const snapshot = await requireSnapshot(catalog, restore);
    const uri = await requireClusterUri(catalog, restore.targetClusterId, context);
    const repository = await repositories.forProject(snapshot.projectId);
    const journal = createJournal(catalog, context, restore.id);
    // A session of its own: the snapshot may be deleted now, this restore still finishes.
    const reader = await repository.openReader();
    try {
      const { timeSeries, keepHours, leaveOut, existing } = JOB_PAYLOADS.restore.parse(context.job.payload);
      const options: RestoreOptions = {
        restoreId: restore.id, reader, journal, target: { uri }, timeSeries, existing, oldCollections: keepHours > 0 ? 'keep' : 'drop',
        hashSeed: repository.hashSeed,
        root: await repository.loadSnapshot(snapshot.id),
        selection: restore.selection,
        indexStrategy: restore.indexStrategy,
        usersAndRoles: restore.usersAndRoles,
        ...(restore.instant === null ? {} : { instant: { ...(await instantOf(parts, repository, restore.instant)), ...(leaveOut === undefined ? {} : { leaveOut }) } }),
        tempDir: context.tempDir, signal: context.signal, onProgress: context.onProgress, log: context.log,
        clock: parts.clock, onPhase: parts.onPhase,
        rests: (reason) => isLeafvaultError(reason, 'JOBS_PAUSED'),
        onWarnings: (warnings) => context.fenced((tx) => tx.jobs.setWarnings(context.job.claim.jobId, warnings)),
      };
      const result = await restoreOrSettle(parts, context, options, restore);
      // Also where an attempt before this one did the work, or the target was only finished from the plan.
      context.onProgress({
        phase: 'finish', documentsDone: result.documents, documentsTotal: result.documents, bytesDone: result.bytes, bytesTotal: result.bytes, namespace: null,
      });
      return completionOf(parts, { restore, snapshot, keepHours }, result);
    } finally {
      await reader.close();
    }
  };
}

/** The chain as the engine reads it. */
async function instantOf({ catalog, slicesOfChain }: RunRestoreParts, { chains }: Repository, { border, chainId }: RestoreInstant): Promise<NonNullable<RestoreOptions['instant']>> {
  const chain = await catalog.chains.get(chainId);
  return { border, replicaSetId: chain?.replicaSetId ?? null, slices: slicesOfChain({ chains, chainId, ...(chain === null ? {} : { slices: chain.slices }) }) };
}

async function restoreOrSettle(parts: RunRestoreParts, context: JobContext, options: RestoreOptions, restore: RestoreRecord): Promise<RestoreResult> {
  try {
    // Inside: an attempt that is cancelled before it begins still has to settle what the one before it left.
    throwIfAborted(context.signal);
    return await parts.restore(options);
  } catch (error) {
    if ((await settleAfter(parts, context, options, restore, error)) !== 'new') throw error;
    // It failed behind its swap, and has been finished: asked again, the engine answers from the plan.
    return parts.restore({ ...options, signal: AbortSignal.timeout(SETTLE_PATIENCE_MS) });
  }
}

/** Settles the target of a restore whose job is over; the message of the job says so when the swap had been done. */
export function createSettleRestore(parts: RunRestoreParts): JobHandler {
  return async (context) => {
    const restore = await requireRestore(parts.catalog, context.job);
    const uri = await requireClusterUri(parts.catalog, restore.targetClusterId, context);
    const journal = createJournal(parts.catalog, context, restore.id);
    // Without a repository all can be settled too; a roll back then keeps more.
    const hashSeed = await parts.repositories.forProject(restore.projectId).then((repository) => repository.hashSeed, () => undefined);
    const outcome = await parts.settle({
      restoreId: restore.id, target: { uri }, journal, signal: context.signal, log: context.log, mustReach: true, ...(hashSeed === undefined ? {} : { hashSeed }),
    });
    const plan = await journal.load();
    const kept = keptIn(plan);
    return async (tx) => {
      await tx.restorePlans.markSettled(restore.id, outcome);
      const { jobId } = context.job.claim;
      if (outcome === 'old' && kept.length > 0) await tx.jobs.addToMessage(jobId, `Kept, because applications wrote to them: ${kept.join(', ')}`);
      // What a dropKept left is a plan that was over before.
      if (outcome === 'old' || context.job.kind === 'dropKept') return;
      await endChainOf(tx, restore.targetClusterId);
      const { keepHours } = context.job.payload;
      if (Number(keepHours) > 0 && kept.length > 0) await tx.restorePlans.keep(restore.id, hoursFrom(parts.clock.now(), Number(keepHours)));
      await tx.jobs.addToMessage(jobId, `The swap had been done before: the target holds the ${context.job.kind === 'undo' && plan?.undone !== false ? 'old' : 'restored'} data${lostWords(plan)}`);
    };
  };
}

/** What stays on the target by a plan, `db.name` each. */
function keptIn(plan: Readonly<Record<string, unknown>> | null): readonly string[] {
  return (plan?.kept as readonly string[] | undefined) ?? [];
}

/** Whether the engine has left something to be taken over. */
function restsIn(plan: Readonly<Record<string, unknown>> | null): boolean {
  return plan?.state === 'preparing' && ((plan.rested as readonly unknown[] | undefined) ?? []).length > 0;
}

function lostWords(plan: Readonly<Record<string, unknown>> | null): string {
  const lost = (plan?.lost as readonly string[] | undefined) ?? [];
  return lost.length === 0 ? '' : `, but for ${lost.join(', ')}, whose proven copy was dropped or changed by somebody`;
}

export function createJournal(catalog: Catalog, { job, fenced }: JobContext, restoreId: string): RestoreJournal {
  return {
    load: () => catalog.restorePlans.load(restoreId),
    save: (plan) => fenced((tx) => tx.restorePlans.save(restoreId, job.claim.jobId, plan)),
  };
}

type SettleWhat = Pick<SettleOptions, 'restoreId' | 'target' | 'journal' | 'hashSeed'>;

/** Leaves nothing on the target before the job ends or goes back into the queue; null: not settled, or not ours. */
export async function settleAfter(
  { catalog, settle, clock }: Pick<RunRestoreParts, 'catalog' | 'settle' | 'clock'>, { job, log, signal, fenced }: JobContext, { restoreId, target, journal, hashSeed }: SettleWhat,
  { targetClusterId }: RestoreRecord, error: unknown,
): Promise<'old' | 'new' | null> {
  const cause: unknown = signal.aborted ? signal.reason : error;
  // The plan is another worker's now.
  if (isLeafvaultError(cause, 'JOBS_LEASE_LOST') || isLeafvaultError(cause, 'CATALOG_LEASE_LOST')) return null;
  try {
    if (!(await catalog.restorePlans.isOpen(restoreId))) return null;
    // What was loaded waits under construction for the next attempt.
    const isPaused = isLeafvaultError(cause, 'JOBS_PAUSED');
    if (isPaused && restsIn(await journal.load())) return null;
    const outcome = await settle({ restoreId, target, journal, ...(hashSeed === undefined ? {} : { hashSeed }), signal: AbortSignal.timeout(isPaused ? PAUSE_PATIENCE_MS : SETTLE_PATIENCE_MS), log });
    const kept = keptIn(await journal.load());
    await fenced(async (tx) => {
      await tx.restorePlans.markSettled(restoreId, outcome);
      if (outcome !== 'new') return;
      await endChainOf(tx, targetClusterId);
      // Also where the job fails all the same: what was replaced is kept for its time.
      const hours = Number(job.payload.keepHours);
      if (hours > 0 && kept.length > 0) await tx.restorePlans.keep(restoreId, hoursFrom(clock.now(), hours));
    });
    return outcome;
  } catch (settleError) {
    // The plan stays open, and every worker tries again each minute.
    log.warn({ code: 'JOBS_SETTLE_FAILED', reason: redactUri(describeError(settleError)) }, 'the target is not settled yet');
    return null;
  }
}

function completionOf(
  { clock }: RunRestoreParts, { restore: { id: restoreId, jobId, targetClusterId, selection }, snapshot, keepHours }: { readonly restore: RestoreRecord; readonly snapshot: SnapshotRecord; readonly keepHours: number },
  result: RestoreResult,
): Completion {
  return async (tx) => {
    const provenAt = clock.now();
    await endChainOf(tx, targetClusterId);
    await tx.restores.saveProof(
      restoreId,
      { provenAt, collections: result.collections.length, documents: result.documents, bytes: result.bytes },
      { ...result },
    );
    await tx.jobs.setWarnings(jobId, result.warnings ?? []);
    await tx.restorePlans.markSettled(restoreId, 'new');
    if (keepHours > 0 && result.undoable !== false && result.movedAside.length > 0) await tx.restorePlans.keep(restoreId, hoursFrom(provenAt, keepHours));
    // Of chosen namespaces it says nothing of the others.
    if (selection.databases.length + selection.collections.length === 0) await learnProof(tx, { clusterId: snapshot.clusterId, snapshotId: snapshot.id }, provenAt);
  };
}

/** The swap changed the cluster behind the back of whoever follows it: continuous backup begins again, with a new base. */
export async function endChainOf(tx: CatalogTransaction, targetClusterId: string | null): Promise<void> {
  if (targetClusterId !== null) await tx.tailers.requestEnd(targetClusterId, 'RESTORED');
}

/** Hours from a moment, in the clock of the catalog. */
export function hoursFrom(moment: Date, hours: number): Date {
  return new Date(moment.getTime() + hours * 3_600_000);
}
