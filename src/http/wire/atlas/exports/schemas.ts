// Bodies of export buckets and export jobs. Read-only members are accepted and ignored: clients send back what they read.
import { z } from 'zod';

const hexId = z.string().regex(/^[0-9a-f]{24}$/);
const ignored = z.unknown().optional();

export const createBucketBody = z.strictObject({
  bucketName: z.string().min(1).max(1024),
  // Absent in the oldest form, which knows AWS alone.
  cloudProvider: z.enum(['AWS', 'AZURE', 'GCP']).default('AWS'),
  iamRoleId: z.string().min(1).max(64).optional(),
  requirePrivateNetworking: z.boolean().optional(),
  // Of the other two, which are refused as a whole.
  roleId: ignored,
  serviceUrl: ignored,
  tenantId: ignored,
  _id: ignored,
  links: ignored,
  region: ignored,
});

export const updateBucketBody = z.strictObject({ requirePrivateNetworking: z.boolean() });

export const createExportBody = z.strictObject({
  snapshotId: hexId,
  exportBucketId: hexId,
  customData: z.array(z.strictObject({ key: z.string().max(1024).optional(), value: z.string().max(1024).optional() })).max(100).optional(),
  links: ignored,
});
