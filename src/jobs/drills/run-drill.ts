// The drill job: the newest snapshot is restored where it hurts nobody, proven, and taken away again. docs/design/drills.md
import { join } from 'node:path';
import type { Catalog } from '../../catalog/index.ts';
import type { Drill } from '../../domain/drill.ts';
import type { RehearsalOptions, RehearseRestore, RestoreJournal, RestoreResult, RestoreSnapshot, SettleRehearsal, StartThrowaway } from '../../engine/contracts.ts';
import { throwIfAborted } from '../../foundation/abort.ts';
import type { Clock } from '../../foundation/clock.ts';
import { describeError, isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { redactUri } from '../../foundation/redact.ts';
import { JOB_PAYLOADS } from '../contracts.ts';
import { learnProof } from '../handlers/learn-proof.ts';
import { requireClusterUri, requireSnapshot } from '../handlers/required-rows.ts';
import type { Completion, JobContext, JobHandler } from '../job-handler.ts';
import type { RepositoryProvider } from '../repository-provider.ts';
import { createPhaseTimer, type PhaseTimer } from './phase-timer.ts';

export interface RunDrillParts {
  readonly catalog: Catalog;
  readonly repositories: RepositoryProvider;
  readonly restore: RestoreSnapshot;
  readonly rehearse: RehearseRestore;
  readonly settleRehearsal: SettleRehearsal;
  readonly startThrowaway: StartThrowaway;
  /** Path of a mongod on this machine; null: none is set. */
  readonly drillMongod: string | null;
  readonly clock: Clock;
  /** Told between phases; tests act there. */
  readonly onPhase?: RehearsalOptions['onPhase'];
}

// As for restores: long enough for many collections, short enough for a stop.
const SETTLE_PATIENCE_MS = 120_000;
const INDEXES_NAMED = 10;
/** A restore that somebody waits for may go closer to the edge of a disk. */
const ROOM = 1.5;

export function createRunDrill(parts: RunDrillParts): JobHandler {
  return async (context) => {
    const { catalog, clock } = parts;
    const drill = await requireDrill(catalog, context);
    const timer = createPhaseTimer(clock);
    try {
      const result = await restoreSomewhere(parts, context, drill, timer);
      refuseFailedIndexes(result);
      return completionOf(drill, result, timer, clock);
    } catch (error) {
      throw await told(parts, context, drill, timer, error);
    }
  };
}

/** Takes away what a drill left on a cluster whose job is over. */
export function createSettleDrill(parts: RunDrillParts): JobHandler {
  return async (context) => {
    const drill = await requireDrill(parts.catalog, context);
    await takeAway(parts, context, drill, context.signal);
    return (tx) => tx.drills.markSettled(drill.id);
  };
}

async function requireDrill(catalog: Catalog, { job }: JobContext): Promise<Drill> {
  const { drillId } = JOB_PAYLOADS.drill.parse(job.payload);
  const drill = await catalog.drills.get(drillId);
  if (drill === null) throw new LeafvaultError('JOBS_ROW_MISSING', `Starting the job failed: its drill ${drillId} is not in the catalog`);
  return drill;
}

/** All that scratch and a mongod have in common. */
type Common = Omit<RehearsalOptions, 'target' | 'journal' | 'namespaces'>;

async function restoreSomewhere(parts: RunDrillParts, context: JobContext, drill: Drill, timer: PhaseTimer): Promise<RestoreResult> {
  const snapshot = await requireSnapshot(parts.catalog, drill);
  const repository = await parts.repositories.forProject(drill.projectId);
  // A session of its own: the snapshot may be deleted now, this drill still finishes.
  const reader = await repository.openReader();
  try {
    const { signal, onProgress, log, tempDir } = context;
    const common: Common = {
      restoreId: drill.id, reader, hashSeed: repository.hashSeed, root: await repository.loadSnapshot(snapshot.id), indexStrategy: 'ALL', room: ROOM,
      tempDir, signal, onProgress, log, clock: parts.clock,
      onWarnings: (warnings) => context.fenced((tx) => tx.jobs.setWarnings(drill.jobId, warnings)),
      async onPhase(phase) {
        timer.begin(phase);
        await parts.onPhase?.(phase);
      },
    };
    return await (drill.place === 'mongod' ? restoreIntoThrowaway(parts, context, drill, timer, common) : rehearse(parts, context, drill, common));
  } finally {
    await reader.close();
  }
}

async function rehearse(parts: RunDrillParts, context: JobContext, drill: Drill, common: Common): Promise<RestoreResult> {
  const uri = await targetUri(parts, context, drill);
  try {
    // Inside: a drill that is cancelled before this attempt still has to take away what the one before it left.
    throwIfAborted(context.signal);
    const result = await parts.rehearse({ ...common, namespaces: drill.namespaces, target: { uri }, journal: journalOf(parts, context, drill) });
    await context.fenced((tx) => tx.drills.markSettled(drill.id));
    return result;
  } catch (error) {
    await settleAfter(parts, context, drill, error);
    throw error;
  }
}

/** The plan is kept nowhere: what it speaks of ends with the server. */
async function restoreIntoThrowaway({ drillMongod, startThrowaway, restore }: RunDrillParts, context: JobContext, { namespaces }: Drill, timer: PhaseTimer, common: Common): Promise<RestoreResult> {
  if (drillMongod === null) {
    throw new LeafvaultError('DRILL_MONGOD_UNSET', 'Drilling on a mongod of its own failed: the settings of this worker name no binary', {
      hint: 'Set drills.mongod to the path of a mongod, on every machine with a worker; or set drills.where to scratch',
    });
  }
  await common.onPhase?.('start');
  context.onProgress({ phase: 'start', documentsDone: 0, documentsTotal: null, bytesDone: 0, bytesTotal: null, namespace: null });
  const server = await startThrowaway({ binary: drillMongod, folder: join(context.tempDir, 'mongod'), signal: context.signal });
  try {
    context.hide(server.password);
    let plan: Readonly<Record<string, unknown>> | null = null;
    const journal: RestoreJournal = {
      load: () => Promise.resolve(structuredClone(plan)),
      async save(next) {
        // A worker that lost its lease stops at the next step, as everywhere.
        await context.fenced(() => Promise.resolve());
        plan = structuredClone(next);
      },
    };
    const selection = { databases: namespaces.filter((name) => !name.includes('.')), collections: namespaces.filter((name) => name.includes('.')), renames: [] };
    return await restore({ ...common, target: { uri: server.uri }, journal, selection, usersAndRoles: namespaces.length === 0, oldCollections: 'drop', timeSeries: 'refuse' });
  } finally {
    timer.begin('drop');
    await server.stop();
  }
}

async function targetUri({ catalog }: RunDrillParts, context: JobContext, { targetClusterId }: Drill): Promise<string> {
  const { target } = JOB_PAYLOADS.drill.parse(context.job.payload);
  if (targetClusterId === null && target !== null) {
    throw new LeafvaultError('DRILL_TARGET_UNKNOWN', `Drilling on the cluster ${target} failed: the project has no cluster of that name`, {
      details: { target }, hint: 'Correct `drills.target` of the cluster in leafvault.yaml, or declare that cluster in the same project, then start Leafvault anew',
    });
  }
  return requireClusterUri(catalog, targetClusterId, context);
}

function journalOf({ catalog }: RunDrillParts, { fenced }: JobContext, { id }: Drill): RestoreJournal {
  return { load: () => catalog.drills.loadPlan(id), save: (plan) => fenced((tx) => tx.drills.savePlan(id, plan)) };
}

async function takeAway(parts: RunDrillParts, context: JobContext, drill: Drill, signal: AbortSignal): Promise<void> {
  const uri = await targetUri(parts, context, drill);
  await parts.settleRehearsal({ restoreId: drill.id, target: { uri }, journal: journalOf(parts, context, drill), signal, log: context.log, mustReach: true });
}

/** Leaves nothing on the target before the job ends or goes back into the queue. */
async function settleAfter(parts: RunDrillParts, context: JobContext, drill: Drill, error: unknown): Promise<void> {
  const { signal, log, fenced } = context;
  const cause: unknown = signal.aborted ? signal.reason : error;
  // The plan is another worker's now.
  if (isLeafvaultError(cause, 'JOBS_LEASE_LOST') || isLeafvaultError(cause, 'CATALOG_LEASE_LOST')) return;
  try {
    if (!(await parts.catalog.drills.isOpen(drill.id))) return;
    await takeAway(parts, context, drill, AbortSignal.timeout(SETTLE_PATIENCE_MS));
    await fenced((tx) => tx.drills.markSettled(drill.id));
  } catch (settleError) {
    // The plan stays open, and every worker tries again each minute.
    log.warn({ code: 'JOBS_SETTLE_FAILED', reason: redactUri(describeError(settleError)) }, 'what a drill made is not taken away yet');
  }
}

function refuseFailedIndexes({ collections }: RestoreResult): void {
  const failed = collections.flatMap(({ from, failedIndexes }) => failedIndexes.map(({ name, reason }) => `${from} ${name}: ${reason}`));
  if (failed.length === 0) return;
  const more = failed.length > INDEXES_NAMED ? ` and ${failed.length - INDEXES_NAMED} more` : '';
  throw new LeafvaultError('DRILL_INDEXES_FAILED', `The documents were proven, but ${failed.length} indexes could not be built: ${failed.slice(0, INDEXES_NAMED).join('; ')}${more}`, {
    details: { indexes: failed.length }, hint: 'A restore in earnest would go live without them: see what the servers say of them, and which version the cluster and the place of the drill run',
  });
}

function completionOf(drill: Drill, result: RestoreResult, timer: PhaseTimer, clock: Clock): Completion {
  const phases = timer.end();
  return async (tx) => {
    await tx.drills.complete(drill.id, {
      phases, documents: result.documents, bytes: result.bytes, collections: result.collections.length, warnings: result.warnings ?? [],
      indexes: result.collections.reduce((sum, { indexes }) => sum + indexes, 0),
    });
    // Of chosen namespaces it says nothing of the others.
    if (drill.namespaces.length === 0) await learnProof(tx, drill, clock.now());
  };
}

/** Interruptions that say nothing against the backup. */
const NO_FINDING = ['JOBS_CANCELLED', 'JOBS_RELEASED', 'JOBS_LEASE_LOST', 'CATALOG_LEASE_LOST', 'CATALOG_UNREACHABLE'];

/** Writes down how far it came and says it in the log; the failure gets a next step where it has none. */
async function told({ catalog }: RunDrillParts, { fenced, log, signal }: JobContext, { id, clusterId, snapshotId }: Drill, timer: PhaseTimer, error: unknown): Promise<unknown> {
  const cause: unknown = signal.aborted ? signal.reason : error;
  const phases = timer.end();
  if (isLeafvaultError(cause) && NO_FINDING.includes(cause.code)) return error;
  await fenced((tx) => tx.drills.savePhases(id, phases)).catch(() => undefined);
  const named = (await catalog.clusters.get(clusterId).catch(() => null))?.name ?? clusterId;
  log.error({ drill: id, cluster: named, snapshot: snapshotId, phase: phases.at(-1)?.phase ?? null, code: isLeafvaultError(cause) ? cause.code : 'JOBS_FAILED' },
    'a restore drill failed: the newest snapshot could not be proven; `leafvault drills` tells why and what to do');
  if (!isLeafvaultError(error) || error.hint !== undefined) return error;
  const { code, message, details, retryable } = error;
  return new LeafvaultError(code, message, { details, retryable, cause: error.cause, hint: nextStep(code, snapshotId) });
}

function nextStep(code: string, snapshotId: string): string {
  if (/^(REPOSITORY|STORAGE|SNAPSHOT|SEAL)_/.test(code)) return `Snapshot ${snapshotId} may not be restorable: run \`leafvault check --read-data\`, take a new snapshot, then \`leafvault drill\` again`;
  return 'See the worker\'s log about this job, then `leafvault drill` again; until one is proven, count on older snapshots only';
}
