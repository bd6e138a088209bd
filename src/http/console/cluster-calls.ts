// Clusters in our own API: whether each is backed up, and what of it (docs/design/backup-states.md).
import type { Cluster } from '../../domain/records.ts';
import type { Answer } from '../wire/answer.ts';
import type { ProjectCall } from '../wire/mms-routes.ts';
import { clusterOf } from './cluster-of.ts';

/** By name. */
export async function listClusters(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.inventory.clusters(call.project.id, page);
  return { kind: 'list', page, totalCount, results: await Promise.all(items.map((each) => showCluster(call, each))) };
}

export async function getCluster(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: await showCluster(call, await clusterOf(call)) };
}

async function showCluster({ services }: ProjectCall, cluster: Cluster): Promise<object> {
  const [state, continuous] = await Promise.all([services.backupConfigs.stateOf(cluster), services.continuous.status(cluster)]);
  const { id, projectId, name, hosts, replicaSetName, mongodbVersion, createdAt, namespaceFilter, continuousBackup, lastSuccessAt, lastProvenAt } = cluster;
  return {
    id, groupId: projectId, name, hosts, replicaSetName, mongodbVersion, createdAt,
    backups: { state, filter: namespaceFilter },
    // On, and off all the same, while backups are stopped or have a filter.
    continuous: { isOn: continuousBackup, state: continuous.state },
    lastSuccessAt, lastProvenAt,
  };
}
