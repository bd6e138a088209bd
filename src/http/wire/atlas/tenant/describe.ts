// The shared tier in the document of the API.
import { z } from 'zod';
import type { DescribedResource } from '../../describe.ts';
import { hexId, links, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';
import { tenantRestoreBody } from './schemas.ts';

/** What the flex form has, too. */
export const restoreMembers = {
  deliveryType: z.enum(['RESTORE', 'DOWNLOAD']),
  expirationDate: time.optional(),
  id: hexId,
  projectId: hexId,
  restoreFinishedDate: time.optional(),
  restoreScheduledDate: time,
  snapshotFinishedDate: time.optional(),
  snapshotId: hexId,
  snapshotUrl: z.string().optional(),
  status: z.enum(['PENDING', 'RUNNING', 'FAILED', 'COMPLETED']),
  targetDeploymentItemName: z.string(),
  targetProjectId: hexId,
};

const restore = { name: 'TenantRestore', schema: z.strictObject({ ...restoreMembers, clusterName: z.string(), links }) };
const snapshot = {
  name: 'TenantSnapshot',
  schema: z.strictObject({
    expiration: time, finishTime: time.optional(), id: hexId, links, mongoDBVersion: z.string().optional(), scheduledTime: time, startTime: time.optional(),
    status: z.enum(['QUEUED', 'RUNNING', 'FAILED', 'COMPLETED']),
  }),
};
const body = { name: 'CreateTenantRestore', schema: tenantRestoreBody };

export const TENANT_OPERATIONS: DescribedResource = {
  tag: 'Shared tier',
  operations: [
    [handlers.downloadTenantSnapshot, { summary: 'Gives the address of a snapshot\'s archive at once', body, answer: { kind: 'one', of: restore } }],
    [handlers.createTenantRestore, { summary: 'Restores a snapshot', body, answer: { kind: 'one', of: restore } }],
    [handlers.listTenantRestores, { summary: 'Lists restores and downloads, newest first: the first 500, others by page', answer: { kind: 'page', of: restore } }],
    [handlers.getTenantRestore, { summary: 'Reads a restore or download', answer: { kind: 'one', of: restore } }],
    [handlers.listTenantSnapshots, { summary: 'Lists snapshots, newest first: the first 500, others by page', answer: { kind: 'page', of: snapshot } }],
    [handlers.getTenantSnapshot, { summary: 'Reads a snapshot', answer: { kind: 'one', of: snapshot } }],
  ],
};
