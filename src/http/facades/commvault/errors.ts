// Our codes to the body and status of Commvault: `{errorMessage, errorCode}`, always JSON. Numbers from the vendor's own
// answers; the statuses that differ from its docs are named in docs/reference/commvault.md.
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { Failure, FailureAnswer } from '../../facade.ts';

/** Codes that this facade raises itself. */
export const COMMVAULT_ERRORS = {
  CLIENT_MISSING: 'An association names no client. No details',
  INSTANCE_MISSING: 'An association names no instance. No details',
  SUBCLIENT_MISSING: 'An association names no subclient. No details',
  ENTITY_NOT_FOUND: 'No client, instance, backup set or subclient of that name is visible. details: {kind, name}',
  ENTITY_UNKNOWN: 'Nothing that is visible has that number in the tree. details: {kind, name}',
  ENTITY_AMBIGUOUS: 'Several instances fit the names; ids would tell them apart. details: {clientName, instanceName}',
  TARGET_AMBIGUOUS: 'Several instances have the host that names the target of a restore. details: {host, names}',
  IDS_DISAGREE: 'An id of an association belongs to something else than its names. details: {name}',
  TASK_UNSUPPORTED: 'The task is understood and not offered. details: {what}',
} as const;

/** Numbers that the vendor answers with. */
const NOT_SPECIFIED = 4;
const NAME_TAKEN = 3;
const ACCESS_DENIED = 5;
const TASK_FAILED = 587_203_993;
const NO_SUBCLIENT = 587_207_178;

interface Row {
  readonly status: number;
  readonly errorCode: number;
  message(details: Readonly<Record<string, unknown>>): string;
}

const FORMAT = 'Request body is empty or format is invalid';
const malformed: Row = { status: 400, errorCode: TASK_FAILED, message: ({ name }) => (name === undefined || name === '' ? FORMAT : `${FORMAT}: ${String(name)}`) };
const noSubclient = (why: (details: Readonly<Record<string, unknown>>) => string): Row => ({
  status: 404, errorCode: NO_SUBCLIENT, message: (details) => `Failed to start backups as no eligible subclients were found. ${why(details)}`,
});
const taskFailed = (status: number, why: (details: Readonly<Record<string, unknown>>) => string): Row => ({
  status, errorCode: TASK_FAILED, message: (details) => `Failed to run task. ${why(details)}`,
});

const ROWS: Readonly<Record<string, Row>> = {
  CLIENT_MISSING: { status: 404, errorCode: NOT_SPECIFIED, message: () => 'No client is specified' },
  INSTANCE_MISSING: { status: 404, errorCode: NOT_SPECIFIED, message: () => 'No instance is specified' },
  SUBCLIENT_MISSING: { status: 404, errorCode: NOT_SPECIFIED, message: () => 'No subclient is specified' },
  ENTITY_NOT_FOUND: noSubclient(({ kind, name }) => `No ${String(kind)} named [${String(name)}]`),
  ENTITY_UNKNOWN: { status: 404, errorCode: NOT_SPECIFIED, message: ({ kind, name }) => `No ${String(kind)} [${String(name)}]` },
  SUBCLIENT_EMPTY: { status: 400, errorCode: NO_SUBCLIENT, message: ({ name }) => `Failed to start backups as no eligible subclients were found. Subclient [${String(name)}] has no content` },
  SELECTION_EMPTY: { status: 400, errorCode: NO_SUBCLIENT, message: () => 'Failed to start backups as no eligible subclients were found. The namespaces of the backup configuration leave out all of its content' },
  SUBCLIENT_EXISTS: { status: 409, errorCode: NAME_TAKEN, message: ({ name }) => `A subclient named [${String(name)}] exists already` },
  SUBCLIENT_NAME_INVALID: { status: 400, errorCode: TASK_FAILED, message: ({ name }) => `A subclient can not be named [${String(name)}]` },
  SUBCLIENT_FIXED: { status: 400, errorCode: TASK_FAILED, message: ({ what }) => `The subclient [default] is everything and can not be ${String(what)}` },
  SELECTION_INVALID: { status: 400, errorCode: TASK_FAILED, message: ({ value }) => `[${String(value)}] is no database or collection that can be chosen` },
  SCHEDULE_INVALID: taskFailed(400, ({ reason }) => `The schedule of the instance can not hold this: ${String(reason)}`),
  SUBCLIENT_NOT_FOUND: noSubclient(({ name }) => `No subclient named [${String(name)}]`),
  ENTITY_AMBIGUOUS: taskFailed(400, ({ clientName, instanceName }) => `Several instances are named [${String(clientName)}] [${String(instanceName)}]: give their ids`),
  IDS_DISAGREE: taskFailed(400, ({ name }) => `${String(name)} does not belong to the named entity`),
  TASK_UNSUPPORTED: taskFailed(400, ({ what }) => `${String(what)} is not supported`),
  SNAPSHOT_NOT_FOUND: taskFailed(404, ({ id }) => `No snapshot named [${String(id)}]`),
  NAMESPACE_NOT_FOUND: { status: 404, errorCode: NOT_SPECIFIED, message: ({ name }) => `[${String(name)}] is in no snapshot that was looked into` },
  SNAPSHOT_NOT_COMPLETE: taskFailed(409, ({ id }) => `Snapshot [${String(id)}] is not complete`),
  TARGET_NOT_FOUND: taskFailed(404, ({ name, id }) => `No target instance named [${String(name ?? id)}]`),
  TARGET_AMBIGUOUS: taskFailed(400, ({ host, names }) => `Several instances have the host [${String(host)}], name one of them as destinationInstance: ${[names].flat().join(', ')}`),
  TARGET_FORBIDDEN: taskFailed(403, () => 'The user may not restore to the target'),
  CLUSTER_NOT_FOUND: taskFailed(404, ({ name, id }) => `No instance named [${String(name ?? id)}]`),
  PROJECT_NOT_FOUND: taskFailed(404, ({ id }) => `No client [${String(id)}]`),
  ROLE_MISSING: { status: 403, errorCode: ACCESS_DENIED, message: () => 'The user does not have the permission that this operation needs' },
  JOB_NOT_FOUND: { status: 404, errorCode: NOT_SPECIFIED, message: ({ number, id }) => `Job [${String(number ?? id)}] does not exist` },
  JOB_NOT_PAUSABLE: { status: 409, errorCode: TASK_FAILED, message: ({ why }) => `The job can not be suspended: ${String(why)}` },
  JOB_NOT_PAUSED: { status: 409, errorCode: TASK_FAILED, message: ({ state }) => `The job is not suspended: it is ${String(state)}` },
  JOB_NOT_REPEATABLE: { status: 409, errorCode: TASK_FAILED, message: ({ why }) => `The job can not be submitted again: ${String(why)}` },
  CONTINUOUS_NO_WINDOW: taskFailed(400, () => 'The instance has no time between its snapshots that can be restored: continuous backup is off, or has just begun'),
  CONTINUOUS_IN_FUTURE: taskFailed(400, () => 'The time lies in the future'),
  CONTINUOUS_NOT_YET: taskFailed(400, () => 'The time lies behind what was followed so far'),
  CONTINUOUS_IN_GAP: taskFailed(400, () => 'The time lies in a gap of what was followed'),
  LEAVE_OUT_BEFORE_BASE: taskFailed(400, () => 'What is to be left out lies before the first snapshot that could be restored without it'),
  CONTINUOUS_OUTSIDE_WINDOW: taskFailed(400, () => 'The time lies outside of what was followed'),
  JOB_NOT_CANCELLABLE: { status: 409, errorCode: TASK_FAILED, message: ({ state }) => `The job is already ${String(state)}` },
  COMPLIANCE_PROTECTED: taskFailed(403, () => 'The backup compliance policy of the client forbids it'),
  BODY_NOT_OBJECT: malformed,
  ATTRIBUTE_MISSING: malformed,
  ATTRIBUTE_UNKNOWN: malformed,
  ATTRIBUTE_TYPE: malformed,
  ATTRIBUTE_INVALID: malformed,
  TEXT_NOT_STORABLE: malformed,
  ENUM_UNKNOWN: malformed,
  QUERY_INVALID: { status: 400, errorCode: TASK_FAILED, message: ({ name }) => `Invalid value for ${String(name)}` },
};

/** What is understood and not offered. @param what begins a sentence: `A list of media` */
export function unsupported(what: string): LeafvaultError {
  return new LeafvaultError('TASK_UNSUPPORTED', `Reading a request failed: ${what} is not supported`, { details: { what } });
}

/** What a failed action says inside a body that answers 200. */
export function wordsOf(error: LeafvaultError): { readonly errorCode: number; readonly errorMessage: string } {
  const row = ROWS[error.code];
  return row === undefined
    ? { errorCode: 1, errorMessage: error.retryable ? 'The service is temporarily unavailable. Try again later.' : 'Internal error' }
    : { errorCode: row.errorCode, errorMessage: row.message(error.details) };
}

export function presentFailure(failure: Failure): FailureAnswer {
  switch (failure.kind) {
    // The SDK recognises exactly this pair, renews its token once and tries again.
    case 'unauthenticated': return answer(401, ACCESS_DENIED, 'Access denied');
    case 'addressRefused': return answer(403, ACCESS_DENIED, `IP address ${failure.address} is not allowed to access this resource`);
    case 'routeNotFound': return answer(404, NOT_SPECIFIED, 'No such operation');
    case 'bodyTooLarge': return answer(413, TASK_FAILED, `The request body is larger than ${failure.limitBytes} bytes`);
    case 'bodyNotJson': return answer(400, TASK_FAILED, FORMAT);
    case 'contentTypeRefused': return answer(415, TASK_FAILED, `Cannot read a request body of type "${failure.contentType}": send application/json`);
    case 'badRequest': return answer(400, TASK_FAILED, FORMAT);
    case 'internal': return answer(500, 1, 'Internal error');
    case 'error': {
      const { errorCode, errorMessage } = wordsOf(failure.error);
      return answer(ROWS[failure.error.code]?.status ?? (failure.error.retryable ? 503 : 500), errorCode, errorMessage);
    }
  }
}

function answer(status: number, errorCode: number, errorMessage: string): FailureAnswer {
  return { status, body: { errorMessage, errorCode } };
}
