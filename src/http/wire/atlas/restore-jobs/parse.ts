// Restore job requests from Atlas's words to ours.
import type { z } from 'zod';
import type { Cluster } from '../../../../domain/records.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { Restores } from '../../../../services/contracts.ts';
import { readBody } from '../../read-body.ts';
import { createRestoreJobBody } from './schemas.ts';

type Body = z.infer<typeof createRestoreJobBody>;
type Order = Omit<Parameters<Restores['create']>[0], 'cluster' | 'principal'>;

/** Time that a download address lives, counted from the moment it is ready. */
const DOWNLOAD_HOURS = 1;

/** @throws POINT_IN_TIME_FORM, POINT_IN_TIME_UNAVAILABLE beside the faults of the body */
export function parseCreateRestoreJob(body: unknown, cluster: Cluster): Order {
  const given = readBody(createRestoreJobBody, body);
  if (given.deliveryType === 'pointInTime') throw refusePointInTime(given, cluster);
  const snapshotId = required(given, 'snapshotId');
  if (given.deliveryType === 'download') {
    return { snapshotId, delivery: 'download', download: { expirationHours: DOWNLOAD_HOURS, maxDownloads: null, readyAtOnce: false } };
  }
  const target = { projectId: required(given, 'targetGroupId'), cluster: { name: required(given, 'targetClusterName') } };
  return { snapshotId, delivery: 'automated', target };
}

function refusePointInTime(given: Body, cluster: Cluster): LeafvaultError {
  required(given, 'targetClusterName');
  required(given, 'targetGroupId');
  const byOplog = given.oplogTs !== undefined && given.oplogInc !== undefined;
  const half = (given.oplogTs === undefined) !== (given.oplogInc === undefined);
  if (half || byOplog === (given.pointInTimeUTCSeconds !== undefined)) {
    return new LeafvaultError('POINT_IN_TIME_FORM', 'Reading the body failed: a point in time is oplogTs with oplogInc, or pointInTimeUTCSeconds');
  }
  return new LeafvaultError('POINT_IN_TIME_UNAVAILABLE', `Restoring cluster ${cluster.name} to a point in time failed: it has no continuous backup`, {
    details: { clusterName: cluster.name },
  });
}

function required(given: Body, name: 'snapshotId' | 'targetGroupId' | 'targetClusterName'): string {
  const value = given[name];
  if (value !== undefined) return value;
  throw new LeafvaultError('ATTRIBUTE_MISSING', `Reading the body failed: attribute ${name} is required for ${given.deliveryType}`, { details: { name } });
}
