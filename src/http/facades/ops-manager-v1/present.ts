// Clusters, projects and backup configurations in Ops Manager's form.
import type { Cluster, Project, Snapshot } from '../../../domain/records.ts';
import type { BackupConfig } from '../../../services/contracts.ts';
import type { MmsPlace } from '../../wire/mms-backup/present.ts';
import { isoSeconds } from '../../wire/time-text.ts';

/** What links of restore jobs and snapshots are made of: clusters by their id. */
export function placeAt(root: string): MmsPlace {
  return { root, rels: 'http://mms.mongodb.com', bearer: true, clusterSegment: ({ clusterId }) => clusterId };
}

export function presentCluster(cluster: Cluster, root: string): object {
  const group = `${root}/groups/${cluster.projectId}`;
  return {
    clusterName: cluster.name,
    groupId: cluster.projectId,
    id: cluster.id,
    lastHeartbeat: isoSeconds(cluster.lastSuccessAt ?? cluster.createdAt),
    links: [
      { rel: 'self', href: `${group}/clusters/${cluster.id}` },
      { rel: 'http://mms.mongodb.com/group', href: group },
      { rel: 'http://mms.mongodb.com/snapshots', href: `${group}/clusters/${cluster.id}/snapshots` },
    ],
    replicaSetName: cluster.replicaSetName ?? undefined,
    typeName: 'REPLICA_SET',
  };
}

/** Leafvault has no agents, so no agent key either: the counts are those of the clusters it knows. */
export function presentGroup(project: Project, clusters: readonly Cluster[], root: string): object {
  const hosts = clusters.reduce((sum, { hosts: each }) => sum + each.length, 0);
  return {
    activeAgentCount: 0,
    hostCounts: { arbiter: 0, config: 0, master: 0, mongos: 0, primary: clusters.length, secondary: Math.max(0, hosts - clusters.length), slave: 0 },
    id: project.id,
    links: [{ rel: 'self', href: `${root}/groups/${project.id}` }],
    name: project.name,
    orgId: project.orgId,
    publicApiEnabled: true,
    replicaSetCount: clusters.length,
    shardCount: 0,
    tags: [],
  };
}

const STATUS: Readonly<Record<BackupConfig['state'], string>> = { started: 'STARTED', stopped: 'STOPPED', terminating: 'TERMINATING', inactive: 'INACTIVE' };

/** Only the list of the filter that is set. */
export function presentBackupConfig(config: BackupConfig, root: string): object {
  const { cluster, state, filter, connection } = config;
  const group = `${root}/groups/${cluster.projectId}`;
  const names = filter === null ? [] : [...filter.databases, ...filter.collections];
  return {
    authMechanismName: authMechanismOf(config),
    clusterId: cluster.id,
    encryptionEnabled: false,
    ...(filter?.kind === 'included' ? { includedNamespaces: names } : { excludedNamespaces: names }),
    groupId: cluster.projectId,
    links: [
      { rel: 'self', href: `${group}/backupConfigs/${cluster.id}` },
      { rel: 'http://mms.mongodb.com/cluster', href: `${group}/clusters/${cluster.id}` },
      { rel: 'http://mms.mongodb.com/group', href: group },
      { rel: 'http://mms.mongodb.com/snapshotSchedule', href: `${group}/backupConfigs/${cluster.id}/snapshotSchedule` },
    ],
    provisioned: state === 'started' || state === 'stopped',
    sslEnabled: connection?.tls ?? false,
    statusName: STATUS[state],
    storageEngineName: 'WIRED_TIGER',
  };
}

/** The vendor's word for all that proves a password by a challenge. */
export function authMechanismOf({ connection }: Pick<BackupConfig, 'connection'>): string {
  const mechanism = connection?.mechanism ?? 'NONE';
  return mechanism.startsWith('SCRAM') || mechanism === 'DEFAULT' || mechanism === 'MONGODB-CR' ? 'MONGODB_CR' : mechanism.replace('MONGODB-', 'MONGODB_');
}

/** Its instant is not known before it was taken, so the time is that of the request. `id` is ours: the vendor tells none. */
export function presentSnapshotOnDemand({ id, clusterName, description, requestedAt }: Snapshot): object {
  return { clusterName, description: description ?? '', id, timestamp: { date: isoSeconds(requestedAt), increment: 0, time: Math.floor(requestedAt.getTime() / 1000) } };
}

/** What the snapshot left out, or what alone it holds. */
export function presentFilterList({ selection }: Pick<Snapshot, 'selection'>): object {
  const [blacklist, whitelist] = [selection?.excluded, selection].map((list) => (list == null ? [] : [...list.databases, ...list.collections]));
  return whitelist === undefined || whitelist.length === 0 ? { filterList: blacklist, filterType: 'blacklist' } : { filterList: whitelist, filterType: 'whitelist' };
}
