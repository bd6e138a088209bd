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
