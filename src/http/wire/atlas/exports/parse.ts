// Export buckets and jobs from Atlas's words to ours.
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { Exports } from '../../../../services/contracts.ts';
import { readBody } from '../../read-body.ts';
import { createBucketBody, createExportBody, updateBucketBody } from './schemas.ts';

/** @throws EXPORT_FEATURE for a provider whose storage is not spoken to, and for private networking */
export function parseCreateBucket(body: unknown): { readonly bucketName: string; readonly iamRoleId: string } {
  const { bucketName, cloudProvider, iamRoleId, requirePrivateNetworking } = readBody(createBucketBody, body);
  if (cloudProvider !== 'AWS') throw unserved(`storage of ${cloudProvider} is not written to: S3 and what speaks its protocol is, and folders`);
  refusePrivateNetworking(requirePrivateNetworking);
  if (iamRoleId === undefined) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: attribute iamRoleId is required', { details: { name: 'iamRoleId' } });
  return { bucketName, iamRoleId };
}

/** @throws EXPORT_FEATURE */
export function parseUpdateBucket(body: unknown): void {
  refusePrivateNetworking(readBody(updateBucketBody, body).requirePrivateNetworking);
}

export function parseCreateExport(body: unknown): Pick<Parameters<Exports['create']>[0], 'snapshotId' | 'bucketId' | 'labels'> {
  const { snapshotId, exportBucketId, customData = [] } = readBody(createExportBody, body);
  return { snapshotId, bucketId: exportBucketId, labels: customData };
}

function refusePrivateNetworking(asked: boolean | undefined): void {
  if (asked === true) throw unserved('there is no private networking that could be required');
}

function unserved(reason: string): LeafvaultError {
  return new LeafvaultError('EXPORT_FEATURE', `Changing an export bucket was refused: ${reason}`, { details: { reason } });
}
