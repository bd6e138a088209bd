// Shapes of restore jobs, snapshots and the schedule in the form of Ops Manager and of Atlas's legacy backup.
import { z } from 'zod';
import { bsonTime, count, hexId, links, time } from '../shapes.ts';

export const restoreJobMembers = {
  clusterId: hexId,
  clusterName: z.string(),
  created: time,
  delivery: z.strictObject({
    expirationHours: z.int().optional(),
    expires: time.optional(),
    maxDownloads: z.int().optional(),
    methodName: z.literal('HTTP'),
    statusName: z.enum(['NOT_STARTED', 'IN_PROGRESS', 'READY', 'FAILED', 'INTERRUPTED', 'EXPIRED', 'MAX_DOWNLOADS_EXCEEDED']),
    targetClusterId: hexId.optional(),
    targetGroupId: hexId.optional(),
    url: z.string().optional(),
    authBearer: z.literal('Bearer').optional(),
    authHeader: z.literal('Authorization').optional(),
    authValue: z.string().optional(),
    urlV2: z.string().optional(),
  }),
  encryptionEnabled: z.boolean(),
  groupId: hexId,
  hashes: z.array(z.strictObject({ fileName: z.string(), hash: z.string(), typeName: z.literal('SHA1') })),
  id: hexId,
  links,
  snapshotId: hexId,
  statusName: z.enum(['IN_PROGRESS', 'BROKEN', 'KILLED', 'FINISHED']),
  timestamp: bsonTime,
};

export const snapshotMembers = {
  clusterId: hexId,
  clusterName: z.string(),
  complete: z.boolean(),
  created: bsonTime,
  doNotDelete: z.boolean(),
  expires: time,
  groupId: hexId,
  id: hexId,
  lastOplogAppliedTimestamp: bsonTime.optional(),
  links,
  parts: z.array(z.strictObject({
    clusterId: hexId, compressionSetting: z.literal('GZIP'), dataSizeBytes: count, encryptionEnabled: z.boolean(), fileSizeBytes: count, mongodVersion: z.string().optional(),
    replicaSetName: z.string().optional(), storageSizeBytes: count, typeName: z.literal('REPLICA_SET'),
  })),
};

export const scheduleMembers = {
  clusterId: hexId,
  dailySnapshotRetentionDays: count,
  groupId: hexId,
  links,
  monthlySnapshotRetentionMonths: count,
  pointInTimeWindowHours: count,
  snapshotIntervalHours: count,
  snapshotRetentionDays: count,
  weeklySnapshotRetentionWeeks: count,
};
