// Parts of objects in a bucket, and what reading them fails with.
import { LeafvaultError } from '../../foundation/errors.ts';
import { nameOf, statusOf } from './s3-error.ts';

export type Range = { readonly offset: number; readonly length: number };

export function rangeHeader(range: Range | undefined): { readonly Range?: string } {
  return range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
}

export function isPastEnd(error: unknown): boolean {
  return statusOf(error) === 416 || nameOf(error) === 'InvalidRange';
}

/** @throws STORAGE_RANGE_INVALID */
export function refuseOddRange(name: string, range: Range): void {
  if (range.offset < 0 || range.length < 0) throw pastEnd(name, range);
}

/** S3 has no range without bytes. @throws STORAGE_OBJECT_MISSING, STORAGE_RANGE_INVALID */
export function emptyRange(name: string, offset: number, size: number | null): Buffer {
  if (size === null) throw missing(name);
  if (offset > size) throw pastEnd(name, { offset, length: 0 });
  return Buffer.alloc(0);
}

export function pastEnd(name: string, { offset, length }: Range): LeafvaultError {
  return new LeafvaultError('STORAGE_RANGE_INVALID', `Reading bytes ${offset} to ${offset + length} of ${name} failed: it is shorter`, { details: { name } });
}

export function missing(name: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('STORAGE_OBJECT_MISSING', `Reading ${name} failed: there is no such object`, { details: { name }, cause });
}
