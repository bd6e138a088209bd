// Clusters and projects in Ops Manager's form.
import type { Cluster, Project } from '../../../domain/records.ts';
import type { MmsPlace } from '../../wire/mms-backup/present.ts';
import { isoSeconds } from '../../wire/time-text.ts';

/** What links of restore jobs and snapshots are made of: clusters by their id. */
export function placeAt(root: string): MmsPlace {
  return { root, rels: 'http://mms.mongodb.com', clusterSegment: ({ clusterId }) => clusterId };
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
