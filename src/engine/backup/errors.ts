// Codes that a capture raises.

export const CAPTURE_ERRORS = {
  CAPTURE_STALLED: 'A stage made no progress for too long. details: {stage, stallAfterMs}',
  CAPTURE_OPERATION_UNKNOWN: 'The oplog holds an operation that Leafvault does not know. details: {operation, namespace, time}',
  CAPTURE_FCV_CHANGED: 'The feature compatibility version changed during the capture. details: {time}',
  CAPTURE_OPLOG_LOST: 'The oplog no longer holds what the capture needs. details: {time}',
  CAPTURE_ROLLED_BACK: 'The member that was read rolled back what it had shown. details: {time}',
  CAPTURE_COLLECTION_UNREADABLE: 'A collection could not be read to its end. details: {namespace}',
  CAPTURE_CAPPED_BUSY: 'A capped collection was updated in place all the time. details: {namespace}',
  CAPTURE_NOTHING_SELECTED: 'Nothing of what a snapshot was to be taken of is there. details: {missing}',
  CAPTURE_NOT_SETTLED: 'The collections changed their shape all the time, so no instant could be read. details: {tries}',
} as const;

export type CaptureErrorCode = keyof typeof CAPTURE_ERRORS;

/** Failures of one attempt that a new attempt may not meet again. */
export const RETRIED_CODES: ReadonlySet<string> = new Set<string>([
  'CAPTURE_OPERATION_UNKNOWN', 'CAPTURE_FCV_CHANGED', 'CAPTURE_OPLOG_LOST', 'CAPTURE_ROLLED_BACK', 'CAPTURE_COLLECTION_UNREADABLE',
  'CAPTURE_CAPPED_BUSY', 'CAPTURE_NOT_SETTLED', 'SOURCE_READ_FAILED', 'SOURCE_UNREACHABLE', 'SOURCE_NO_MEMBER',
] satisfies (CaptureErrorCode | string)[]);

/** Of these the ones that say nothing about what was read before. */
export const UNREACHED_CODES: ReadonlySet<string> = new Set<string>(['SOURCE_UNREACHABLE', 'SOURCE_NO_MEMBER']);
