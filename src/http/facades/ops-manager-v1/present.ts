// Restore jobs, snapshots, clusters and projects in Ops Manager's form.
import { showInstant, type InstantRange } from '../../../domain/instant.ts';
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import type { Cluster, Download, Project, Restore, Snapshot } from '../../../domain/records.ts';
import { isoSeconds, isoSecondsOrUnset } from '../../wire/time-text.ts';
import { FOREVER_DAYS } from './parse.ts';

const DAY_MS = 86_400_000;

const JOB_STATUS: Readonly<Record<Restore['state'], string>> = {
  queued: 'IN_PROGRESS',
  running: 'IN_PROGRESS',
  completed: 'FINISHED',
  failed: 'BROKEN',
  cancelled: 'KILLED',
};

const DELIVERY_STATUS_BY_JOB: Readonly<Record<Restore['state'], string>> = {
  queued: 'NOT_STARTED',
  running: 'IN_PROGRESS',
  completed: 'READY',
  failed: 'FAILED',
  cancelled: 'INTERRUPTED',
};

const DELIVERY_STATUS_BY_DOWNLOAD: Readonly<Partial<Record<Download['state'], string>>> = {
  ready: 'READY',
  expired: 'EXPIRED',
  exhausted: 'MAX_DOWNLOADS_EXCEEDED',
  failed: 'FAILED',
  cancelled: 'INTERRUPTED',
};

export function presentRestoreJob(restore: Restore, root: string): object {
  return {
    clusterId: restore.clusterId,
    clusterName: restore.clusterName,
    created: isoSeconds(restore.createdAt),
    delivery: deliveryOf(restore),
    encryptionEnabled: false,
    groupId: restore.projectId,
    hashes: hashesOf(restore.download),
    id: restore.id,
    links: linksOf(restore, root, { self: `restoreJobs/${restore.id}`, snapshotId: restore.snapshotId }),
    pointInTime: restore.instant !== null,
    snapshotId: restore.snapshotId,
    statusName: JOB_STATUS[restore.state],
    timestamp: timestampOf(restore.instant === null ? restore.snapshotPointInTime : showInstant(restore.instant.asked), restore.snapshotCapturedAt ?? restore.createdAt),
  };
}

/** Both ends can be restored. */
export function presentRange({ from, to, snapshotId }: InstantRange & { readonly snapshotId: string }): object {
  const now = new Date(0);
  return { start: timestampOf(from, now), end: timestampOf(to, now), snapshotId };
}

/** An automated restore is shown with methodName `HTTP` and its target: the vendor's docs say so in as many words. */
function deliveryOf(restore: Restore): object {
  const { download } = restore;
  if (restore.delivery === 'automated') {
    return {
      methodName: 'HTTP',
      statusName: DELIVERY_STATUS_BY_JOB[restore.state],
      targetClusterId: restore.targetClusterId ?? undefined,
      targetGroupId: restore.targetProjectId ?? undefined,
    };
  }
  return {
    expirationHours: download === null ? undefined : Math.ceil(download.expirationHours),
    expires: isoSecondsOrUnset(download?.expiresAt ?? null),
    maxDownloads: download?.maxDownloads ?? undefined,
    methodName: 'HTTP',
    statusName: (download && DELIVERY_STATUS_BY_DOWNLOAD[download.state]) ?? DELIVERY_STATUS_BY_JOB[restore.state],
    url: download?.url ?? undefined,
  };
}

/** Known once the archive was downloaded whole. */
function hashesOf(download: Download | null): readonly object[] {
  return download?.sha1 == null ? [] : [{ fileName: download.fileName, hash: download.sha1, typeName: 'SHA1' }];
}

export function presentSnapshot(snapshot: Snapshot, root: string): object {
  const taken = snapshot.capturedAt ?? snapshot.requestedAt;
  const timestamp = timestampOf(snapshot.pointInTime, taken);
  return {
    clusterId: snapshot.clusterId,
    clusterName: snapshot.clusterName,
    complete: snapshot.state === 'completed',
    created: timestamp,
    doNotDelete: snapshot.expiresAt.getTime() - taken.getTime() >= FOREVER_DAYS * DAY_MS,
    expires: isoSeconds(snapshot.expiresAt),
    groupId: snapshot.projectId,
    id: snapshot.id,
    isPossiblyInconsistent: snapshot.consistency === 'fuzzy',
    lastOplogAppliedTimestamp: snapshot.pointInTime === null ? undefined : timestamp,
    links: linksOf(snapshot, root, { self: `snapshots/${snapshot.id}` }),
    missingShards: [],
    namespaceFilterList: { filterList: [], filterType: 'blacklist' },
    parts: [{
      clusterId: snapshot.clusterId,
      compressionSetting: 'GZIP',
      dataSizeBytes: snapshot.dataSizeBytes ?? 0,
      encryptionEnabled: false,
      fileSizeBytes: snapshot.storageSizeBytes ?? 0,
      mongodVersion: snapshot.mongodbVersion ?? undefined,
      replicaSetName: snapshot.replicaSetName ?? undefined,
      storageSizeBytes: snapshot.storageSizeBytes ?? 0,
      typeName: 'REPLICA_SET',
    }],
  };
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

function timestampOf(at: ClusterTime | null, otherwise: Date): { readonly date: string; readonly increment: number } {
  return at === null ? { date: isoSeconds(otherwise), increment: 0 } : { date: isoSeconds(new Date(at.t * 1000)), increment: at.i };
}

function linksOf(
  record: { readonly projectId: string; readonly clusterId: string }, root: string, at: { readonly self: string; readonly snapshotId?: string },
): readonly object[] {
  const group = `${root}/groups/${record.projectId}`;
  const cluster = `${group}/clusters/${record.clusterId}`;
  return [
    { rel: 'self', href: `${cluster}/${at.self}` },
    { rel: 'http://mms.mongodb.com/cluster', href: cluster },
    { rel: 'http://mms.mongodb.com/group', href: group },
    ...(at.snapshotId === undefined ? [] : [{ rel: 'http://mms.mongodb.com/snapshot', href: `${cluster}/snapshots/${at.snapshotId}` }]),
  ];
}
