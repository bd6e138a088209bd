// Bodies of the operations that Ops Manager and Atlas's legacy backup share. What the vendor's own example sends and a server computes is accepted and ignored.
import { z } from 'zod';

const ignored = z.unknown().optional();
/** ISO 8601 with a zone; whole seconds or finer. */
export const isoTime = z.iso.datetime({ offset: true });
/** mongocli sends epoch seconds as a string; numbers are as good, and the docs speak of an ISO date. */
const oplogTs = z.union([z.string().min(1), z.number()]);

export const delivery = z.strictObject({
  methodName: z.enum(['HTTP', 'AUTOMATED_RESTORE', 'SCP', 'QUERY', 'CLIENT_PIT_HTTP', 'CLIENT_PIT_SCP', 'THIRD_PARTY_COPY']),
  expires: isoTime.optional(),
  expirationHours: z.int().min(1).max(8760).optional(),
  maxDownloads: z.int().min(1).max(1_000_000).optional(),
  targetGroupId: z.string().min(1).optional(),
  targetClusterId: z.string().min(1).optional(),
  targetClusterName: z.string().min(1).optional(),
  authBearer: ignored,
  authHeader: ignored,
  authValue: ignored,
  statusName: ignored,
  url: ignored,
  urlV2: ignored,
});

export const createRestoreJobBody = z.strictObject({
  delivery,
  snapshotId: z.string().min(1).optional(),
  checkpointId: z.string().min(1).optional(),
  /** The spelling of the vendor's Go client. */
  checkPointId: z.string().min(1).optional(),
  oplogTs: oplogTs.optional(),
  oplogInc: z.int().min(0).optional(),
  pointInTimeUTCMillis: z.number().positive().optional(),
  batchId: ignored,
  clusterId: ignored,
  clusterName: ignored,
  created: ignored,
  deploymentJobId: ignored,
  encryptionEnabled: ignored,
  groupId: ignored,
  hashes: ignored,
  id: ignored,
  links: ignored,
  masterKeyUUID: ignored,
  pointInTime: ignored,
  statusName: ignored,
  timestamp: ignored,
});

export const updateSnapshotBody = z.strictObject({
  doNotDelete: z.boolean().optional(),
  expires: isoTime.optional(),
  clusterId: ignored,
  clusterName: ignored,
  complete: ignored,
  created: ignored,
  groupId: ignored,
  id: ignored,
  incremental: ignored,
  isPossiblyInconsistent: ignored,
  lastOplogAppliedTimestamp: ignored,
  links: ignored,
  missingShards: ignored,
  namespaceFilterList: ignored,
  parts: ignored,
});

const wholeNumber = z.int().min(0).max(100_000);

/** Everything may be left out: what is absent stays. */
export const changeScheduleBody = z.strictObject({
  snapshotIntervalHours: wholeNumber.optional(),
  snapshotRetentionDays: wholeNumber.optional(),
  dailySnapshotRetentionDays: wholeNumber.optional(),
  weeklySnapshotRetentionWeeks: wholeNumber.optional(),
  monthlySnapshotRetentionMonths: wholeNumber.optional(),
  /** Far beyond the longest window, which the schedule knows. */
  pointInTimeWindowHours: z.int().min(0).max(10_000_000).optional(),
  clusterCheckpointIntervalMin: z.int().refine((minutes) => [15, 30, 60].includes(minutes), 'is none of 15, 30, 60').optional(),
  referenceHourOfDay: z.int().min(0).max(23).optional(),
  referenceMinuteOfHour: z.int().min(0).max(59).optional(),
  /** Everything here is in UTC. */
  referenceTimeZoneOffset: z.enum(['+0000']).optional(),
  clusterId: z.string().optional(),
  groupId: z.string().optional(),
  links: ignored,
});
