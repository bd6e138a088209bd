// The snapshot job: capture, commit the root, state the expiry, then the rows. The rows never say more than the root.
import type { Catalog, SnapshotRecord } from '../../catalog/index.ts';
import type { CaptureOptions, CaptureSnapshot, SnapshotBody } from '../../engine/contracts.ts';
import { expiryOf } from '../../domain/retention.ts';
import { outlasting, throwIfAborted } from '../../foundation/abort.ts';
import type { Clock } from '../../foundation/clock.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { Fact, Repository, RepositoryWriter, SnapshotRoot } from '../../repository/repository.ts';
import { stateAbout } from '../about-snapshot.ts';
import type { Completion, JobContext, JobHandler } from '../job-handler.ts';
import { isDamage } from '../../repository/index.ts';
import type { RepositoryProvider } from '../repository-provider.ts';
import { loadRoot } from './load-root.ts';
import { requireClusterUri, requireSnapshot } from './required-rows.ts';

export interface RunSnapshotParts {
  readonly catalog: Catalog;
  readonly repositories: RepositoryProvider;
  readonly capture: CaptureSnapshot;
  readonly clock: Clock;
  readonly limits?: CaptureOptions['limits'];
  readonly deltas?: CaptureOptions['deltas'];
  /** Told between phases; tests act there. */
  readonly onPhase?: CaptureOptions['onPhase'];
}

const DAY_MS = 86_400_000;

export function createRunSnapshot(parts: RunSnapshotParts): JobHandler {
  return async (context) => {
    const snapshot = await requireSnapshot(parts.catalog, context.job);
    const repository = await parts.repositories.forProject(snapshot.projectId);
    throwIfAborted(context.signal);
    // An attempt before this one may have put the root and died before its rows.
    const root = (await loadRoot(repository, snapshot.id)) ?? (await captureAndCommit(parts, context, repository, snapshot));
    // Its policy may have been changed while it was captured: what is told of it and its end have to agree.
    const current = (await parts.catalog.snapshots.get(snapshot.id)) ?? snapshot;
    const expiresAt = endOf(bodyOf(root), current);
    const known: Fact[] = [];
    for await (const fact of repository.listFacts(snapshot.id)) known.push(fact);
    await stateExpiry(repository, snapshot.id, expiresAt, { known, clock: parts.clock });
    await stateAbout({ ...parts, repository }, current, known);
    return completionOf(root, snapshot, expiresAt);
  };
}

async function captureAndCommit(parts: RunSnapshotParts, context: JobContext, repository: Repository, snapshot: SnapshotRecord): Promise<SnapshotRoot> {
  const { catalog, capture, clock, limits, deltas, onPhase } = parts;
  const { signal, onProgress, tempDir, log } = context;
  const { jobId } = context.job.claim;
  const uri = await requireClusterUri(catalog, snapshot.clusterId, context);
  const anew: string[] = [];
  const previous = await openPrevious(parts, context, repository, snapshot);
  const rest = await openRest(parts, context, repository);
  // What is kept for a rest is stored after the signal.
  const storing = outlasting(signal, (reason) => restWithinMs(reason) ?? 0);
  const writer = await repository.openWriter({ signal: storing.signal });
  try {
    const { body, missing = [] } = await capture({
      uri, writer, previous, tempDir, signal, onProgress, log, clock, limits, deltas, onPhase, rest, restWithinMs,
      hashSeed: repository.hashSeed,
      selection: snapshot.selection ?? undefined,
      onRest: ({ document }) => context.fenced((tx) => tx.captureRests.save(jobId, document)),
      onAnew: async (reason) => {
        anew.push(`The snapshot could not go on where it had rested, and read everything again: ${reason}`);
        await context.fenced(async (tx) => {
          await tx.captureRests.remove(jobId);
          await tx.jobs.setWarnings(jobId, anew);
        });
      },
    });
    throwIfAborted(signal);
    const { documents, bytes } = body;
    onProgress({ phase: 'commit', documentsDone: documents, documentsTotal: documents, bytesDone: bytes, bytesTotal: bytes, namespace: null });
    // Nobody else may have been given the job: after this only the store stands between us and the root.
    const warnings = [...anew, ...missing.map((name) => `Nothing of ${name} is there: the snapshot was told to take it, and holds none of it`)];
    await context.fenced((tx) => tx.jobs.setWarnings(jobId, warnings));
    return await commit(repository, writer, snapshot, body, clock);
  } finally {
    await rest?.reader.close();
    await previous?.reader.close();
    storing.end();
    await writer.abort();
  }
}

/** Long before a worker that does not end is given up as stuck, and before one that stops leaves its jobs behind. */
const PAUSE_MS = 30_000;
const RELEASE_MS = 10_000;

function restWithinMs(reason: unknown): number | null {
  if (isLeafvaultError(reason, 'JOBS_PAUSED')) return PAUSE_MS;
  return isLeafvaultError(reason, 'JOBS_RELEASED') ? RELEASE_MS : null;
}

async function openRest({ catalog }: RunSnapshotParts, { job }: JobContext, repository: Repository): Promise<CaptureOptions['rest']> {
  const document = await catalog.captureRests.load(job.claim.jobId);
  return document === null ? undefined : { document, reader: await repository.openReader() };
}

async function openPrevious({ catalog }: RunSnapshotParts, { log }: JobContext, repository: Repository, { clusterId }: SnapshotRecord): Promise<CaptureOptions['previous']> {
  // One of chosen namespaces knows nothing of the others: their cuts would begin afresh behind it. It is better than none.
  const newest = (await catalog.snapshots.newestWhole(clusterId)) ?? (await catalog.snapshots.newestCompleted(clusterId));
  if (newest === null) return null;
  const reader = await repository.openReader();
  const root = await loadRoot(repository, newest.id).catch(async (error: unknown) => {
    // Damage of an old snapshot must not end backups.
    if (isDamage(error)) return null;
    await reader.close();
    throw error;
  });
  if (root === null) {
    await reader.close();
    // Costs dedup, not correctness; a check of the repository tells what became of it.
    log.warn({ snapshot: newest.id }, 'the previous snapshot is not in the repository, or its root is damaged; cutting begins afresh');
    return null;
  }
  return { root, reader };
}

async function commit(repository: Repository, writer: RepositoryWriter, { id, clusterId }: SnapshotRecord, body: SnapshotBody, clock: Clock): Promise<SnapshotRoot> {
  try {
    return await writer.commit({ id, createdAt: clock.now().toISOString(), series: clusterId, body: { ...body } });
  } catch (error) {
    // The root may stand although its answer was lost on the way.
    const root = await loadRoot(repository, id).catch(() => null);
    if (root !== null) return root;
    throw error;
  }
}

function bodyOf(root: SnapshotRoot): SnapshotBody {
  return root.body as unknown as SnapshotBody;
}

function endOf({ capturedAt }: Pick<SnapshotBody, 'capturedAt'>, { retentionDays, policyItems }: Pick<SnapshotRecord, 'retentionDays' | 'policyItems'>): Date {
  const from = new Date(capturedAt);
  return policyItems === null ? new Date(from.getTime() + retentionDays * DAY_MS) : expiryOf(from, policyItems);
}

/** A fact, so that a rescue from the store alone keeps the retention. */
async function stateExpiry(repository: Repository, snapshotId: string, expiresAt: Date, { known, clock }: { readonly known: readonly Fact[]; readonly clock: Clock }): Promise<void> {
  if (known.some(({ kind }) => kind === 'expiry')) return;
  await repository.addFact({ snapshotId, kind: 'expiry', createdAt: clock.now().toISOString(), body: { expiresAt: expiresAt.toISOString() } });
}

function completionOf(root: SnapshotRoot, { id, clusterId }: SnapshotRecord, expiresAt: Date): Completion {
  const { source, pointInTime, capturedAt, consistency, documents, bytes } = bodyOf(root);
  return async (tx) => {
    // First the cluster, then its snapshots, like a change of its schedule: in another order each could wait for the other.
    await tx.clusters.learn(clusterId, {
      lastSuccessAt: new Date(capturedAt), mongodbVersion: source.serverVersion, replicaSetName: source.replicaSetName,
    });
    // Its policy may have been changed while it was captured; held, so that a change comes before this or after it.
    const { policyItems = null } = (await tx.snapshots.hold(id)) ?? {};
    await tx.snapshots.complete(id, {
      pointInTime, consistency, documents, expiresAt,
      capturedAt: new Date(capturedAt),
      mongodbVersion: source.serverVersion,
      replicaSetName: source.replicaSetName,
      replicaSetId: source.replicaSetId,
      dataSizeBytes: bytes,
      storageSizeBytes: root.stats.storedBytes,
    });
    const changed = policyItems === null ? expiresAt : expiryOf(new Date(capturedAt), policyItems);
    if (policyItems !== null && changed.getTime() !== expiresAt.getTime()) await tx.snapshots.changePolicy(id, policyItems, changed);
  };
}
