// The rows that a job needs; without one of them it fails by name.
import type { Catalog, ClaimedJob, RestoreRecord, SnapshotRecord } from '../../catalog/index.ts';
import type { Cluster } from '../../domain/records.ts';
import type { ExportBucket, SnapshotExport } from '../../domain/exports.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { JobContext } from '../job-handler.ts';
import { passwordIn } from '../job-failure.ts';

/** @throws JOBS_ROW_MISSING */
export async function requireSnapshot(catalog: Catalog, { snapshotId }: Pick<ClaimedJob, 'snapshotId'>): Promise<SnapshotRecord> {
  return require(snapshotId === null ? null : await catalog.snapshots.get(snapshotId), 'snapshot', snapshotId);
}

/** @throws JOBS_ROW_MISSING */
export async function requireRestore(catalog: Catalog, { restoreId }: Pick<ClaimedJob, 'restoreId'>): Promise<RestoreRecord> {
  return require(restoreId === null ? null : await catalog.restores.get(restoreId), 'restore', restoreId);
}

/** With the bucket that it goes to, also where that was deleted meanwhile. @throws JOBS_ROW_MISSING */
export async function requireExport(catalog: Catalog, exportId: string): Promise<{ readonly row: SnapshotExport; readonly bucket: ExportBucket }> {
  const row = require(await catalog.exports.get(exportId), 'export', exportId);
  return { row, bucket: require(await catalog.exportBuckets.get(row.bucketId, { alsoDeleted: true }), 'export bucket', row.bucketId) };
}

/** The connection string; its password is kept out of messages from now on. @throws JOBS_ROW_MISSING, JOBS_CLUSTER_WITHOUT_ADDRESS */
export async function requireClusterUri(catalog: Catalog, clusterId: string | null, { hide }: Pick<JobContext, 'hide'>): Promise<string> {
  const known = clusterId === null ? null : await catalog.clusters.uriOf(clusterId);
  const cluster = known === null && clusterId !== null ? await catalog.clusters.get(clusterId) : null;
  if (cluster !== null) throw withoutAddress(cluster);
  const uri = require(known, 'cluster', clusterId);
  const password = passwordIn(uri);
  if (password !== null) hide(password);
  return uri;
}

function require<T>(row: T | null, noun: string, id: string | null): T {
  if (row !== null) return row;
  throw new LeafvaultError('JOBS_ROW_MISSING', `Starting the job failed: its ${noun} ${id ?? '(none named)'} is not in the catalog`);
}

function withoutAddress({ name, deletedAt }: Pick<Cluster, 'name' | 'deletedAt'>): LeafvaultError {
  const [why, hint] = deletedAt == null
    ? ['it was rescued without its connection string', 'Give it again: `uri` of the cluster in leafvault.yaml, below its project, or LEAFVAULT_SOURCE_URI; then start Leafvault anew']
    : ['it was deleted, and its connection string with it', 'Register the servers as a cluster again; what a restore keeps there is renamed or dropped by hand'];
  return new LeafvaultError('JOBS_CLUSTER_WITHOUT_ADDRESS', `Reaching the cluster ${name} failed: ${why}`, { hint });
}
