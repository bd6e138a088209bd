// A snapshot in Atlas's form.
import { frequencyOf } from '../../../../domain/retention.ts';
import type { Snapshot } from '../../../../domain/records.ts';
import { isoSeconds, isoSecondsOrUnset } from '../../time-text.ts';

export const SNAPSHOT_STATUS: Readonly<Record<Snapshot['state'], string>> = {
  queued: 'queued',
  inProgress: 'inProgress',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'failed',
};

/** `createdAt` is the instant of the data and appears with completion, as recorded. */
export function presentSnapshot(snapshot: Snapshot, root: string): object {
  const cluster = `${root}/groups/${snapshot.projectId}/clusters/${encodeURIComponent(snapshot.clusterName)}`;
  return {
    copyRegions: [],
    createdAt: snapshot.state === 'completed' ? isoSecondsOrUnset(snapshot.capturedAt) : undefined,
    description: snapshot.description ?? undefined,
    expiresAt: isoSeconds(snapshot.expiresAt),
    frequencyType: snapshot.type === 'onDemand' ? 'ondemand' : frequencyOf(snapshot.policyItems ?? []) ?? undefined,
    id: snapshot.id,
    links: [
      { href: `${cluster}/backup/snapshots/${snapshot.id}`, rel: 'self' },
      { href: cluster, rel: 'https://cloud.mongodb.com/cluster' },
    ],
    mongodVersion: snapshot.mongodbVersion ?? undefined,
    policyItems: (snapshot.policyItems ?? []).map(({ id }) => id),
    replicaSetName: snapshot.replicaSetName ?? snapshot.clusterName,
    snapshotType: snapshot.type,
    status: SNAPSHOT_STATUS[snapshot.state],
    storageSizeBytes: snapshot.storageSizeBytes ?? 0,
    type: 'replicaSet',
  };
}

/**
 * The sharded form of a replica set's snapshot. The Terraform provider asks for it after every create and wants to
 * change the snapshot when it gets a 404.
 */
export function presentAsShardedSnapshot(snapshot: Snapshot, root: string): object {
  return { ...presentSnapshot(snapshot, root), copyRegions: undefined, replicaSetName: undefined, members: [], snapshotIds: [] };
}
