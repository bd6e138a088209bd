// A restore job in Atlas's form. It has no status: clients read the three flags and whether `finishedAt` is there,
// so that one stays away until the job has succeeded.
import { showInstant } from '../../../../domain/instant.ts';
import type { ListedRestore } from '../../../../domain/records.ts';
import { isoSeconds, isoSecondsOrUnset } from '../../time-text.ts';

/** Nothing was asked for but the snapshot itself: recorded with these three nulls. */
const NO_DESIRED_TIMESTAMP = { date: null, increment: null, time: null };

/** In the order of the alphabet, so that the text of a page is made by the engine. */
export function presentRestoreJob(restore: ListedRestore, root: string): object {
  const url = restore.download?.url ?? null;
  const { position, second } = instantOf(restore);
  const target = restore.delivery === 'automated' ? restore : null;
  return {
    cancelled: restore.state === 'cancelled' || restore.download?.state === 'cancelled',
    components: url === null ? [] : [{ downloadUrl: url, privateDownloadDeliveryUrls: [], replicaSetName: restore.clusterName }],
    deliveryType: restore.instant === null ? restore.delivery : 'pointInTime',
    deliveryUrl: url === null ? [] : [url],
    desiredTimestamp: desiredTimestampOf(restore),
    expired: restore.download?.state === 'expired' || restore.download?.state === 'exhausted',
    expiresAt: isoSecondsOrUnset(restore.download?.expiresAt ?? null),
    failed: restore.state === 'failed' || restore.download?.state === 'failed',
    finishedAt: restore.delivery === 'automated' && restore.state === 'completed' ? isoSecondsOrUnset(restore.finishedAt) : undefined,
    id: restore.id,
    links: linksOf(restore, root),
    oplogInc: position?.i,
    oplogTs: position?.t,
    pointInTimeUTCSeconds: second,
    privateDownloadDeliveryUrls: [],
    snapshotId: restore.snapshotId,
    targetClusterName: target?.targetClusterName ?? undefined,
    targetDeploymentItemName: target?.targetClusterName ?? undefined,
    targetGroupId: target?.targetProjectId ?? undefined,
    timestamp: isoSeconds(restore.snapshotCapturedAt ?? restore.createdAt),
  };
}

/** The instant that the restored data stands for. The vendor shows it for points in time alone; it is as true for a snapshot. */
function instantOf({ instant, snapshotPointInTime }: ListedRestore): { readonly position?: { readonly t: number; readonly i: number } | null; readonly second?: number | undefined } {
  if (instant !== null && 'time' in instant.asked) return { second: showInstant(instant.asked).t };
  const position = instant?.border ?? snapshotPointInTime;
  return { position, second: position?.t };
}

function desiredTimestampOf({ instant }: ListedRestore): object {
  if (instant === null) return NO_DESIRED_TIMESTAMP;
  const { t, i } = showInstant(instant.asked);
  return { date: isoSeconds(new Date(t * 1000)), increment: i, time: t };
}

/** Of the source, as recorded. */
function linksOf(restore: ListedRestore, root: string): readonly object[] {
  const group = `${root}/groups/${restore.projectId}`;
  const cluster = `${group}/clusters/${encodeURIComponent(restore.clusterName)}`;
  return [
    { href: `${cluster}/backup/restoreJobs/${restore.id}`, rel: 'self' },
    { href: `${cluster}/backup/snapshots/${restore.snapshotId}`, rel: 'https://cloud.mongodb.com/snapshot' },
    { href: cluster, rel: 'https://cloud.mongodb.com/cluster' },
    { href: group, rel: 'https://cloud.mongodb.com/group' },
  ];
}
