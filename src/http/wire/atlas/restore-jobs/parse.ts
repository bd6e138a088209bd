// Restore job requests from Atlas's words to ours.
import type { z } from 'zod';
import type { Instant } from '../../../../domain/instant.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { Restores } from '../../../../services/contracts.ts';
import { readBody } from '../../read-body.ts';
import { createRestoreJobBody } from './schemas.ts';

type Body = z.infer<typeof createRestoreJobBody>;
type Order = Omit<Parameters<Restores['create']>[0], 'cluster' | 'principal'>;

/** Time that a download address lives, counted from the moment it is ready. */
const DOWNLOAD_HOURS = 1;

/**
 * @param schema another form of the same body
 * @throws POINT_IN_TIME_FORM beside the faults of the body
 */
export function parseCreateRestoreJob(body: unknown, schema: z.ZodType<Body> = createRestoreJobBody): Order {
  const given = readBody(schema, body);
  if (given.deliveryType === 'pointInTime') return { instant: instantOf(given), delivery: 'automated', target: targetOf(given) };
  refuseInstant(given);
  const snapshotId = required(given, 'snapshotId');
  if (given.deliveryType === 'download') {
    return { snapshotId, delivery: 'download', download: { expirationHours: DOWNLOAD_HOURS, maxDownloads: null, readyAtOnce: false } };
  }
  return { snapshotId, delivery: 'automated', target: targetOf(given) };
}

/** A snapshot in the place of an instant that was named would be older data than was asked for. */
function refuseInstant(given: Body): void {
  const name = (['oplogTs', 'oplogInc', 'pointInTimeUTCSeconds'] as const).find((each) => given[each] !== undefined);
  if (name !== undefined) throw new LeafvaultError('ATTRIBUTE_INVALID', `Reading the body failed: ${name} is for pointInTime, not ${given.deliveryType}`, { details: { name } });
}

function targetOf(given: Body): NonNullable<Order['target']> {
  return { projectId: required(given, 'targetGroupId'), cluster: { name: required(given, 'targetClusterName') } };
}

function instantOf({ oplogTs, oplogInc, pointInTimeUTCSeconds: seconds }: Body): Instant {
  if (oplogTs !== undefined && oplogInc !== undefined && seconds === undefined) return { border: { t: oplogTs, i: oplogInc } };
  if (oplogTs === undefined && oplogInc === undefined && seconds !== undefined) return { time: new Date(seconds * 1000) };
  throw new LeafvaultError('POINT_IN_TIME_FORM', 'Reading the body failed: a point in time is oplogTs with oplogInc, or pointInTimeUTCSeconds');
}

function required(given: Body, name: 'snapshotId' | 'targetGroupId' | 'targetClusterName'): string {
  const value = given[name];
  if (value !== undefined) return value;
  throw new LeafvaultError('ATTRIBUTE_MISSING', `Reading the body failed: attribute ${name} is required for ${given.deliveryType}`, { details: { name } });
}
