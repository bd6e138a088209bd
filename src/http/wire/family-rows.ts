// Rows that Atlas and Ops Manager answer with the same code and words: of a form that both have from one ancestor.
import type { ErrorRow, ErrorTable, FailureTable } from './mms-failure.ts';

const invalid = (errorCode: string, what: string): ErrorRow => ({ status: 404, errorCode, detail: `An invalid ${what} ID %s was specified.`, parameters: ({ value }) => [value] });

/** What is no id, by the kind that was to be named. */
export const FAMILY_IDS: Readonly<Record<string, ErrorRow>> = {
  group: invalid('INVALID_GROUP_ID', 'group'),
  organization: invalid('INVALID_ORG_ID', 'organization'),
  snapshot: invalid('INVALID_SNAPSHOT_ID', 'snapshot'),
  restoreJob: invalid('INVALID_JOB_ID', 'restore job'),
  checkpoint: invalid('INVALID_CHECKPOINT_ID', 'checkpoint'),
};

export const UNEXPECTED: ErrorRow = { status: 500, errorCode: 'UNEXPECTED_ERROR', detail: 'Unexpected error.' };
export const UNAUTHORIZED: ErrorRow = { status: 401, errorCode: 'USER_UNAUTHORIZED', detail: 'Current user is not authorized to perform this action.' };
export const ATTRIBUTE_INVALID: ErrorRow = { status: 400, errorCode: 'INVALID_ATTRIBUTE', detail: 'Invalid attribute %s specified.', parameters: ({ name }) => [name] };
export const ENUM_UNKNOWN: ErrorRow = { status: 400, errorCode: 'INVALID_ENUM_VALUE', detail: 'An invalid enumeration value %s was specified.', parameters: ({ value }) => [value] };
export const RESTORE_INCOMPLETE: ErrorRow = { status: 409, errorCode: 'CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT', detail: 'Cannot start restore job for incomplete cluster snapshot.' };

export const FAMILY_ROWS: ErrorTable = {
  ORGANIZATION_NOT_FOUND: { status: 404, errorCode: 'ORG_NOT_FOUND', detail: 'No organization with ID %s exists.', parameters: ({ id }) => [id] },
  PROJECT_NAME_NOT_FOUND: { status: 404, errorCode: 'GROUP_NAME_NOT_FOUND', detail: 'No group with name "%s" exists.', parameters: ({ name }) => [name] },
  PROJECT_NAME_AMBIGUOUS: { status: 409, errorCode: 'MULTIPLE_GROUPS', detail: 'Multiple groups exist with the specified name.' },
  TEXT_NOT_STORABLE: ATTRIBUTE_INVALID,
  ROLE_MISSING: UNAUTHORIZED,
  QUERY_INVALID: { status: 400, errorCode: 'INVALID_QUERY_PARAMETER', detail: 'Invalid query parameter %s specified.', parameters: ({ name }) => [name] },
  BODY_NOT_OBJECT: { status: 400, errorCode: 'INVALID_JSON', detail: 'Received JSON does not match expected format.' },
  ATTRIBUTE_MISSING: { status: 400, errorCode: 'MISSING_ATTRIBUTE', detail: 'The required attribute %s was not specified.', parameters: ({ name }) => [name] },
  ATTRIBUTE_UNKNOWN: ATTRIBUTE_INVALID,
  ATTRIBUTE_TYPE: { status: 400, errorCode: 'INVALID_JSON_ATTRIBUTE', detail: 'Received JSON for the %s attribute does not match expected format.', parameters: ({ name }) => [name] },
};

export const FAMILY_FAILURES = {
  bodyTooLarge: { status: 413, errorCode: 'PAYLOAD_TOO_LARGE', detail: 'The request body is larger than %s bytes.', parameters: ({ limitBytes }) => [limitBytes] },
  contentTypeRefused: { status: 415, errorCode: 'UNSUPPORTED_MEDIA_TYPE', detail: 'Cannot read a request body of type "%s": send application/json.', parameters: ({ contentType }) => [contentType] },
  routeNotFound: { status: 404, errorCode: 'RESOURCE_NOT_FOUND', detail: 'Cannot find resource %s.', parameters: ({ path }) => [path] },
  addressRefused: { status: 403, errorCode: 'IP_ADDRESS_NOT_ON_ACCESS_LIST', detail: 'IP address %s is not allowed to access this resource.', parameters: ({ address }) => [address] },
  unavailable: { status: 503, errorCode: 'SERVICE_UNAVAILABLE', detail: 'The service is temporarily unavailable. Try again later.' },
  internal: UNEXPECTED,
} as const satisfies Partial<FailureTable>;
