// Body of a restore job. Read-only members of the resource are accepted and ignored: clients send back what they read.
import { z } from 'zod';

const hexId = z.string().regex(/^[0-9a-f]{24}$/);
/** The vendor's earliest time: 2008-01-01. */
const seconds = z.int().min(1_199_145_600).max(4_294_967_295);
const ignored = z.unknown().optional();

export const createRestoreJobBody = z.strictObject({
  deliveryType: z.enum(['automated', 'download', 'pointInTime']),
  snapshotId: hexId.optional(),
  targetClusterName: z.string().min(1).optional(),
  targetGroupId: hexId.optional(),
  oplogTs: seconds.optional(),
  oplogInc: z.int().min(1).optional(),
  pointInTimeUTCSeconds: seconds.optional(),
  cancelled: ignored,
  components: ignored,
  deliveryUrl: ignored,
  desiredTimestamp: ignored,
  expired: ignored,
  expiresAt: ignored,
  failed: ignored,
  finishedAt: ignored,
  id: ignored,
  links: ignored,
  privateDownloadDeliveryUrls: ignored,
  timestamp: ignored,
});
