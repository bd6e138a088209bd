// Restores and snapshots in the form of the shared tier.
import type { ListedRestore, Restore, Snapshot } from '../../../../domain/records.ts';
import { isoSeconds, isoSecondsOrUnset } from '../../time-text.ts';

/** Recorded: a restore is shown to expire six hours after it was scheduled. */
const RESTORE_EXPIRY_MS = 6 * 3_600_000;

const STATUS: Readonly<Record<Restore['state'], string>> = {
  queued: 'PENDING',
  running: 'RUNNING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'FAILED',
};

/** The target of a download is what its request named; one that named none tells the cluster that it came from. */
export function presentTenantRestore(restore: ListedRestore, root: string): object {
  const { targetDeploymentItemName, targetProjectId } = restore.jobForm ?? {};
  return {
    clusterName: restore.clusterName,
    deliveryType: restore.delivery === 'download' ? 'DOWNLOAD' : 'RESTORE',
    expirationDate: isoSecondsOrUnset(expiryOf(restore)),
    id: restore.id,
    links: [{ href: `${clusterAt(restore, root)}/backup/tenant/restores/${restore.id}`, rel: 'self' }],
    projectId: restore.projectId,
    restoreFinishedDate: isoSecondsOrUnset(restore.finishedAt ?? (restore.download?.state === 'ready' ? restore.createdAt : null)),
    restoreScheduledDate: isoSeconds(restore.createdAt),
    snapshotFinishedDate: isoSecondsOrUnset(restore.snapshotFinishedAt),
    snapshotId: restore.snapshotId,
    snapshotUrl: restore.download?.url ?? undefined,
    status: statusOf(restore),
    targetDeploymentItemName: restore.targetClusterName ?? targetDeploymentItemName ?? restore.clusterName,
    targetProjectId: restore.targetProjectId ?? targetProjectId ?? restore.projectId,
  };
}

export function presentTenantSnapshot(snapshot: Snapshot, root: string): object {
  return {
    expiration: isoSeconds(snapshot.expiresAt),
    finishTime: isoSecondsOrUnset(snapshot.finishedAt),
    id: snapshot.id,
    links: [{ href: `${clusterAt(snapshot, root)}/backup/tenant/snapshots/${snapshot.id}`, rel: 'self' }],
    mongoDBVersion: snapshot.mongodbVersion ?? undefined,
    scheduledTime: isoSeconds(snapshot.requestedAt),
    startTime: isoSecondsOrUnset(snapshot.startedAt),
    status: SNAPSHOT_STATUS[snapshot.state],
  };
}

const SNAPSHOT_STATUS: Readonly<Record<Snapshot['state'], string>> = {
  queued: 'QUEUED',
  inProgress: 'RUNNING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'FAILED',
};

/** A download whose time is over was still completed: its URL is gone, not its success. */
function statusOf(restore: ListedRestore): string {
  if (restore.download?.state === 'failed' || restore.download?.state === 'cancelled') return 'FAILED';
  return restore.download?.state === 'ready' ? 'COMPLETED' : STATUS[restore.state];
}

function expiryOf(restore: ListedRestore): Date | null {
  return restore.delivery === 'download' ? (restore.download?.expiresAt ?? null) : new Date(restore.createdAt.getTime() + RESTORE_EXPIRY_MS);
}

function clusterAt(record: { readonly projectId: string; readonly clusterName: string }, root: string): string {
  return `${root}/groups/${record.projectId}/clusters/${encodeURIComponent(record.clusterName)}`;
}
