// Atlas's legacy backup: the same snapshots, restores and schedule in the form that Ops Manager still has, by the cluster's name.
import type { Cluster } from '../../../../domain/records.ts';
import type { ClusterSchedule } from '../../../../services/contracts.ts';
import { createMmsBackupHandlers } from '../../mms-backup/handlers.ts';
import { checkpointIntervalOf, presentSchedule } from '../../mms-backup/present-schedule.ts';
import { presentRestoreJob, presentSnapshot, type MmsPlace } from '../../mms-backup/present.ts';
import { clusterOf, sourceOf } from '../inventory/handlers.ts';

export const {
  createRestoreJob: createLegacyRestoreJob, listRestoreJobs: listLegacyRestoreJobs, getRestoreJob: getLegacyRestoreJob,
  listSnapshots: listLegacySnapshots, getSnapshot: getLegacySnapshot, updateSnapshot: updateLegacySnapshot, deleteSnapshot: deleteLegacySnapshot,
  getSchedule: getLegacySchedule, updateSchedule: updateLegacySchedule, listCheckpoints, getCheckpoint,
} = createMmsBackupHandlers({
  clusterOf,
  sourceOf,
  showRestoreJob: (restore, root) => presentRestoreJob(restore, placeAt(root)),
  showSnapshot: (snapshot, root) => presentSnapshot(snapshot, placeAt(root)),
  showSchedule,
  // The vendor's list of choices has it: it takes the tier away.
  zero: 'none', checkpoints: 'kept',
});

function placeAt(root: string): MmsPlace {
  return { root, rels: 'https://cloud.mongodb.com', bearer: false, clusterSegment: ({ clusterName }) => encodeURIComponent(clusterName) };
}

function showSchedule(schedule: ClusterSchedule, cluster: Cluster, root: string): object {
  const group = `${root}/groups/${cluster.projectId}`;
  const at = `${group}/clusters/${encodeURIComponent(cluster.name)}`;
  return {
    ...presentSchedule(schedule, cluster),
    clusterCheckpointIntervalMin: checkpointIntervalOf(schedule),
    links: [
      { rel: 'self', href: `${at}/snapshotSchedule` },
      { rel: 'https://cloud.mongodb.com/cluster', href: at },
      { rel: 'https://cloud.mongodb.com/group', href: group },
    ],
  };
}
