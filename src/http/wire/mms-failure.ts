// Failures in the error body that all APIs of the family share: `{detail, error, errorCode, parameters, reason}`.
// Which code becomes what stands in each facade's own table; here is only the form.
import { STATUS_CODES } from 'node:http';
import type { LeafvaultError } from '../../foundation/errors.ts';
import type { Failure, FailureAnswer } from '../facade.ts';
import { enveloped } from './answer.ts';
import { jsonText } from './json-text.ts';
import { readMmsQueryOfFailure } from './read-query.ts';

type Details = Readonly<Record<string, unknown>>;

export interface ErrorRow {
  readonly status: number;
  readonly errorCode: string;
  /** Text with `%s` for each parameter, in order. */
  readonly detail: string;
  /** The values inserted in `detail`. */
  readonly parameters?: (details: Details) => readonly unknown[];
}

/** Our code to the facade's row; a function where the row depends on the details. */
export type ErrorTable = Readonly<Record<string, ErrorRow | ((details: Details) => ErrorRow)>>;

/**
 * Rows for what fails before a service is asked. A code that the error table lacks is `unavailable` when the same call
 * may succeed later (the catalog is away), else `internal`.
 */
export type FailureTable = Readonly<Record<'bodyTooLarge' | 'bodyNotJson' | 'contentTypeRefused' | 'badRequest' | 'routeNotFound' | 'addressRefused' | 'unavailable' | 'internal', ErrorRow>>
  /** Credentials were shown and are wrong; where there is no row, they are answered like none. */
  & { readonly wrongCredentials?: ErrorRow };

/** Body of the challenge as recorded: always pretty, without parameters, whatever was asked. */
const CHALLENGE = { error: 401, reason: 'Unauthorized', detail: 'You are not authorized for this resource.', errorCode: 'UNEXPECTED_ERROR' };

interface FailedRequest {
  readonly query: unknown;
  readonly params: unknown;
  readonly originalUrl: string;
}

export function presentMmsFailure(
  failure: Failure,
  request: FailedRequest,
  tables: { readonly errors: ErrorTable; readonly failures: FailureTable },
): FailureAnswer {
  if (failure.kind === 'unauthenticated' && (tables.failures.wrongCredentials === undefined || failure.reason !== 'invalid')) {
    return { status: 401, headers: headersOf(CHALLENGE.errorCode), body: jsonText(CHALLENGE, true) };
  }
  const { row, details } = rowOf(failure, placeOf(request), tables);
  const parameters = row.parameters?.(details) ?? [];
  const body = {
    error: row.status,
    reason: STATUS_CODES[row.status] ?? 'Error',
    detail: fill(row.detail, parameters),
    errorCode: row.errorCode,
    parameters: parameters.map(String),
  };
  const { envelope, pretty } = readMmsQueryOfFailure(request.query);
  const retryAfter = details['retryAfterSeconds'];
  return {
    status: row.status,
    headers: { ...headersOf(row.errorCode), ...(typeof retryAfter === 'number' ? { 'retry-after': String(retryAfter) } : {}) },
    body: jsonText(envelope ? enveloped(row.status, body) : body, pretty),
  };
}

function headersOf(errorCode: string): Readonly<Record<string, string>> {
  return { 'content-type': 'application/json', 'x-error-code': errorCode };
}

function rowOf(
  failure: Failure,
  place: Details,
  { errors, failures }: { readonly errors: ErrorTable; readonly failures: FailureTable },
): { readonly row: ErrorRow; readonly details: Details } {
  switch (failure.kind) {
    case 'error': return rowOfError(failure.error, place, { errors, failures });
    case 'unauthenticated': return { row: failures.wrongCredentials ?? failures.internal, details: {} };
    case 'addressRefused': return { row: failures.addressRefused, details: { address: failure.address } };
    case 'routeNotFound': return { row: failures.routeNotFound, details: place };
    case 'bodyTooLarge': return { row: failures.bodyTooLarge, details: { limitBytes: failure.limitBytes } };
    case 'contentTypeRefused': return { row: failures.contentTypeRefused, details: { contentType: failure.contentType } };
    case 'bodyNotJson': return { row: failures.bodyNotJson, details: {} };
    case 'badRequest': return { row: failures.badRequest, details: { detail: failure.detail } };
    case 'internal': return { row: failures.internal, details: {} };
  }
}

function rowOfError(
  error: LeafvaultError, place: Details, { errors, failures }: { readonly errors: ErrorTable; readonly failures: FailureTable },
): { readonly row: ErrorRow; readonly details: Details } {
  const details = { ...place, ...error.details };
  const entry = errors[error.code];
  const row = typeof entry === 'function' ? entry(details) : entry;
  return { row: row ?? (error.retryable ? failures.unavailable : failures.internal), details };
}

/** What every row may speak of beside the details of the failure: the path, and the cluster named in it. */
function placeOf(request: FailedRequest): Details {
  const clusterName = (request.params as Details | null | undefined)?.['clusterName'];
  return { path: request.originalUrl.split('?', 1)[0], ...(clusterName === undefined ? {} : { clusterName }) };
}

function fill(detail: string, parameters: readonly unknown[]): string {
  let at = 0;
  return detail.replace(/%s/g, () => String(parameters[at++] ?? ''));
}
