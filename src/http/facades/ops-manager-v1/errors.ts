// Our codes to the body and status of Ops Manager. Codes and texts from the vendor's list of error codes where it has one;
// the others are marked in docs/reference/ops-manager.md.
import { KEY_MISSING, KEY_ROWS } from '../../wire/atlas/administration-errors.ts';
import { COMPLIANCE_ROWS } from '../../wire/compliance-rows.ts';
import { ATTRIBUTE_INVALID, ENUM_UNKNOWN, FAMILY_FAILURES, FAMILY_IDS, FAMILY_ROWS, RESTORE_INCOMPLETE, UNAUTHORIZED, UNEXPECTED } from '../../wire/family-rows.ts';
import { instantRows } from '../../wire/instant-rows.ts';
import { MMS_BACKUP_ROWS } from '../../wire/mms-backup/errors.ts';
import type { ErrorRow, ErrorTable, FailureTable } from '../../wire/mms-failure.ts';

/** Codes that this facade raises itself. */
export const OPS_MANAGER_V1_ERRORS = {
  BACKUP_STATE_UNSETTABLE: 'A state of backups that nobody can ask for. details: {value}',
  FILTER_AMBIGUOUS: 'Namespaces are both included and excluded. No details',
  FILTER_PATTERN: 'A name of a filter of namespaces is a pattern. details: {value}',
  AUTH_MECHANISM_UNKNOWN: 'An authentication mechanism is none that MongoDB has. details: {value}',
  CONNECTION_FIXED: 'An attribute speaks of how a cluster is reached, which its connection string says. details: {name}',
  CHECKPOINTS_UNFIT: 'An interval of checkpoints was given to a cluster that has none. details: {name}',
  QUERY_MISSING: 'A required query parameter is absent. details: {name}',
  HOST_NOT_FOUND: 'No such host in the group. details: {id}',
  NOT_CONFIG_SERVER: 'Something was asked of a host that only config servers have. details: {id}',
  SNAPSHOT_UNFINISHED: 'The expiry of a snapshot that is not complete cannot be changed. details: {id}',
} as const;

const HOST_MISSING: ErrorRow = { status: 404, errorCode: 'HOST_NOT_FOUND', detail: 'No host with ID or name %s exists in the group.', parameters: ({ id, value }) => [id ?? value] };

const INVALID_BY_KIND: Readonly<Record<string, ErrorRow>> = {
  ...FAMILY_IDS,
  cluster: { status: 404, errorCode: 'INVALID_CLUSTER_ID', detail: 'An invalid cluster ID %s was specified.', parameters: ({ value }) => [value] },
  apiKey: KEY_MISSING,
  host: HOST_MISSING,
};

/** Words of the vendor for the rules of a schedule; the others speak of how long something is kept. */
const SCHEDULE_BY_RULE: Readonly<Record<string, ErrorRow>> = {
  interval: { status: 400, errorCode: 'INVALID_SNAPSHOT_INTERVAL', detail: 'Invalid snapshot interval: %s.', parameters: ({ reason }) => [reason] },
  restoreWindow: { status: 400, errorCode: 'CANNOT_SET_POINT_IN_TIME_WINDOW', detail: 'Cannot set the point in time window: %s.', parameters: ({ reason }) => [reason] },
};
const retentionRow = (tier: string, words: string): ErrorRow => ({ status: 400, errorCode: `INVALID_${tier}SNAPSHOT_RETENTION_PERIOD`, detail: `Invalid ${words}snapshot retention period: %s.`, parameters: ({ reason }) => [reason] });
const RETENTION_INVALID = retentionRow('', '');
const RETENTION_BY_FREQUENCY: Readonly<Record<string, ErrorRow>> = { daily: retentionRow('DAILY_', 'daily '), weekly: retentionRow('WEEKLY_', 'weekly '), monthly: retentionRow('MONTHLY_', 'monthly ') };

/** Attributes of a schedule for whose values the vendor has a code. */
const BY_ATTRIBUTE: Readonly<Record<string, ErrorRow>> = {
  referenceHourOfDay: { status: 400, errorCode: 'INVALID_REFERENCE_HOUR_OF_DAY', detail: 'Snapshot schedule reference hour must be between 0 and 23, inclusive.' },
  referenceMinuteOfHour: { status: 400, errorCode: 'INVALID_REFERENCE_MINUTE_OF_HOUR', detail: 'Snapshot schedule reference minute must be between 0 and 59, inclusive.' },
  referenceTimeZoneOffset: { status: 400, errorCode: 'INVALID_REFERENCE_TIMEZONE_OFFSET', detail: 'Snapshot schedule timezone offset must be +0000: times are UTC here.' },
  clusterCheckpointIntervalMin: { status: 400, errorCode: 'INVALID_CLUSTER_CHECKPOINT_INTERVAL', detail: 'Cluster checkpoint interval must be 15, 30 or 60 minutes.' },
};
const BACKUP_STATE_BY_TARGET = (verb: string): ErrorRow => ({ status: 409, errorCode: `CANNOT_${verb.toUpperCase()}_BACKUP_INVALID_STATE`, detail: `Cannot ${verb} backup unless the cluster is in the %s state; it is %s.`, parameters: ({ from, to }) => [to === 'started' ? 'INACTIVE or STOPPED' : to === 'stopped' ? 'STARTED' : 'STOPPED', String(from).toUpperCase()] });
const [CANNOT_START, CANNOT_STOP, CANNOT_TERMINATE] = ['start', 'stop', 'terminate'].map(BACKUP_STATE_BY_TARGET) as [ErrorRow, ErrorRow, ErrorRow];
const filterRow = (detail: string): ErrorRow => ({ status: 400, errorCode: 'INVALID_FILTERLIST', detail, parameters: ({ value }) => (value === undefined ? [] : [value]) });

const NEGATIVE: ErrorRow = { status: 400, errorCode: 'ATTRIBUTE_NEGATIVE', detail: 'The attribute %s cannot be negative.', parameters: ({ name }) => [name] };
const NEGATIVE_OR_ZERO: ErrorRow = { status: 400, errorCode: 'ATTRIBUTE_NEGATIVE_OR_ZERO', detail: 'The attribute %s cannot be negative or zero.', parameters: ({ name }) => [name] };
const SNAPSHOT_MISSING: ErrorRow = { status: 404, errorCode: 'SNAPSHOT_NOT_FOUND', detail: 'No snapshot with ID %s exists for cluster %s.', parameters: ({ id, clusterId }) => [id, clusterId] };
const SNAPSHOT_GONE: ErrorRow = { status: 409, errorCode: 'CANNOT_START_RESTORE_JOB_FOR_DELETED_CLUSTER_SNAPSHOT', detail: 'Cannot start restore job for deleted cluster snapshot.' };

const ERRORS: ErrorTable = {
  ...FAMILY_ROWS,
  ...KEY_ROWS,
  CREDENTIAL_NOT_FOUND: KEY_MISSING,
  PROJECT_NOT_FOUND: { status: 401, errorCode: 'NOT_IN_GROUP', detail: 'The current user is not in the group, or the group does not exist.' },
  CLUSTER_NOT_FOUND: { status: 404, errorCode: 'CLUSTER_NOT_FOUND', detail: 'No cluster with ID %s exists in group %s.', parameters: ({ id, projectId }) => [id, projectId] },
  TARGET_NOT_FOUND: { status: 404, errorCode: 'CLUSTER_NOT_FOUND', detail: 'No cluster with ID %s exists in group %s.', parameters: ({ id, name, projectId }) => [id ?? name, projectId] },
  TARGET_FORBIDDEN: UNAUTHORIZED,
  SNAPSHOT_NOT_FOUND: ({ deleted }) => (deleted === true ? SNAPSHOT_GONE : SNAPSHOT_MISSING),
  SNAPSHOT_NOT_COMPLETE: RESTORE_INCOMPLETE,
  RESTORE_NOT_FOUND: { status: 404, errorCode: 'RESTORE_JOB_NOT_FOUND', detail: 'No restore job with ID %s exists for cluster %s.', parameters: ({ id, clusterId }) => [id, clusterId] },
  EXPIRY_INVALID: { status: 400, errorCode: 'INVALID_ATTRIBUTE', detail: 'Invalid attribute %s specified.', parameters: () => ['expires'] },
  ...COMPLIANCE_ROWS,
  BACKUP_STATE_INVALID: ({ to }) => (to === 'started' ? CANNOT_START : to === 'stopped' ? CANNOT_STOP : CANNOT_TERMINATE),
  BACKUP_STATE_UNSETTABLE: { status: 403, errorCode: 'UNSUPPORTED_SET_BACKUP_STATE', detail: 'Setting the backup state to %s is not supported.', parameters: ({ value }) => [value] },
  SELECTION_INVALID: filterRow('The namespace %s is no name of a database or collection. Give it as database or database.collection.'),
  FILTER_AMBIGUOUS: filterRow('Backup configuration cannot specify both included namespaces and excluded namespaces. Send one list, and the other one empty or not at all.'),
  FILTER_PATTERN: filterRow('The namespace %s is a pattern, which is not supported. Name each database or collection in full.'),
  AUTH_MECHANISM_UNKNOWN: { status: 400, errorCode: 'INVALID_AUTH_MECHANISM', detail: 'An invalid authentication mechanism %s was specified.', parameters: ({ value }) => [value] },
  CONNECTION_FIXED: { status: 403, errorCode: 'UNSUPPORTED_FOR_CURRENT_CONFIG', detail: 'The attribute %s cannot be set: it follows from the connection string of the cluster.', parameters: ({ name }) => [name] },
  CHECKPOINTS_UNFIT: { status: 400, errorCode: 'CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET', detail: 'The cluster checkpoint interval can only be set for sharded clusters, not replica sets.' },
  QUERY_MISSING: { status: 400, errorCode: 'MISSING_QUERY_PARAMETER', detail: 'The required query parameter %s was not specified.', parameters: ({ name }) => [name] },
  HOST_NOT_FOUND: HOST_MISSING,
  NOT_CONFIG_SERVER: { status: 404, errorCode: 'NOT_CONFIG_SERVER', detail: 'Host %s is not an SCCC config server.', parameters: ({ id }) => [id] },

  ID_MALFORMED: ({ kind }) => INVALID_BY_KIND[String(kind)] ?? UNEXPECTED,
  ATTRIBUTE_INVALID: ({ name, mayBeZero }) => BY_ATTRIBUTE[String(name)] ?? (mayBeZero === undefined ? ATTRIBUTE_INVALID : mayBeZero === true ? NEGATIVE : NEGATIVE_OR_ZERO),
  ENUM_UNKNOWN: ({ name }) => BY_ATTRIBUTE[String(name)] ?? ENUM_UNKNOWN,

  ...MMS_BACKUP_ROWS,
  ...instantRows({ status: 409, errorCode: 'NO_CHECKPOINT_FOR_PIT_RESTORE' }),
  SNAPSHOT_UNFINISHED: { status: 403, errorCode: 'CANNOT_MODIFY_SNAPSHOT', detail: 'Cannot modify snapshot %s: it is not complete.', parameters: ({ id }) => [id] },
  SCHEDULE_INVALID: ({ rule, frequencyType }) => SCHEDULE_BY_RULE[String(rule)] ?? RETENTION_BY_FREQUENCY[String(frequencyType)] ?? RETENTION_INVALID,
};

const FAILURES: FailureTable = {
  ...FAMILY_FAILURES,
  wrongCredentials: UNAUTHORIZED,
  bodyNotJson: { status: 400, errorCode: 'INVALID_JSON', detail: 'Received JSON does not match expected format.' },
  badRequest: { status: 400, errorCode: 'INVALID_JSON', detail: 'Received JSON does not match expected format.' },
};

export const OPS_MANAGER_V1_TABLES = { errors: ERRORS, failures: FAILURES };
