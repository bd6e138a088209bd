// Jobs for tests, asked for as services do: rows and job in one transaction.
import { setTimeout as delay } from 'node:timers/promises';
import type { Catalog } from '../../src/catalog/index.ts';
import type { Job } from '../../src/domain/records.ts';
import { newId } from '../../src/foundation/ids.ts';
import type { JobQueue } from '../../src/jobs/index.ts';
import { insertCompleted, snapshotRow, type Inventory } from './catalog-rows.ts';
import { PATIENCE_MS } from './patience.ts';

export interface Asked { readonly job: Job; readonly snapshotId: string; readonly restoreId: string | null }

export async function askForSnapshot(catalog: Catalog, queue: JobQueue, inventory: Inventory, changes: Parameters<typeof snapshotRow>[2] = {}): Promise<Asked> {
  const { project, cluster } = inventory;
  const id = newId();
  const snapshotId = newId();
  const job = await catalog.transaction(async (tx) => {
    await tx.snapshots.insert(snapshotRow(inventory, id, { id: snapshotId, ...changes }));
    return queue.enqueue(tx, { id, kind: 'snapshot', payload: { snapshotId }, projectId: project.id, clusterId: cluster.id, snapshotId, restoreId: null, requestedBy: 'test' });
  });
  return { job, snapshotId, restoreId: null };
}

/** Of a completed snapshot, which is made when none is named; into the same cluster. */
export async function askForRestore(catalog: Catalog, queue: JobQueue, inventory: Inventory, from?: string, keepHours = 0): Promise<Asked> {
  const { project, cluster } = inventory;
  const snapshotId = from ?? (await insertCompleted(catalog, inventory)).snapshotId;
  const id = newId();
  const restoreId = newId();
  const job = await catalog.transaction(async (tx) => {
    const made = await queue.enqueue(tx, { id, kind: 'restore', payload: { restoreId, keepHours }, projectId: project.id, clusterId: cluster.id, snapshotId, restoreId, targetClusterId: cluster.id, requestedBy: 'test' });
    await tx.restores.insert({
      id: restoreId, delivery: 'automated', projectId: project.id, clusterId: cluster.id, clusterName: cluster.name, snapshotId,
      target: { projectId: project.id, clusterId: cluster.id, clusterName: cluster.name }, jobId: id,
      selection: { databases: [], collections: [], renames: [] }, indexStrategy: 'ALL', usersAndRoles: false, download: null,
    });
    return made;
  });
  return { job, snapshotId, restoreId };
}

export async function askForVerify(catalog: Catalog, queue: JobQueue, { project, cluster }: Inventory): Promise<Job> {
  return catalog.transaction((tx) => queue.enqueue(tx, {
    id: newId(), kind: 'verify', payload: { snapshotId: null, readData: false }, projectId: project.id, clusterId: cluster.id, snapshotId: null, restoreId: null, requestedBy: 'test',
  }));
}

/** Polls until `wanted` gives something; the last thing seen is in the error. */
export async function until<T>(what: string, wanted: () => Promise<T | null | undefined | false>, patienceMs = PATIENCE_MS): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = await wanted();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`Waiting for ${what} took longer than ${patienceMs} ms`);
    await delay(20);
  }
}

const OVER = ['completed', 'failed', 'cancelled'];

export function ended(catalog: Catalog, jobId: string, patienceMs?: number): Promise<Job> {
  return until(`the end of job ${jobId}`, async () => {
    const job = await catalog.jobs.get(jobId);
    return job !== null && OVER.includes(job.state) && job;
  }, patienceMs);
}

/** Of a job that is not held: it may be over when it is looked at. */
export function begun(catalog: Catalog, jobId: string): Promise<Job> {
  return until(`job ${jobId} to begin`, async () => {
    const job = await catalog.jobs.get(jobId);
    return job !== null && job.attempt > 0 && job;
  });
}

/** Of a job that somebody holds, or it may go by between two looks. */
export function running(catalog: Catalog, jobId: string): Promise<Job> {
  return until(`job ${jobId} to run`, async () => {
    const job = await catalog.jobs.get(jobId);
    return job?.state === 'running' && job;
  });
}
