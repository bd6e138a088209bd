// Export buckets and export jobs in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { count, hexId, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';
import { createBucketBody, createExportBody, updateBucketBody } from './schemas.ts';

const bucket = {
  name: 'ExportBucket',
  schema: z.strictObject({ _id: hexId, bucketName: z.string(), cloudProvider: z.literal('AWS'), iamRoleId: z.string(), region: z.string().optional(), requirePrivateNetworking: z.boolean() }),
};
const job = {
  name: 'ExportJob',
  schema: z.strictObject({
    createdAt: time, customData: z.array(z.strictObject({ key: z.string().optional(), value: z.string().optional() })), exportBucketId: hexId,
    exportStatus: z.strictObject({ exportedCollections: count, totalCollections: count }), finishedAt: time.optional(), id: hexId, prefix: z.string(), snapshotId: hexId,
    state: z.enum(['Queued', 'InProgress', 'Successful', 'Failed', 'Cancelled']), stateReason: z.strictObject({ errorCode: z.string().optional(), message: z.string().optional() }).optional(),
  }),
};

export const EXPORT_OPERATIONS: DescribedResource = {
  tag: 'Exports',
  operations: [
    [handlers.createBucket, { summary: 'Makes an export bucket, once it was written to', body: { name: 'CreateExportBucket', schema: createBucketBody }, answer: { kind: 'one', of: bucket } }],
    [handlers.listBuckets, { summary: 'Lists export buckets', answer: { kind: 'page', of: bucket } }],
    [handlers.getBucket, { summary: 'Reads an export bucket', answer: { kind: 'one', of: bucket } }],
    [handlers.updateBucket, { summary: 'Refuses private networking, which is not there, and changes nothing', body: { name: 'UpdateExportBucket', schema: updateBucketBody }, answer: { kind: 'one', of: bucket } }],
    [handlers.deleteBucket, { summary: 'Deletes an export bucket; what was written to it stays', answer: { kind: 'none' } }],
    [handlers.createExport, { summary: 'Exports a snapshot to a bucket', body: { name: 'CreateExport', schema: createExportBody }, answer: { kind: 'one', of: job } }],
    [handlers.listExports, { summary: 'Lists export jobs, newest first', answer: { kind: 'page', of: job } }],
    [handlers.getExport, { summary: 'Reads an export job', answer: { kind: 'one', of: job } }],
  ],
};
