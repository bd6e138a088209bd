// Bytes of one object of a bucket, whole or in part, of the newest version or of a named one.
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Bucket } from './bucket.ts';
import { isPastEnd, missing, pastEnd, rangeHeader, type Range } from './ranges.ts';
import { isMissing, s3Error } from './s3-error.ts';

/** Far more than any object has: an answer without an end must not fill the memory. */
const MOST_BYTES = 2 ** 30;

export interface Wanted {
  /** With at least one byte: S3 has no empty one. Absent: the whole object. */
  readonly range?: Range | undefined;
  readonly versionId?: string;
  readonly signal?: AbortSignal | undefined;
}

/** @throws STORAGE_OBJECT_MISSING, STORAGE_RANGE_INVALID, and what `s3Error` says */
export async function getObject({ client, Bucket, text, keyOf }: Bucket, name: string, { range, versionId, signal }: Wanted): Promise<Buffer> {
  try {
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket, Key: keyOf(name), ...(versionId === undefined ? {} : { VersionId: versionId }), ...rangeHeader(range) }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    const got = Body === undefined ? Buffer.alloc(0) : await readAtMost(Body as AsyncIterable<Buffer>, range?.length ?? MOST_BYTES);
    if (got === null) throw new LeafvaultError('STORAGE_FAILED', `Reading ${name} at ${text} failed: the server sends more than it was asked for`, { details: { name }, hint: 'Is there a proxy before it that drops the header Range?' });
    if (range !== undefined && got.length !== range.length) throw pastEnd(name, range);
    return got;
  } catch (error) {
    throwIfAborted(signal);
    if (error instanceof LeafvaultError) throw error;
    if (range !== undefined && isPastEnd(error)) throw pastEnd(name, range);
    if (isMissing(error)) throw missing(name, error);
    throw s3Error(`Reading ${name}`, text, error);
  }
}

/** null where there is more. */
async function readAtMost(body: AsyncIterable<Buffer>, most: number): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > most) return null;
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}
