// Codes with which a job ends, or is interrupted.

export const JOBS_ERRORS = {
  JOBS_CANCELLED: 'Somebody asked for the end of the job',
  JOBS_RELEASED: 'The worker stops; the job goes back into the queue',
  JOBS_PAUSED: 'Somebody asked for a rest of the job; it goes back into the queue and waits there until it is resumed',
  JOBS_LEASE_LOST: 'The worker could not renew its lease, or the job was given to another one',
  JOBS_NO_PROGRESS: 'A stage went without progress for too long',
  JOBS_STUCK: 'The work did not end when it was told to',
  JOBS_WORKER_LOST: 'The workers of this job died again and again',
  JOBS_FAILED: 'The job failed for a reason without a code of its own',
  JOBS_ROW_MISSING: 'A row that the job needs is not there',
  JOBS_CLUSTER_WITHOUT_ADDRESS: 'The cluster was deleted, or rescued without its connection string and waits for it',
  DRILL_TARGET_UNKNOWN: 'No cluster of the project has the name that drills of a cluster are to go to',
  DRILL_MONGOD_UNSET: 'Drills are to run on a mongod of their own, and the settings of this worker name no binary',
  DRILL_INDEXES_FAILED: 'A drill proved the documents, but indexes could not be built; so it would be in earnest',
  JOBS_CATALOG_RESCUED: 'The catalog was lost and rescued while the job was queued or running',
  JOBS_PAYLOAD_INVALID: 'The job was asked for with a payload that does not fit its kind',
  JOBS_DATA_DAMAGED: 'A check found damage in the repository',
  JOBS_SETTLE_FAILED: 'A target could not be cleaned up yet',
  JOBS_TAILER_LOST: 'This process follows a cluster no more: its lease was given to another one, or could not be renewed in time',
  JOBS_TAILER_DRAINED: 'What a tailer had gathered was put away, so that it can stop or end its chain',
  JOBS_SNAPSHOTS_HIDDEN: 'Snapshots that the catalog knows are not in the store that should hold them, so nothing is pruned. details: {snapshotId}',
  JOBS_QUEUE_FAILED: 'The queue could not be opened',
} as const;

export type JobsErrorCode = keyof typeof JOBS_ERRORS;
