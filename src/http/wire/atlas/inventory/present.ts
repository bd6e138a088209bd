// Organizations, groups and clusters in Atlas's form. A cluster of ours has no cloud provider: fields that speak of one are left out.
import type { Cluster, Organization, Project } from '../../../../domain/records.ts';
import { isoSeconds } from '../../time-text.ts';

export function presentOrganization(organization: Organization, root: string): object {
  return {
    id: organization.id,
    isDeleted: false,
    links: [{ rel: 'self', href: `${root}/orgs/${organization.id}` }],
    name: organization.name,
    skipDefaultAlertsSettings: false,
  };
}

export function presentGroup(project: Project, clusterCount: number, root: string): object {
  return {
    clusterCount,
    created: isoSeconds(project.createdAt),
    id: project.id,
    links: [{ rel: 'self', href: `${root}/groups/${project.id}` }],
    name: project.name,
    orgId: project.orgId,
    tags: project.tags,
    withDefaultAlertsSettings: false,
  };
}

/** @param version of the clusters resource: its three dates have three forms; `isBackedUp`: something is taken of it by itself */
export function presentCluster({ cluster, isBackedUp }: { readonly cluster: Cluster; readonly isBackedUp: boolean }, version: string, root: string): object {
  const newer = { ...sharedFields(cluster, isBackedUp, root), ...topologyOf(cluster) };
  if (version === '2023-01-01') return { ...newer, ...legacyFields(cluster, isBackedUp) };
  return version === '2023-02-01' ? newer : { ...newer, redactClientLogData: false };
}

function sharedFields(cluster: Cluster, backupEnabled: boolean, root: string): object {
  const self = `${root}/groups/${cluster.projectId}/clusters/${encodeURIComponent(cluster.name)}`;
  return {
    backupEnabled,
    biConnector: { enabled: false, readPreference: 'SECONDARY' },
    connectionStrings: { standard: connectionString(cluster) },
    createDate: isoSeconds(cluster.createdAt),
    encryptionAtRestProvider: 'NONE',
    groupId: cluster.projectId,
    id: cluster.id,
    labels: cluster.labels,
    links: [
      { rel: 'self', href: self },
      { rel: 'https://cloud.mongodb.com/restoreJobs', href: `${self}/backup/restoreJobs` },
      { rel: 'https://cloud.mongodb.com/snapshots', href: `${self}/backup/snapshots` },
    ],
    name: cluster.name,
    paused: false,
    pitEnabled: cluster.continuousBackup,
    rootCertType: 'ISRGROOTX1',
    stateName: cluster.deletedAt === null ? 'IDLE' : 'DELETING',
    tags: cluster.tags,
    terminationProtectionEnabled: cluster.terminationProtection,
    versionReleaseSystem: 'LTS',
  };
}

/** `replicationSpecs` stays empty: the Terraform provider asks for cloud containers as soon as it is not. */
function topologyOf(cluster: Cluster): object {
  return {
    clusterType: 'REPLICASET',
    mongoDBMajorVersion: cluster.mongodbVersion?.split('.').slice(0, 2).join('.'),
    mongoDBVersion: cluster.mongodbVersion ?? undefined,
    replicationSpecs: [],
  };
}

function legacyFields(cluster: Cluster, providerBackupEnabled: boolean): object {
  return {
    autoScaling: { compute: { enabled: false, scaleDownEnabled: false }, diskGBEnabled: false },
    mongoURI: `mongodb://${cluster.hosts.join(',')}`,
    mongoURIWithOptions: connectionString(cluster),
    numShards: 1,
    providerBackupEnabled,
    replicationFactor: cluster.hosts.length,
  };
}

/** Hosts and replica set, never credentials. */
function connectionString(cluster: Cluster): string {
  const options = cluster.replicaSetName === null ? '' : `?replicaSet=${encodeURIComponent(cluster.replicaSetName)}`;
  return `mongodb://${cluster.hosts.join(',')}/${options}`;
}
