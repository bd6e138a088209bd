// Codes that folding the oplog over a base raises.

export const REPLAY_ERRORS = {
  REPLAY_UPDATE_UNKNOWN: 'An update of the oplog has a form that Leafvault does not know. details: {reason}',
  REPLAY_FIELD_AMBIGUOUS: 'An update touches a field that its document holds twice, or an array whose elements are not named by their places. details: {field}',
  REPLAY_OPERATION_MISSED: 'An operation of the oplog does not meet the document that it met at the source. details: {namespace, id, position, kind}',
  REPLAY_WINDOW_BROKEN: 'Entries of the oplog do not follow each other. details: {position, before}',
  REPLAY_TRANSACTION_CUT: 'A transaction counts in the window, and a part of it was not there to be read. details: {position, previous}',
  REPLAY_FCV_CHANGED: 'The feature compatibility version changes in the window. details: {position}',
  REPLAY_OPERATION_UNKNOWN: 'The oplog holds an operation that Leafvault cannot replay. details: {operation, namespace, position}',
  REPLAY_COLLECTION_UNLISTED: 'The window speaks of a collection that the base does not hold and the window did not create. details: {namespace, position}',
} as const;

export type ReplayErrorCode = keyof typeof REPLAY_ERRORS;
