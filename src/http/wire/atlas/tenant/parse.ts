// Shared-tier requests from Atlas's words to ours.
import type { Cluster } from '../../../../domain/records.ts';
import type { Restores } from '../../../../services/contracts.ts';
import { readBody } from '../../read-body.ts';
import { tenantDownloadBody, tenantRestoreBody } from './schemas.ts';

type Order = Omit<Parameters<Restores['create']>[0], 'cluster' | 'principal'>;

/** Time that a `snapshotUrl` lives. */
export const SNAPSHOT_URL_HOURS = 4;

/** Without `targetProjectId` the target lies in the project of the source. */
export function parseTenantRestore(body: unknown, cluster: Cluster): Order {
  const given = readBody(tenantRestoreBody, body);
  return {
    snapshotId: given.snapshotId,
    delivery: 'automated',
    target: { projectId: given.targetProjectId ?? cluster.projectId, cluster: { name: given.targetDeploymentItemName } },
  };
}

/** The target of a download is named and told again, never written to. */
export function parseTenantDownload(body: unknown, cluster: Cluster): Order {
  const { snapshotId, targetDeploymentItemName, targetProjectId = cluster.projectId } = readBody(tenantDownloadBody, body);
  return { snapshotId, delivery: 'download', download: { expirationHours: SNAPSHOT_URL_HOURS, maxDownloads: null, readyAtOnce: true }, jobForm: { targetDeploymentItemName, targetProjectId } };
}
