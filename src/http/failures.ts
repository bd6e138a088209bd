// From anything thrown on the way of a request to a `Failure`, the form that facades present.
import { isLeafvaultError } from '../foundation/errors.ts';
import type { Failure } from './facade.ts';

/** Carries a failure through Fastify to the error handler. */
export class RequestFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`Request failed: ${failure.kind}`);
    this.name = 'RequestFailure';
    this.failure = failure;
  }
}

export interface FailureSubject {
  readonly requestId: string;
  readonly contentType: string;
  readonly bodyLimitBytes: number;
}

/** What went wrong, told without inner words: those go to the log under the request's id. */
export function failureOf(error: unknown, subject: FailureSubject): Failure {
  if (error instanceof RequestFailure) return error.failure;
  if (isLeafvaultError(error)) return { kind: 'error', error };
  const { code, statusCode } = readFastifyError(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return { kind: 'bodyTooLarge', limitBytes: subject.bodyLimitBytes };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return { kind: 'contentTypeRefused', contentType: subject.contentType };
  if (statusCode >= 400 && statusCode < 500 && error instanceof Error) return { kind: 'badRequest', detail: error.message };
  return { kind: 'internal', requestId: subject.requestId };
}

function readFastifyError(error: unknown): { readonly code: string; readonly statusCode: number } {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  return { code: typeof code === 'string' ? code : '', statusCode: typeof statusCode === 'number' ? statusCode : 500 };
}
