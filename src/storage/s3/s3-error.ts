// What an S3 server or the SDK fails with, as our codes: what to do next, and whether trying again can help.
import { LeafvaultError } from '../../foundation/errors.ts';

/** The part of the SDK's errors that tells anything. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: unknown;
}

const DENIED = ['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'TokenRefreshRequired', 'CredentialsProviderError', 'Forbidden', 'XAdminUserNotFound', 'AccountProblem'];
const FULL = ['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'EntityTooLarge'];
const FOR_GOOD = ['NoSuchBucket', 'InvalidBucketName', 'PermanentRedirect', 'AuthorizationHeaderMalformed', 'InvalidArgument', 'InvalidRequest', 'MethodNotAllowed', 'BadDigest'];

/** Servers answer a held object and a missing right with the same code; their words differ. */
const HELD = /object ?lock|\bWORM\b|retention/i;
const NO_LOCK = ['ObjectLockConfigurationNotFoundError', 'LockNotEnabled'];

export function statusOf(error: unknown): number | null {
  return (error as SdkError | null)?.$metadata?.httpStatusCode ?? null;
}

export function nameOf(error: unknown): string {
  return (error as SdkError | null)?.name ?? '';
}

/** By name alone: a server may say 404 of a key's owner as well, and an object that only seems to be missing would be taken for lost. */
export function isMissing(error: unknown): boolean {
  return nameOf(error) === 'NoSuchKey' || nameOf(error) === 'NotFound';
}

/** The condition of a conditional put was not met. */
export function isTaken(error: unknown): boolean {
  return statusOf(error) === 412 || nameOf(error) === 'PreconditionFailed';
}

/** A server that knows no conditional put says so, or says that it does not know the header. */
export function isNotImplemented(error: unknown): boolean {
  return statusOf(error) === 501 || nameOf(error) === 'NotImplemented';
}

export const NO_LOCK_HINT = 'Make a bucket with object lock (aws s3api create-bucket --object-lock-enabled-for-bucket), or switch it on for this one (versioning, then put-object-lock-configuration); or take objectLock out of the settings';

/** @param doing `Storing packs/ab/…` */
export function s3Error(doing: string, address: string, cause: unknown): LeafvaultError {
  const error = cause as SdkError;
  const status = statusOf(cause);
  const name = nameOf(cause);
  const why = [name === 'Error' || name === '' ? error.code : name, error.message].filter((part) => part !== undefined && part !== '').join(': ');
  const make = (code: string, hint: string | undefined, retryable: boolean): LeafvaultError =>
    new LeafvaultError(code, `${doing} at ${address} failed: ${why}`, { cause, retryable, ...(hint === undefined ? {} : { hint }) });
  if (NO_LOCK.includes(name) || /missing ?object ?lock ?config/i.test(error.message ?? '')) return make('STORAGE_LOCK_UNAVAILABLE', NO_LOCK_HINT, false);
  if (/^Deleting/.test(doing) && HELD.test(`${name} ${error.message ?? ''}`)) return make('STORAGE_LOCKED', 'It goes when its lock is over', false);
  if (DENIED.includes(name) || status === 401 || status === 403) {
    return make('STORAGE_DENIED', name === 'CredentialsProviderError'
      ? 'Give credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or an instance role'
      : 'The key needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on the bucket and its prefix; for object lock and for the past see docs/guides/object-lock.md', false);
  }
  if (FULL.includes(name) || status === 507) return make('STORAGE_FULL', 'Make room in the bucket, or raise its quota', false);
  if (name === 'NoSuchBucket') return make('STORAGE_FAILED', 'Make the bucket first, or correct its name', false);
  if (FOR_GOOD.includes(name) || (status !== null && status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status))) return make('STORAGE_FAILED', undefined, false);
  // Servers that are busy, connections that broke, names that did not resolve, answers that came too late.
  return make('STORAGE_FAILED', 'Is the endpoint right, and can it be reached from here?', true);
}
