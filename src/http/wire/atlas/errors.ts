// Our codes to the body and status of Atlas, whatever its version. Codes and texts from the vendor's list of error codes
// where it has one; the others are marked in docs/reference/atlas.md.
import { COMPLIANCE_ROWS } from '../compliance-rows.ts';
import { ADMINISTRATION_ERRORS, ADMINISTRATION_IDS, ADMINISTRATION_ROWS } from './administration-errors.ts';
import { ATTRIBUTE_INVALID, ENUM_UNKNOWN, FAMILY_FAILURES, FAMILY_IDS, FAMILY_ROWS, RESTORE_INCOMPLETE, UNEXPECTED } from '../family-rows.ts';
import { instantRows } from '../instant-rows.ts';
import { MMS_BACKUP_ROWS } from '../mms-backup/errors.ts';
import type { ErrorRow, ErrorTable, FailureTable } from '../mms-failure.ts';

/** Codes that the operations of Atlas raise themselves. */
export const ATLAS_ERRORS = {
  ...ADMINISTRATION_ERRORS,
  POINT_IN_TIME_FORM: 'A point in time is given in no form, or in two. No details',
  SNAPSHOT_UNFINISHED: 'The retention of a snapshot that is not completed cannot be changed. details: {id}',
  SCHEDULE_FORM: 'A schedule has not exactly one policy, or the policy no items, or an item lacks a member. details: {part}',
  SCHEDULE_FEATURE: 'A schedule asks for what is not done here: copies by region. details: {reason}',
  EXPORT_FEATURE: 'An export bucket asks for what is not done here: storage of Azure or Google, private networking. details: {reason}',
  NOT_FLEX: 'A flex operation was asked of a cluster that is none. details: {clusterName}',
  NOT_SERVERLESS: 'A cluster was looked for among serverless instances. details: {clusterName}',
} as const;

const NOT_FOUND_BY_KIND: Readonly<Record<string, ErrorRow>> = {
  ...FAMILY_IDS,
  ...ADMINISTRATION_IDS,
  exportBucket: { status: 404, errorCode: 'EXPORT_BUCKET_NOT_FOUND', detail: 'No export Bucket with ID %s does not exist.', parameters: ({ value }) => [value] },
  export: { status: 404, errorCode: 'EXPORT_JOB_NOT_FOUND', detail: 'No export job with ID %s exists.', parameters: ({ value }) => [value] },
};

/** Words of the vendor for each rule of a schedule; what has none is an invalid policy. */
const SCHEDULE_BY_RULE: Readonly<Record<string, ErrorRow>> = {
  policyId: { status: 400, errorCode: 'INVALID_POLICY_ID', detail: 'The policy id %s is invalid.', parameters: ({ value }) => [value] },
  itemId: { status: 400, errorCode: 'INVALID_POLICY_ITEM_ID', detail: 'The specified policy item id %s does not exist.', parameters: ({ value }) => [value] },
  itemType: { status: 400, errorCode: 'INVALID_FREQUENCY_TYPE_CHANGE', detail: 'The frequency type of a policy item must not be changed.' },
  retention: { status: 400, errorCode: 'BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID', detail: 'Retention value of snapshot is invalid.' },
  referenceHour: { status: 400, errorCode: 'INVALID_REFERENCE_HOUR_OF_DAY', detail: 'Snapshot schedule reference hour must be between 0 and 23, inclusive.' },
  referenceMinute: { status: 400, errorCode: 'INVALID_REFERENCE_MINUTE_OF_HOUR', detail: 'Snapshot schedule reference minute must be between 0 and 59, inclusive.' },
  restoreWindow: { status: 400, errorCode: 'INVALID_RESTORE_WINDOW', detail: 'The restore window days should be a positive number.' },
};
const INVALID_POLICY: ErrorRow = { status: 400, errorCode: 'INVALID_BACKUP_POLICY', detail: 'Invalid Backup Policy: %s.', parameters: ({ reason }) => [reason] };
const SCHEDULE_BY_PART: Readonly<Record<string, ErrorRow>> = {
  policies: { status: 400, errorCode: 'INVALID_NUM_OF_POLICIES', detail: 'Must have exactly one policy.' },
  items: { status: 400, errorCode: 'INVALID_NUM_OF_POLICY_ITEMS', detail: 'Must have at least one policy item.' },
};
const ITEM_INCOMPLETE: ErrorRow = { status: 400, errorCode: 'MISSING_POLICY_ITEM_PARAMETERS', detail: 'Each policy item must contain all required fields.' };

const SNAPSHOT_INCOMPLETE: ErrorRow = { status: 409, errorCode: 'CANNOT_DOWNLOAD_INCOMPLETE_SNAPSHOT', detail: 'Cannot read incomplete cluster snapshot %s.', parameters: ({ id }) => [id] };

export const ATLAS_ERROR_TABLE: ErrorTable = {
  ...FAMILY_ROWS,
  ...ADMINISTRATION_ROWS,
  PROJECT_NOT_FOUND: { status: 404, errorCode: 'GROUP_NOT_FOUND', detail: 'No group with ID %s exists.', parameters: ({ id }) => [id] },
  CLUSTER_NOT_FOUND: { status: 404, errorCode: 'CLUSTER_NOT_FOUND', detail: 'No cluster named %s exists in group %s.', parameters: ({ name, id, projectId }) => [name ?? id, projectId] },
  TARGET_NOT_FOUND: { status: 404, errorCode: 'CLUSTER_NOT_FOUND', detail: 'No cluster named %s exists in group %s.', parameters: ({ name, id, projectId }) => [name ?? id, projectId] },
  TARGET_FORBIDDEN: { status: 403, errorCode: 'CANNOT_RESTORE_TO_TARGET', detail: 'Cannot restore with insufficient permission on source snapshot or target cluster.' },
  SNAPSHOT_NOT_FOUND: ({ path }) => (isTenant(path) ? missing('TENANT_SNAPSHOT_NOT_FOUND', 'M2/M5 snapshot') : missing('SNAPSHOT_NOT_FOUND', 'snapshot')),
  SNAPSHOT_NOT_COMPLETE: ({ path }) => (/\/backup\/exports|\/databases/.test(String(path)) ? SNAPSHOT_INCOMPLETE : RESTORE_INCOMPLETE),
  RESTORE_NOT_FOUND: ({ path }) => (isTenant(path) ? missing('TENANT_RESTORE_NOT_FOUND', 'M2/M5 restore') : missing('RESTORE_JOB_NOT_FOUND', 'restore job')),
  RESTORE_NOT_CANCELLABLE: { status: 400, errorCode: 'CANNOT_CANCEL_AUTOMATED_RESTORE', detail: 'Automated restore cannot be cancelled: it is already over.' },
  EXPIRY_INVALID: { status: 400, errorCode: 'BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID', detail: 'Retention value of snapshot is invalid.' },
  SELECTION_INVALID: { status: 400, errorCode: 'INVALID_ATTRIBUTE', detail: 'Invalid attribute %s specified.', parameters: ({ value }) => [value] },

  ID_MALFORMED: ({ kind }) => NOT_FOUND_BY_KIND[String(kind)] ?? UNEXPECTED,
  ATTRIBUTE_INVALID,
  ENUM_UNKNOWN,
  RATE_LIMITED: { status: 429, errorCode: 'RATE_LIMITED', detail: 'Too many requests: the limit is %s at once. Wait %s seconds.', parameters: ({ limit, retryAfterSeconds }) => [limit, retryAfterSeconds] },

  POINT_IN_TIME_FORM: { status: 400, errorCode: 'INVALID_PIT_RESTORE_TIME', detail: 'Please provide a valid UTC time or an operation time (ts).' },
  ...instantRows({ status: 400, errorCode: 'INVALID_PIT_RESTORE_TIME' }),
  ...COMPLIANCE_ROWS,
  COMPLIANCE_INVALID: { status: 400, errorCode: 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID', detail: 'The Backup Compliance Policy has invalid settings: %s.', parameters: ({ reason }) => [reason] },
  COMPLIANCE_UNMET: { status: 400, errorCode: 'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS', detail: 'Backup policies of these clusters don\'t meet the Backup Compliance Policy requirements: %s.', parameters: ({ clusters }) => [clusters] },
  COMPLIANCE_NOT_FOUND: { status: 404, errorCode: 'RESOURCE_NOT_FOUND', detail: 'Cannot find resource %s.', parameters: () => ['Backup Compliance Policy'] },
  SCHEDULE_INVALID: ({ rule }) => SCHEDULE_BY_RULE[String(rule)] ?? INVALID_POLICY,
  SCHEDULE_FORM: ({ part }) => SCHEDULE_BY_PART[String(part)] ?? ITEM_INCOMPLETE,
  SCHEDULE_FEATURE: { status: 400, errorCode: 'INVALID_SNAPSHOT_SCHEDULE', detail: 'Invalid snapshot schedule: %s.', parameters: ({ reason }) => [reason] },
  ...MMS_BACKUP_ROWS,
  EXPORT_FEATURE: { status: 400, errorCode: 'UNSUPPORTED_FEATURE', detail: 'This feature is not supported: %s.', parameters: ({ reason }) => [reason] },
  EXPORT_BUCKET_INVALID: { status: 400, errorCode: 'EXPORT_BUCKET_NAME_INVALID', detail: 'Export Bucket name is invalid.' },
  EXPORT_BUCKET_UNREACHABLE: { status: 400, errorCode: 'EXPORT_BUCKET_UNREACHABLE', detail: 'Cannot write to export Bucket %s: %s.', parameters: ({ name, reason }) => [name, reason] },
  EXPORT_BUCKET_IN_USE: { status: 400, errorCode: 'EXPORT_BUCKET_DELETE_FAILED', detail: 'Failed to delete export Bucket with ID %s: %s.', parameters: ({ id, reason }) => [id, reason] },
  EXPORT_NOT_FOUND: { status: 404, errorCode: 'EXPORT_JOB_NOT_FOUND', detail: 'No export job with ID %s exists for cluster %s.', parameters: ({ id, clusterName, clusterId }) => [id, clusterName ?? clusterId] },
  NAMESPACE_NOT_FOUND: { status: 404, errorCode: 'RESOURCE_NOT_FOUND', detail: 'Cannot find resource %s.', parameters: ({ name }) => [name] },
  EXPORT_BUCKET_NOT_FOUND: { status: 404, errorCode: 'EXPORT_BUCKET_NOT_FOUND', detail: 'No export Bucket with ID %s does not exist.', parameters: ({ id }) => [id] },
  SNAPSHOT_UNFINISHED: { status: 400, errorCode: 'CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION', detail: 'Snapshot retention can only be modified once it is completed.' },
  NOT_FLEX: { status: 400, errorCode: 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API', detail: 'Cannot use non-flex cluster %s in the flex API.', parameters: ({ clusterName }) => [clusterName] },
  NOT_SERVERLESS: { status: 400, errorCode: 'CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API', detail: 'Cluster %s cannot be used in the Serverless Instance API.', parameters: ({ clusterName }) => [clusterName] },
};

export const ATLAS_FAILURE_TABLE: FailureTable = {
  ...FAMILY_FAILURES,
  bodyNotJson: { status: 400, errorCode: 'MALFORMED_JSON', detail: 'Received JSON is malformed.' },
  badRequest: { status: 400, errorCode: 'VALIDATION_ERROR', detail: 'The request content produced the validation error: %s.', parameters: ({ detail }) => [detail] },
};

function missing(errorCode: string, what: string): ErrorRow {
  return { status: 404, errorCode, detail: `No ${what} with ID %s exists for cluster %s.`, parameters: ({ id, clusterName, clusterId }) => [id, clusterName ?? clusterId] };
}

function isTenant(path: unknown): boolean {
  return String(path).includes('/backup/tenant/');
}
