// Flex requests from Atlas's words to ours: those of the shared tier under other names.
import type { Cluster } from '../../../../domain/records.ts';
import type { Restores } from '../../../../services/contracts.ts';
import { readBody } from '../../read-body.ts';
import { SNAPSHOT_URL_HOURS } from '../tenant/parse.ts';
import { flexDownloadBody, flexRestoreBody } from './schemas.ts';

type Order = Omit<Parameters<Restores['create']>[0], 'cluster' | 'principal'>;

/** Without `targetProjectId` the target lies in the project of the source. */
export function parseFlexRestore(body: unknown, cluster: Cluster): Order {
  const given = readBody(flexRestoreBody, body);
  return { snapshotId: given.snapshotId, delivery: 'automated', target: { projectId: given.targetProjectId ?? cluster.projectId, cluster: { name: given.targetDeploymentItemName } } };
}

export function parseFlexDownload(body: unknown): Order {
  const { snapshotId } = readBody(flexDownloadBody, body);
  return { snapshotId, delivery: 'download', download: { expirationHours: SNAPSHOT_URL_HOURS, maxDownloads: null, readyAtOnce: true } };
}
