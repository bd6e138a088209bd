// Clusters of all groups in Atlas's short form.
import type { Cluster, Project } from '../../../../domain/records.ts';

/** With whether something is taken of it by itself. */
type ShownCluster = Cluster & { readonly isBackedUp: boolean };

/** What was never measured (data size, availability) is left out. */
export function presentGroupOfClusters({ project, orgName, clusters }: { readonly project: Project; readonly orgName: string; readonly clusters: readonly ShownCluster[] }): object {
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

function presentShortly({ id, name, hosts, mongodbVersion, isBackedUp }: ShownCluster): object {
  return {
    alertCount: 0,
    backupEnabled: isBackedUp,
    clusterId: id,
    name,
    nodeCount: hosts.length,
    type: 'REPLICA_SET',
    versions: mongodbVersion === null ? [] : [mongodbVersion],
  };
}
