// Snapshots and restore jobs in the serverless form: that of a dedicated cluster with fewer members.
import { frequencyOf } from '../../../../domain/retention.ts';
import type { ListedRestore, Snapshot } from '../../../../domain/records.ts';
import { isoSeconds, isoSecondsOrUnset } from '../../time-text.ts';
import { presentRestoreJob } from '../restore-jobs/present.ts';
import { SNAPSHOT_STATUS } from '../snapshots/present.ts';

/** Snapshots on demand and yearly ones have no word in this form. */
const FREQUENCIES: readonly string[] = ['hourly', 'daily', 'weekly', 'monthly'];

export function presentServerlessSnapshot(snapshot: Snapshot, root: string): object {
  const frequency = frequencyOf(snapshot.policyItems ?? []);
  return {
    createdAt: snapshot.state === 'completed' ? isoSecondsOrUnset(snapshot.capturedAt) : undefined,
    expiresAt: isoSeconds(snapshot.expiresAt),
    frequencyType: frequency !== null && FREQUENCIES.includes(frequency) ? frequency : undefined,
    id: snapshot.id,
    links: [{ href: `${backupAt(snapshot, root)}/snapshots/${snapshot.id}`, rel: 'self' }],
    mongodVersion: snapshot.mongodbVersion ?? undefined,
    serverlessInstanceName: snapshot.clusterName,
    snapshotType: snapshot.type,
    status: SNAPSHOT_STATUS[snapshot.state],
    storageSizeBytes: snapshot.storageSizeBytes ?? 0,
  };
}

/** A target is always there in this form; that of a download is where it came from. */
export function presentServerlessRestoreJob(restore: ListedRestore, root: string): object {
  return {
    ...presentRestoreJob(restore, root),
    components: undefined,
    links: [
      { href: `${backupAt(restore, root)}/restoreJobs/${restore.id}`, rel: 'self' },
      { href: `${backupAt(restore, root)}/snapshots/${restore.snapshotId}`, rel: 'https://cloud.mongodb.com/snapshot' },
    ],
    privateDownloadDeliveryUrls: undefined,
    targetClusterName: restore.targetClusterName ?? restore.clusterName,
    targetDeploymentItemName: undefined,
    targetGroupId: restore.targetProjectId ?? restore.projectId,
  };
}

function backupAt(record: { readonly projectId: string; readonly clusterName: string }, root: string): string {
  return `${root}/groups/${record.projectId}/serverless/${encodeURIComponent(record.clusterName)}/backup`;
}
