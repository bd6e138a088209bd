// Restore jobs in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { hexId, links, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';
import { createRestoreJobBody } from './schemas.ts';

/** What the serverless form has, too. */
export const sharedMembers = {
  cancelled: z.boolean(),
  deliveryType: z.enum(['automated', 'download', 'pointInTime']),
  deliveryUrl: z.array(z.string()),
  desiredTimestamp: z.strictObject({ date: time.nullable(), increment: z.int().nullable(), time: z.int().nullable() }),
  expired: z.boolean(),
  expiresAt: time.optional(),
  failed: z.boolean(),
  finishedAt: time.optional(),
  id: hexId,
  links,
  oplogInc: z.int().optional(),
  oplogTs: z.int().optional(),
  pointInTimeUTCSeconds: z.int().optional(),
  snapshotId: hexId,
  timestamp: time,
};

const restoreJob = {
  name: 'RestoreJob',
  schema: z.strictObject({
    ...sharedMembers,
    components: z.array(z.strictObject({ downloadUrl: z.string(), privateDownloadDeliveryUrls: z.array(z.unknown()), replicaSetName: z.string() })),
    privateDownloadDeliveryUrls: z.array(z.unknown()),
    targetClusterName: z.string().optional(),
    targetDeploymentItemName: z.string().optional(),
    targetGroupId: hexId.optional(),
  }),
};

export const RESTORE_JOBS: DescribedResource = {
  tag: 'Restore jobs',
  operations: [
    [handlers.createRestoreJob, { summary: 'Restores a snapshot or a point in time, or prepares a download', body: { name: 'CreateRestoreJob', schema: createRestoreJobBody }, answer: { kind: 'one', of: restoreJob } }],
    [handlers.listRestoreJobs, { summary: 'Lists restore jobs of the source, newest first', answer: { kind: 'page', of: restoreJob } }],
    [handlers.getRestoreJob, { summary: 'Reads a restore job', answer: { kind: 'one', of: restoreJob } }],
    [handlers.cancelRestoreJob, { summary: 'Cancels a restore job, or ends the address of a download', answer: { kind: 'none' } }],
  ],
};
