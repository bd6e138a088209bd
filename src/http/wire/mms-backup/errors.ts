// Codes of restore jobs and snapshots in the form of Ops Manager and of Atlas's legacy backup, and their rows, which both doors share.
import type { ErrorTable } from '../mms-failure.ts';

export const MMS_BACKUP_ERRORS = {
  RESTORE_POINT_MISSING: 'A restore job names nothing to restore from. No details',
  RESTORE_POINT_AMBIGUOUS: 'A restore job names more than one thing to restore from. No details',
  METHOD_UNSUPPORTED: 'The delivery method is known and not offered. details: {methodName}',
  LINK_LIFE_AMBIGUOUS: 'Both expires and expirationHours are given. No details',
  TIMESTAMP_FRACTIONAL: 'oplogTs is no whole number of seconds. details: {name}',
  CHECKPOINT_NOT_FOUND: 'There are no checkpoints. details: {id, clusterId}',
  GROUP_MISMATCH: 'A body names another group than the path. details: {groupId, projectId}',
  SNAPSHOT_CHANGE_AMBIGUOUS: 'Both doNotDelete and expires are given. No details',
  SNAPSHOT_OVER: 'A snapshot that has expired cannot be changed. details: {id}',
  SNAPSHOT_CHANGE_MISSING: 'Neither doNotDelete nor expires is given. No details',
} as const;

const RESTORE_POINTS = ['snapshotId', 'checkpointId', 'oplogTs', 'pointInTimeUTCMillis'];

export const MMS_BACKUP_ROWS: ErrorTable = {
  // Neither vendor has a word for it.
  SNAPSHOT_KEPT: { status: 409, errorCode: 'CANNOT_DELETE_KEPT_SNAPSHOT', detail: 'Snapshot %s cannot be deleted: there is a %s on it, set by %s (reason: %s).', parameters: ({ id, kind, by, reason }) => [id, kind, by, reason ?? 'none given'] },
  RESTORE_POINT_MISSING: { status: 400, errorCode: 'MISSING_ONE_OF_ATTRIBUTES', detail: 'Either the %s attribute, the %s attribute, the %s attribute or the %s attribute must be specified.', parameters: () => RESTORE_POINTS },
  RESTORE_POINT_AMBIGUOUS: { status: 400, errorCode: 'INVALID_ATTRIBUTE', detail: 'Only one of the attributes %s, %s, %s and %s may be specified.', parameters: () => RESTORE_POINTS },
  METHOD_UNSUPPORTED: { status: 400, errorCode: 'UNSUPPORTED_DELIVERY_METHOD', detail: 'The specified delivery method is not supported.' },
  LINK_LIFE_AMBIGUOUS: { status: 400, errorCode: 'INVALID_ATTRIBUTE', detail: 'Only one of the attributes %s and %s may be specified.', parameters: () => ['delivery.expires', 'delivery.expirationHours'] },
  TIMESTAMP_FRACTIONAL: { status: 400, errorCode: 'FRACTIONAL_TIMESTAMP', detail: 'The attribute %s must be a whole number of seconds.', parameters: ({ name }) => [name] },
  CHECKPOINT_NOT_FOUND: { status: 404, errorCode: 'CHECKPOINT_NOT_FOUND', detail: 'No checkpoint with ID %s exists for cluster %s.', parameters: ({ id, clusterName, clusterId }) => [id, clusterName ?? clusterId] },
  GROUP_MISMATCH: { status: 400, errorCode: 'GROUP_MISMATCH', detail: 'The group ID in the request body does not match the group ID %s in the URL.', parameters: ({ projectId }) => [projectId] },
  SNAPSHOT_OVER: { status: 403, errorCode: 'CANNOT_MODIFY_SNAPSHOT', detail: 'Cannot modify snapshot %s: it has expired.', parameters: ({ id }) => [id] },
  SNAPSHOT_CHANGE_AMBIGUOUS: { status: 400, errorCode: 'INVALID_ATTRIBUTE', detail: 'Only one of the attributes %s and %s may be specified.', parameters: () => ['doNotDelete', 'expires'] },
  SNAPSHOT_CHANGE_MISSING: { status: 400, errorCode: 'MISSING_ONE_OF_ATTRIBUTES', detail: 'Either the %s attribute or the %s attribute must be specified.', parameters: () => ['doNotDelete', 'expires'] },
};
