// Codes that services raise. Facades turn each into a status and a body.

export const SERVICE_ERRORS = {
  ORGANIZATION_NOT_FOUND: 'No such organization, or it is not visible to who asks. details: {id}',
  PROJECT_NOT_FOUND: 'No such project. details: {id}',
  CLUSTER_NOT_FOUND: 'No such cluster in the project. details: {projectId, name} or {projectId, id}',
  SNAPSHOT_NOT_FOUND: 'No such snapshot of the cluster, or it was deleted. details: {id, clusterId}',
  SNAPSHOT_NOT_COMPLETE: 'The snapshot is not whole yet or failed: nothing can be restored from it. details: {id, state}',
  RESTORE_NOT_FOUND: 'No such restore of the cluster. details: {id, clusterId}',
  RESTORE_NOT_CANCELLABLE: 'The restore is already over. details: {id, state}',
  RESTORE_NOT_UNDOABLE: 'Nothing is kept that would be put back: the restore is not over, its time for an undo is, or nothing was replaced. details: {id, state}',
  TARGET_NOT_FOUND: 'The restore names no target, or one that is not known. details: {projectId, name} or {projectId, id}',
  TARGET_FORBIDDEN: 'Who asks holds no role that may restore into the target project. details: {projectId, roles}',
  SELECTION_INVALID: 'A database, collection or rename of the request cannot be used. details: {value}',
  EXPIRY_INVALID: 'The new expiry lies before the snapshot or in the past. details: {expiresAt}',
  DOWNLOAD_NOT_FOUND: 'The download address was altered or never ours. No details',
  DOWNLOAD_EXPIRED: 'The download address has passed its time. details: {expiresAt}',
  DOWNLOAD_EXHAUSTED: 'The archive was downloaded as often as was allowed. details: {maxDownloads}',
  CONTINUOUS_NO_WINDOW: 'The cluster has no instant between snapshots that can be restored: continuous backup is off, or its first base is not there yet. details: {state}',
  CONTINUOUS_IN_FUTURE: 'The instant lies in the future. details: {before, after}',
  CONTINUOUS_NOT_YET: 'The instant lies behind the newest slice of a chain that goes on. details: {before, after}',
  CONTINUOUS_IN_GAP: 'The instant lies in a gap between two windows. details: {before, after, reason}',
  CONTINUOUS_OUTSIDE_WINDOW: 'The instant lies before the first window, or behind the last one of a cluster that is followed no more. details: {before, after}',
  CONTINUOUS_NOT_FOLLOWED: 'No worker follows the oplog of the cluster. No details',
  CONTINUOUS_STANDS_STILL: 'Whoever follows the oplog of the cluster says nothing any more. No details',
  JOB_NOT_FOUND: 'No such job. details: {id} or {number}',
  JOB_NOT_CANCELLABLE: 'The job is already over. details: {id, state}',
  SUBCLIENT_NOT_FOUND: 'No such subclient of the cluster. details: {clusterId, name}',
  ROLE_MISSING: 'Who asks holds none of the roles that the operation needs. details: {projectId, anyOf} or {orgId, anyOf}',
  RECOVERY_KEY_WRONG: 'A recovery key is not whole or misspelt. No details',
  DECLARATION_INVALID: 'The organizations part of the configuration contradicts itself or the catalog. details: {path}',
} as const;

export type ServiceErrorCode = keyof typeof SERVICE_ERRORS;
