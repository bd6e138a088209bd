// Rows for tests: an organization with a project, a cluster and whatever hangs on it.
import type { Catalog, NewJob, NewSnapshot, SnapshotOutcome } from '../../src/catalog/index.ts';
import type { Cluster, Project } from '../../src/domain/records.ts';
import { newId } from '../../src/foundation/ids.ts';

export interface Inventory { readonly orgId: string; readonly project: Project; readonly cluster: Cluster }

export async function makeInventory(catalog: Catalog, uri = 'mongodb://u:top-secret@127.0.0.1:27017/'): Promise<Inventory> {
  const org = await catalog.organizations.insert({ id: newId(), name: `org ${newId()}` });
  const project = await catalog.projects.insert({ id: newId(), orgId: org.id, name: 'shop' });
  const cluster = await catalog.clusters.insert({ id: newId(), projectId: project.id, name: `orders-${newId()}`, uri, hosts: ['127.0.0.1:27017'] });
  return { orgId: org.id, project, cluster };
}

export function jobRow({ project, cluster }: Inventory, changes: Partial<NewJob> = {}): NewJob {
  return {
    id: newId(), kind: 'snapshot', projectId: project.id, clusterId: cluster.id, snapshotId: null, restoreId: null,
    payload: {}, requestedBy: 'test', exclusiveKey: null, ...changes,
  };
}

export function snapshotRow({ project, cluster }: Inventory, jobId: string, changes: Partial<NewSnapshot> = {}): NewSnapshot {
  return {
    id: newId(), projectId: project.id, clusterId: cluster.id, clusterName: cluster.name, type: 'onDemand', description: null,
    retentionDays: 7, selection: null, expiresAt: new Date('2030-01-01T00:00:00Z'), jobId, ...changes,
  };
}

export const OUTCOME: SnapshotOutcome = {
  pointInTime: { t: 1_700_000_000, i: 3 }, capturedAt: new Date('2026-03-01T12:00:00Z'), expiresAt: new Date('2026-03-08T12:00:00Z'),
  mongodbVersion: '6.0.5', replicaSetName: 'rs0', consistency: 'point-in-time', documents: 12, dataSizeBytes: 3_000_000_000, storageSizeBytes: 99,
};

/** A completed snapshot with its job, which is over. */
export async function insertCompleted(catalog: Catalog, inventory: Inventory, selection: NewSnapshot['selection'] = null): Promise<{ readonly snapshotId: string; readonly jobId: string }> {
  const snapshotId = newId();
  return catalog.transaction(async (tx) => {
    const job = await tx.jobs.insert(jobRow(inventory, { snapshotId }));
    await tx.snapshots.insert(snapshotRow(inventory, job.id, { id: snapshotId, selection }));
    await tx.snapshots.complete(snapshotId, OUTCOME);
    await tx.executeSql('update jobs set state = $1, finished_at = created_at where id = $2', ['completed', job.id]);
    return { snapshotId, jobId: job.id };
  });
}
