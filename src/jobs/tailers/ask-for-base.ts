// The bases of a chain: snapshot jobs like any other, asked for when the chain has no fresh one and none is on its way.
import type { CatalogTransaction } from '../../catalog/index.ts';
import type { Cluster } from '../../domain/records.ts';
import type { Clock } from '../../foundation/clock.ts';
import { newId } from '../../foundation/ids.ts';
import type { JobQueue } from '../queue.ts';

export interface BaseParts {
  readonly queue: JobQueue;
  readonly clock: Clock;
  /** How long a failed one is given before the next is asked for. */
  readonly baseRetryMs: number;
  /** After how long a chain gets another base: a restore replays what lies behind its base. */
  readonly baseFreshMs: number;
}

const RETENTION_DAYS = 30;
const DAY_MS = 86_400_000;

/** Inside `catalog.following` of the cluster: two of these never run at once. @returns id of the snapshot that was asked for */
export async function askForBase({ queue, clock, baseRetryMs, baseFreshMs }: BaseParts, tx: CatalogTransaction, cluster: Cluster, chainId: string): Promise<string | null> {
  if (!(await tx.chains.needsBase(chainId, { patienceMs: baseRetryMs, freshMs: baseFreshMs }))) return null;
  const now = clock.now();
  const [snapshotId, jobId] = [newId(now), newId(now)];
  const where = { projectId: cluster.projectId, clusterId: cluster.id };
  await queue.enqueue(tx, { ...where, id: jobId, kind: 'snapshot', payload: { snapshotId }, snapshotId, restoreId: null, requestedBy: 'continuous backup' });
  await tx.snapshots.insert({
    ...where, id: snapshotId, jobId, clusterName: cluster.name, type: 'scheduled', description: 'Base of continuous backup', selection: null,
    retentionDays: RETENTION_DAYS, expiresAt: new Date(now.getTime() + RETENTION_DAYS * DAY_MS),
  });
  return snapshotId;
}
