// Our codes around projects, clusters and credentials to the body and status of Atlas. Codes of the vendor where they are known from
// its clients or its answers; the others are marked in docs/reference/atlas.md.
import type { ErrorRow, ErrorTable } from '../mms-failure.ts';

/** Codes that these operations raise themselves. */
export const ADMINISTRATION_ERRORS = {
  OPERATION_UNKNOWN: 'No operation has that path. No details',
  ENDPOINT_SET_UNKNOWN: 'There is no such set of endpoints with a rate limit. details: {id}',
} as const;

export const KEY_MISSING: ErrorRow = { status: 404, errorCode: 'API_KEY_NOT_FOUND', detail: 'No API key with ID %s exists.', parameters: ({ reference, value }) => [reference ?? value] };
const ACCOUNT_MISSING: ErrorRow = { status: 404, errorCode: 'SERVICE_ACCOUNT_NOT_FOUND', detail: "The specified service account doesn't exist." };
const EVENT_MISSING: ErrorRow = { status: 404, errorCode: 'EVENT_NOT_FOUND', detail: 'No event with ID %s exists.', parameters: ({ id, value }) => [id ?? value] };
const resource = (name: string): ErrorRow => ({ status: 404, errorCode: 'RESOURCE_NOT_FOUND', detail: 'Cannot find resource %s.', parameters: (details) => [details[name]] });

/** Ids in paths that cannot be any. */
export const ADMINISTRATION_IDS: Readonly<Record<string, ErrorRow>> = { apiKey: KEY_MISSING, event: EVENT_MISSING };

/** Of API keys and their access lists, which more doors than Atlas's have. */
export const KEY_ROWS: ErrorTable = {
  CREDENTIAL_NOT_FOUND: ({ kind }) => (kind === 'serviceAccount' ? ACCOUNT_MISSING : KEY_MISSING),
  ROLE_UNFIT: { status: 400, errorCode: 'INVALID_ENUM_VALUE', detail: 'An invalid enumeration value %s was specified.', parameters: ({ role }) => [role] },
  GRANT_TOO_WIDE: { status: 403, errorCode: 'CANNOT_GRANT_ROLES', detail: 'Current user cannot give, or change a credential that holds, roles beyond its own.' },
  LAST_OWNER: { status: 409, errorCode: 'CANNOT_REMOVE_LAST_ORG_OWNER', detail: 'The organization %s must keep an owner.', parameters: ({ orgId }) => [orgId] },
  ACCESS_ENTRY_INVALID: { status: 400, errorCode: 'INVALID_IP_ADDRESS_OR_CIDR_NOTATION', detail: 'The address %s must be in valid IP address or CIDR notation.', parameters: ({ entry }) => [entry] },
  ACCESS_ENTRY_NOT_FOUND: { status: 404, errorCode: 'IP_ADDRESS_NOT_FOUND_IN_API_KEY_ACCESS_LIST', detail: 'IP address %s does not exist in the corresponding access list.', parameters: ({ entry }) => [entry] },
  ACCESS_ENTRY_OWN: { status: 400, errorCode: 'CANNOT_REMOVE_CALLER_FROM_ACCESS_LIST', detail: 'Cannot remove caller\'s IP address %s from access list.', parameters: ({ address }) => [address] },
  ACCESS_LIST_FULL: { status: 400, errorCode: 'ACCESS_LIST_TOO_LONG', detail: 'An access list holds %s entries at most.', parameters: ({ limit }) => [limit] },
};

export const ADMINISTRATION_ROWS: ErrorTable = {
  ...KEY_ROWS,
  OPERATION_UNKNOWN: resource('path'),
  ENDPOINT_SET_UNKNOWN: resource('id'),
  PROJECT_NAME_TAKEN: { status: 409, errorCode: 'GROUP_ALREADY_EXISTS', detail: 'A group with name "%s" already exists.', parameters: ({ name }) => [name] },
  PROJECT_HAS_CLUSTERS: { status: 409, errorCode: 'CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS', detail: 'Cannot close group while it has active clusters; please terminate all clusters.' },
  PROJECT_HAS_SNAPSHOTS: { status: 409, errorCode: 'CANNOT_CLOSE_GROUP_ACTIVE_BACKUPS', detail: 'Cannot close group while it has active backups; please terminate all backups.' },
  USER_NOT_FOUND: { status: 404, errorCode: 'USER_NOT_FOUND', detail: 'No user with ID %s exists.', parameters: ({ id }) => [id] },
  CLUSTER_NAME_TAKEN: { status: 409, errorCode: 'DUPLICATE_CLUSTER_NAME', detail: 'A cluster named %s is already present in group %s.', parameters: ({ name, projectId }) => [name, projectId] },
  CLUSTER_NAME_KEPT: { status: 409, errorCode: 'DUPLICATE_CLUSTER_NAME', detail: 'Snapshots of a deleted cluster named %s are kept in group %s. Delete them, or choose another name.', parameters: ({ name, projectId }) => [name, projectId] },
  CLUSTER_URI_INVALID: { status: 400, errorCode: 'INVALID_CONNECTION_STRING', detail: 'The connection string is none: write mongodb://user:password@host:27017/?replicaSet=rs0.' },
  CLUSTER_UNREACHABLE: { status: 400, errorCode: 'CLUSTER_UNREACHABLE', detail: 'The cluster could not be registered. %s.', parameters: ({ reason }) => [reason] },
  CLUSTER_UNFIT: { status: 400, errorCode: 'UNSUPPORTED_CLUSTER_SETTING', detail: 'The cluster cannot be used this way: %s.', parameters: ({ reason }) => [reason] },
  CLUSTER_PROTECTED: { status: 400, errorCode: 'CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED', detail: 'Cannot terminate a cluster when termination protection is enabled. Disable termination protection and try again.' },
  CLUSTER_BUSY: { status: 409, errorCode: 'CANNOT_TERMINATE_CLUSTER_WHILE_RESTORING', detail: 'Cannot terminate cluster %s while a restore from it or into it is in progress.', parameters: ({ name }) => [name] },
  BACKUP_STATE_INVALID: { status: 409, errorCode: 'CANNOT_START_BACKUP_INVALID_STATE', detail: 'Cannot start the backup of cluster %s while its snapshots are being deleted.', parameters: ({ name }) => [name] },
  SECRET_NOT_FOUND: resource('id'),
  SECRETS_TOO_MANY: { status: 400, errorCode: 'SERVICE_ACCOUNT_SECRETS_LIMIT_REACHED', detail: 'A service account has %s secrets at most.', parameters: ({ limit }) => [limit] },
  SECRET_LIFE_INVALID: { status: 400, errorCode: 'INVALID_ATTRIBUTE', detail: 'Invalid attribute %s specified.', parameters: () => ['secretExpiresAfterHours'] },
  EVENT_NOT_FOUND: EVENT_MISSING,
};
