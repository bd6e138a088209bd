// Codes of following an oplog for continuous backup.

export const OPLOG_ERRORS = {
  OPLOG_CHAIN_ENDED: 'The log can not be continued without a gap; a new chain with a new base is needed. details: {reason, time}',
} as const;

/** Why a chain ends; docs/design/continuous-backup.md has the table. */
export type ChainEndReason = 'OPLOG_ROLLED_OVER' | 'OPLOG_DIVERGED' | 'REPLICA_SET_CHANGED' | 'OPERATION_UNKNOWN' | 'FCV_CHANGED';
