// Whether a cluster is backed up (docs/design/backup-states.md, "States").
import type { Cluster } from './records.ts';

export const BACKUP_STATES = ['started', 'stopped', 'terminating', 'inactive'] as const;
export type BackupState = (typeof BACKUP_STATES)[number];

/** Whether its oplog is to be followed; the column `followed` of the catalog says the same. */
export function isFollowed({ continuousBackup, backupState, namespaceFilter }: Pick<Cluster, 'continuousBackup' | 'backupState' | 'namespaceFilter'>): boolean {
  return continuousBackup && backupState === 'started' && namespaceFilter === null;
}

/** @param isScheduled its schedule has items. One that is started and of which nothing would be taken is inactive all the same. */
export function shownState({ backupState, continuousBackup }: Pick<Cluster, 'backupState' | 'continuousBackup'>, { isScheduled }: { readonly isScheduled: boolean }): BackupState {
  return backupState === 'started' && !isScheduled && !continuousBackup ? 'inactive' : backupState;
}
