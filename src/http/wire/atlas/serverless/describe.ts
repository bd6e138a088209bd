// The serverless view in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { count, hexId, links, time } from '../../shapes.ts';
import { sharedMembers } from '../restore-jobs/describe.ts';
import * as handlers from './handlers.ts';
import { createServerlessRestoreJobBody } from './schemas.ts';

const snapshot = {
  name: 'ServerlessSnapshot',
  schema: z.strictObject({
    createdAt: time.optional(), expiresAt: time, frequencyType: z.enum(['hourly', 'daily', 'weekly', 'monthly']).optional(), id: hexId, links, mongodVersion: z.string().optional(),
    serverlessInstanceName: z.string(), snapshotType: z.enum(['onDemand', 'scheduled']), status: z.enum(['queued', 'inProgress', 'completed', 'failed']), storageSizeBytes: count,
  }),
};
const restoreJob = { name: 'ServerlessRestoreJob', schema: z.strictObject({ ...sharedMembers, targetClusterName: z.string(), targetGroupId: hexId }) };

export const SERVERLESS_OPERATIONS: DescribedResource = {
  tag: 'Serverless',
  operations: [
    [handlers.listInstances, { summary: 'Lists serverless instances: there are none', answer: { kind: 'page', of: { name: 'ServerlessInstance', schema: z.strictObject({}) } } }],
    [handlers.refuseInstance, { summary: 'Refuses: no cluster is a serverless instance', answer: { kind: 'refusal' } }],
    [handlers.listServerlessSnapshots, { summary: 'Lists snapshots, newest first', answer: { kind: 'page', of: snapshot } }],
    [handlers.getServerlessSnapshot, { summary: 'Reads a snapshot', answer: { kind: 'one', of: snapshot } }],
    [handlers.createServerlessRestoreJob, { summary: 'Restores a snapshot or a point in time, or prepares a download', body: { name: 'CreateServerlessRestoreJob', schema: createServerlessRestoreJobBody }, answer: { kind: 'one', of: restoreJob } }],
    [handlers.listServerlessRestoreJobs, { summary: 'Lists restore jobs, newest first', answer: { kind: 'page', of: restoreJob } }],
    [handlers.getServerlessRestoreJob, { summary: 'Reads a restore job', answer: { kind: 'one', of: restoreJob } }],
  ],
};
