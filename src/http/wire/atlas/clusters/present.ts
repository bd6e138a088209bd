// Clusters of all groups in Atlas's short form.
import type { Project } from '../../../../domain/records.ts';
import type { BackupConfig } from '../../../../services/contracts.ts';

type ShownCluster = Pick<BackupConfig, 'cluster' | 'state' | 'connection'>;

/** What was never measured (data size, availability) is left out; login and TLS are those of our connection, left out where there is none. */
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

function presentShortly({ cluster: { id, name, hosts, mongodbVersion }, state, connection }: ShownCluster): object {
  return {
    alertCount: 0,
    ...(connection === null ? {} : { authEnabled: connection.mechanism !== null, sslEnabled: connection.tls }),
    backupEnabled: state === 'started',
    clusterId: id,
    name,
    nodeCount: hosts.length,
    type: 'REPLICA_SET',
    versions: mongodbVersion === null ? [] : [mongodbVersion],
  };
}
