// Restore jobs and snapshots in the form of Ops Manager, which Atlas's legacy backup shares but for a few members.
import { showInstant, type InstantRange } from '../../../domain/instant.ts';
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import type { Download, ListedRestore, Restore, Snapshot } from '../../../domain/records.ts';
import { isoSeconds, isoSecondsOrUnset } from '../time-text.ts';
import { isForCentury } from './parse.ts';

/** Where links lead. */
export interface MmsPlace {
  readonly root: string;
  /** What relations begin with. */
  readonly rels: 'http://mms.mongodb.com' | 'https://cloud.mongodb.com';
  /** Whether the address that asks for a bearer token is told. */
  readonly bearer: boolean;
  /** Of a path: Ops Manager names clusters by id, Atlas by name. */
  clusterSegment(record: { readonly clusterId: string; readonly clusterName: string }): string;
}


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

export function presentRestoreJob(restore: ListedRestore, place: MmsPlace): object {
  return {
    clusterId: restore.clusterId,
    clusterName: restore.clusterName,
    created: isoSeconds(restore.createdAt),
    delivery: deliveryOf(restore, place),
    encryptionEnabled: false,
    groupId: restore.projectId,
    hashes: hashesOf(restore.download),
    id: restore.id,
    links: linksOf(restore, place, { self: `restoreJobs/${restore.id}`, snapshotId: restore.snapshotId }),
    snapshotId: restore.snapshotId,
    statusName: JOB_STATUS[restore.state],
    timestamp: timestampOf(restore.instant === null ? restore.snapshotPointInTime : showInstant(restore.instant.asked), restore.snapshotCapturedAt ?? restore.createdAt),
  };
}

/** Both ends can be restored. */
export function presentRange({ from, to, snapshotId }: InstantRange & { readonly snapshotId: string }): object {
  return { start: timestampAt(from), end: timestampAt(to), snapshotId };
}

/** An automated restore is shown with methodName `HTTP` and its target: the vendor's docs say so in as many words. */
function deliveryOf(restore: ListedRestore, { bearer }: MmsPlace): object {
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
    ...(bearer && download?.bearer !== undefined ? { authBearer: 'Bearer', authHeader: 'Authorization', authValue: download.bearer.value, urlV2: download.bearer.url } : {}),
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

export function presentSnapshot(snapshot: Snapshot, place: MmsPlace): object {
  const taken = snapshot.capturedAt ?? snapshot.requestedAt;
  const timestamp = timestampOf(snapshot.pointInTime, taken);
  return {
    clusterId: snapshot.clusterId,
    clusterName: snapshot.clusterName,
    complete: snapshot.state === 'completed',
    created: timestamp,
    doNotDelete: snapshot.pin !== null || isForCentury(snapshot),
    expires: isoSeconds(snapshot.expiresAt),
    groupId: snapshot.projectId,
    id: snapshot.id,
    lastOplogAppliedTimestamp: snapshot.pointInTime === null ? undefined : timestamp,
    links: linksOf(snapshot, place, { self: `snapshots/${snapshot.id}` }),
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

interface Timestamp { readonly date: string; readonly increment: number }

function timestampOf(at: ClusterTime | null, otherwise: Date): Timestamp {
  return at === null ? { date: isoSeconds(otherwise), increment: 0 } : timestampAt(at);
}

function timestampAt({ t, i }: ClusterTime): Timestamp {
  return { date: isoSeconds(new Date(t * 1000)), increment: i };
}

function linksOf(
  record: { readonly projectId: string; readonly clusterId: string; readonly clusterName: string }, { root, rels, clusterSegment }: MmsPlace, at: { readonly self: string; readonly snapshotId?: string },
): readonly object[] {
  const group = `${root}/groups/${record.projectId}`;
  const cluster = `${group}/clusters/${clusterSegment(record)}`;
  return [
    { href: `${cluster}/${at.self}`, rel: 'self' },
    { href: cluster, rel: `${rels}/cluster` },
    { href: group, rel: `${rels}/group` },
    ...(at.snapshotId === undefined ? [] : [{ href: `${cluster}/snapshots/${at.snapshotId}`, rel: `${rels}/snapshot` }]),
  ];
}
