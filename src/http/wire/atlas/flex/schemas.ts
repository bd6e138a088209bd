// Bodies of the flex operations: those of the shared tier, but that the Atlas CLI sends the source's name as `instanceName`.
import { z } from 'zod';
import { tenantRestoreBody } from '../tenant/schemas.ts';

export const flexRestoreBody = tenantRestoreBody.omit({ clusterName: true }).extend({ instanceName: z.unknown().optional() });

export const flexDownloadBody = tenantRestoreBody.pick({ snapshotId: true, links: true });
