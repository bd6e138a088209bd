// Export buckets and export jobs in Atlas's form, with the members that were recorded; without links, as recorded.
import type { ExportBucket, SnapshotExport } from '../../../../domain/exports.ts';
import { isoSeconds, isoSecondsOrUnset } from '../../time-text.ts';

const STATE: Readonly<Record<SnapshotExport['state'], string>> = { queued: 'Queued', running: 'InProgress', completed: 'Successful', failed: 'Failed', cancelled: 'Cancelled' };

export function presentBucket({ id, bucketName, iamRoleId, region }: ExportBucket): object {
  return { _id: id, bucketName, cloudProvider: 'AWS', iamRoleId, region: region ?? undefined, requirePrivateNetworking: false };
}

export function presentExport(job: SnapshotExport): object {
  return {
    createdAt: isoSeconds(job.createdAt),
    customData: job.labels,
    exportBucketId: job.bucketId,
    exportStatus: { exportedCollections: job.exportedCollections, totalCollections: job.totalCollections },
    finishedAt: isoSecondsOrUnset(job.finishedAt),
    id: job.id,
    prefix: job.prefix,
    snapshotId: job.snapshotId,
    state: STATE[job.state],
    stateReason: job.state === 'failed' ? { errorCode: job.errorCode ?? undefined, message: job.errorMessage ?? undefined } : undefined,
  };
}
