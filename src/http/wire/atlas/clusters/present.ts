// Clusters of all groups in Atlas's short form.
import type { Cluster, Project } from '../../../../domain/records.ts';

/** What was never measured (data size, availability) is left out. */
export function presentGroupOfClusters({ project, orgName, clusters }: { readonly project: Project; readonly orgName: string; readonly clusters: readonly Cluster[] }): object {
  return {
    clusters: clusters.map(presentShortly),
    groupId: project.id,
    groupName: project.name,
    orgId: project.orgId,
    orgName,
    planType: 'Leafvault',
    tags: [],
  };
}

function presentShortly({ id, name, hosts, mongodbVersion, backupState }: Cluster): object {
  return {
    alertCount: 0,
    backupEnabled: backupState === 'started',
    clusterId: id,
    name,
    nodeCount: hosts.length,
    type: 'REPLICA_SET',
    versions: mongodbVersion === null ? [] : [mongodbVersion],
  };
}
