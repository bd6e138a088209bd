// Body of a restore or download of a shared-tier cluster. Read-only members are accepted and ignored.
import { z } from 'zod';

const hexId = z.string().regex(/^[0-9a-f]{24}$/);
const ignored = z.unknown().optional();

export const tenantRestoreBody = z.strictObject({
  snapshotId: hexId,
  targetDeploymentItemName: z.string().min(1),
  targetProjectId: hexId.optional(),
  clusterName: ignored,
  deliveryType: ignored,
  expirationDate: ignored,
  id: ignored,
  links: ignored,
  projectId: ignored,
  restoreFinishedDate: ignored,
  restoreScheduledDate: ignored,
  snapshotFinishedDate: ignored,
  snapshotUrl: ignored,
  status: ignored,
});

/** Its target is told again and never looked for: the vendor's pattern is all that a name has to fit. */
export const tenantDownloadBody = tenantRestoreBody.extend({ targetDeploymentItemName: z.string().regex(/^[\p{L}\p{N}\-_.(),:&@+']{1,64}$/u) });
