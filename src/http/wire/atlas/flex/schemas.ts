// Bodies of the flex operations. Read-only members are accepted and ignored; the Atlas CLI sends the source's name, too.
import { z } from 'zod';

const hexId = z.string().regex(/^[0-9a-f]{24}$/);
const ignored = z.unknown().optional();

export const flexRestoreBody = z.strictObject({
  snapshotId: hexId,
  targetDeploymentItemName: z.string().min(1),
  targetProjectId: hexId.optional(),
  deliveryType: ignored,
  expirationDate: ignored,
  id: ignored,
  instanceName: ignored,
  links: ignored,
  projectId: ignored,
  restoreFinishedDate: ignored,
  restoreScheduledDate: ignored,
  snapshotFinishedDate: ignored,
  snapshotUrl: ignored,
  status: ignored,
});

export const flexDownloadBody = z.strictObject({ snapshotId: hexId, links: ignored });
