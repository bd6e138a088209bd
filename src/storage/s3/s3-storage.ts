// A store in a bucket of S3 or of a server that speaks its protocol. Write-once by conditional put where the server has it, which is
// found out once; every upload carries a CRC-32 that the server checks and acknowledges.
import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { sleep, throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { assertObjectName, isObjectName } from '../object-name.ts';
import type { ObjectInfo, Storage } from '../storage.ts';
import type { S3Address } from './s3-address.ts';
import { isMissing, isNotImplemented, isTaken, nameOf, s3Error, statusOf } from './s3-error.ts';
import { uploadObject, type UploadLimits } from './upload-object.ts';

const LIST_TRIES = 5;

export interface S3StorageOptions {
  readonly client: S3Client;
  readonly address: S3Address;
  readonly limits?: UploadLimits;
}

export function createS3Storage({ client, address, limits }: S3StorageOptions): Storage {
  const { bucket: Bucket, prefix, text } = address;
  const keyOf = (name: string): string => (prefix === '' ? name : `${prefix}/${name}`);
  let conditional: Promise<boolean> | null = null;

  /** Puts one object twice: whoever takes the second one knows no conditions. */
  const probe = async (): Promise<boolean> => {
    const Key = keyOf(`probe-${randomBytes(8).toString('hex')}`);
    const put = (): Promise<void> => uploadObject(client, { Bucket, Key, parts: [Buffer.from('probe')], ifNoneMatch: true });
    try {
      await put();
      await put();
      return false;
    } catch (error) {
      if (isTaken(error)) return true;
      if (isNotImplemented(error)) return false;
      throw s3Error('Finding out what the store can', text, error);
    } finally {
      await client.send(new DeleteObjectCommand({ Bucket, Key })).catch(() => undefined);
    }
  };
  const hasConditions = (): Promise<boolean> => {
    // What failed is asked again.
    conditional ??= probe().catch((error: unknown) => {
      conditional = null;
      throw error;
    });
    return conditional;
  };
  const head = async (name: string): Promise<number | null> => {
    try {
      const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket, Key: keyOf(name) }));
      return ContentLength ?? 0;
    } catch (error) {
      // A bucket that may not be listed answers a missing object with 403.
      if (isMissing(error)) return null;
      throw s3Error(`Looking up ${name}`, text, error);
    }
  };

  /** Tried again by itself: whoever lists has had the pages before already. */
  const listPage = async (wanted: string, ContinuationToken: string | undefined): Promise<ListObjectsV2CommandOutput> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await client.send(new ListObjectsV2Command({ Bucket, Prefix: keyOf(wanted), ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }));
      } catch (cause) {
        const error = s3Error(`Listing ${wanted}`, text, cause);
        if (!error.retryable || attempt === LIST_TRIES) throw error;
        await sleep(100 * 2 ** attempt * (0.5 + Math.random() / 2));
      }
    }
  };

  return {
    address: text,
    conditionalPut: hasConditions,

    async put(name, bytes, options) {
      assertObjectName(name);
      const signal = options?.signal;
      throwIfAborted(signal);
      // Taken now: whoever calls may use its memory again, and a try that is repeated has to send the same.
      const parts = (bytes instanceof Uint8Array ? [bytes] : bytes).map((part) => Buffer.from(part));
      const ifNoneMatch = await hasConditions();
      if (!ifNoneMatch && (await head(name)) !== null) throw exists(name);
      try {
        await uploadObject(client, { Bucket, Key: keyOf(name), parts, ifNoneMatch, ...(limits === undefined ? {} : { limits }), ...(signal === undefined ? {} : { signal }) });
      } catch (error) {
        throwIfAborted(signal);
        if (isTaken(error)) throw exists(name, error);
        throw s3Error(`Storing ${name}`, text, error);
      }
    },

    async get(name, range, options) {
      assertObjectName(name);
      throwIfAborted(options?.signal);
      if (range !== undefined) refuseOddRange(name, range);
      if (range?.length === 0) return emptyRange(name, range.offset, await head(name));
      try {
        const { Body } = await client.send(
          new GetObjectCommand({ Bucket, Key: keyOf(name), ...(range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }) }),
          options?.signal === undefined ? {} : { abortSignal: options.signal },
        );
        const got = Body === undefined ? new Uint8Array() : await Body.transformToByteArray();
        if (range !== undefined && got.length !== range.length) throw pastEnd(name, range);
        return Buffer.from(got.buffer, got.byteOffset, got.byteLength);
      } catch (error) {
        throwIfAborted(options?.signal);
        if (error instanceof LeafvaultError) throw error;
        if (range !== undefined && (statusOf(error) === 416 || nameOf(error) === 'InvalidRange')) throw pastEnd(name, range);
        if (isMissing(error)) throw missing(name, error);
        throw s3Error(`Reading ${name}`, text, error);
      }
    },

    async stat(name) {
      assertObjectName(name);
      const sizeBytes = await head(name);
      return sizeBytes === null ? null : { name, sizeBytes };
    },

    async *list(wanted): AsyncIterable<ObjectInfo> {
      const before = prefix === '' ? 0 : prefix.length + 1;
      let ContinuationToken: string | undefined;
      do {
        const page = await listPage(wanted, ContinuationToken);
        for (const { Key = '', Size = 0 } of page.Contents ?? []) {
          const name = Key.slice(before);
          // What others keep in the bucket is none of ours.
          if (isObjectName(name)) yield { name, sizeBytes: Size };
        }
        ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        // An end that is none would make objects look lost.
        if (page.IsTruncated === true && ContinuationToken === undefined) throw new LeafvaultError('STORAGE_FAILED', `Listing ${wanted} at ${text} failed: the server says that there is more, and not how to go on`, { retryable: true });
      } while (ContinuationToken !== undefined);
    },

    async delete(name) {
      assertObjectName(name);
      try {
        await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) }));
      } catch (error) {
        if (!isMissing(error)) throw s3Error(`Deleting ${name}`, text, error);
      }
    },

    async close() {
      client.destroy();
    },
  };
}

type Range = { readonly offset: number; readonly length: number };

function refuseOddRange(name: string, range: Range): void {
  if (range.offset < 0 || range.length < 0) throw pastEnd(name, range);
}

function emptyRange(name: string, offset: number, size: number | null): Buffer {
  if (size === null) throw missing(name);
  if (offset > size) throw pastEnd(name, { offset, length: 0 });
  return Buffer.alloc(0);
}

function pastEnd(name: string, { offset, length }: Range): LeafvaultError {
  return new LeafvaultError('STORAGE_RANGE_INVALID', `Reading bytes ${offset} to ${offset + length} of ${name} failed: it is shorter`, { details: { name } });
}

function missing(name: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('STORAGE_OBJECT_MISSING', `Reading ${name} failed: there is no such object`, { details: { name }, cause });
}

function exists(name: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('STORAGE_OBJECT_EXISTS', `Storing ${name} failed: it exists already`, { details: { name }, cause });
}
