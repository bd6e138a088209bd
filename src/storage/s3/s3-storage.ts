// A store in a bucket of S3 or of a server that speaks its protocol. Write-once by conditional put where the server has it, which is
// found out once; every upload carries a CRC-32 that the server checks and acknowledges.
import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand, HeadObjectCommand, ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { throwIfAborted } from '../../foundation/abort.ts';
import { systemClock, type Clock } from '../../foundation/clock.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { assertObjectName, isObjectName } from '../object-name.ts';
import type { ObjectInfo, Storage } from '../storage.ts';
import { bucketOf, listPage } from './bucket.ts';
import { getObject } from './get-object.ts';
import { createObjectLock, removeVersion, wholeSecond } from './object-lock.ts';
import { emptyRange, refuseOddRange } from './ranges.ts';
import type { S3Address } from './s3-address.ts';
import { isMissing, isNotImplemented, isTaken, s3Error } from './s3-error.ts';
import { uploadObject, type Upload, type UploadLimits } from './upload-object.ts';

const DAY_MS = 86_400_000;

export interface S3StorageOptions {
  readonly client: S3Client;
  readonly address: S3Address;
  readonly limits?: UploadLimits;
  readonly clock?: Pick<Clock, 'now'>;
}

export function createS3Storage({ client, address, limits, clock = systemClock }: S3StorageOptions): Storage {
  const bucket = bucketOf(client, address);
  const { Bucket, text, keyOf } = bucket;
  const terms = address.objectLock;
  let conditional: Promise<boolean> | null = null;

  /** Puts one object twice: whoever takes the second one knows no conditions. */
  const probe = async (): Promise<boolean> => {
    const name = `probe-${randomBytes(8).toString('hex')}`;
    const Key = keyOf(name);
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
      await remove(name, terms !== null).catch(() => undefined);
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

  /** @param forGood with its version: a bucket that keeps versions would keep it behind a marker */
  const remove = async (name: string, forGood: boolean): Promise<void> => {
    try {
      // A put that was sent twice left two of them: the older one must not come to light.
      while (forGood && (await removeNewest(name)));
      await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) }));
    } catch (error) {
      if (error instanceof LeafvaultError) throw error;
      if (!isMissing(error)) throw s3Error(`Deleting ${name}`, text, error);
    }
  };
  /** False where the bucket keeps no versions, or lets none go: it is deleted like any other then. */
  const removeNewest = async (name: string): Promise<boolean> => {
    const { VersionId } = await client.send(new HeadObjectCommand({ Bucket, Key: keyOf(name) }));
    if (VersionId === undefined || VersionId === 'null') return false;
    return removeVersion(bucket, name, VersionId).then(() => true, () => false);
  };

  const lockOf = (passing: boolean | undefined): Pick<Upload, 'lock'> =>
    (terms === null || passing === true ? {} : { lock: { mode: terms.mode, until: wholeSecond(clock.now().getTime() + terms.days * DAY_MS) } });

  return {
    address: text,
    ...(terms === null ? {} : { objectLock: createObjectLock(bucket, terms) }),
    conditionalPut: hasConditions,

    async put(name, bytes, options) {
      assertObjectName(name);
      const signal = options?.signal;
      throwIfAborted(signal);
      // Taken now: whoever calls may use its memory again, and a try that is repeated has to send the same.
      const parts = (bytes instanceof Uint8Array ? [bytes] : bytes).map((part) => Buffer.from(part));
      const ifNoneMatch = await hasConditions();
      if (!ifNoneMatch && (await head(name)) !== null) throw exists(name);
      const upload = (condition: boolean): Promise<void> => uploadObject(client, {
        Bucket, Key: keyOf(name), parts, ifNoneMatch: condition, ...lockOf(options?.passing), ...(limits === undefined ? {} : { limits }), ...(signal === undefined ? {} : { signal }),
      });
      try {
        await upload(ifNoneMatch).catch(async (error: unknown) => {
          // moto and versitygw take a delete marker for an object, which S3 does not: the name is free.
          if (!isTaken(error) || terms === null || (await head(name)) !== null) throw error;
          await upload(false);
        });
      } catch (error) {
        throwIfAborted(signal);
        if (isTaken(error)) throw exists(name, error);
        throw error instanceof LeafvaultError ? error : s3Error(`Storing ${name}`, text, error);
      }
    },

    async get(name, range, options) {
      assertObjectName(name);
      throwIfAborted(options?.signal);
      if (range !== undefined) refuseOddRange(name, range);
      if (range?.length === 0) return emptyRange(name, range.offset, await head(name));
      return getObject(bucket, name, { range, signal: options?.signal });
    },

    async stat(name) {
      assertObjectName(name);
      const sizeBytes = await head(name);
      return sizeBytes === null ? null : { name, sizeBytes };
    },

    async *list(wanted): AsyncIterable<ObjectInfo> {
      let ContinuationToken: string | undefined;
      do {
        const from = ContinuationToken === undefined ? {} : { ContinuationToken };
        const page: ListObjectsV2CommandOutput = await listPage(bucket, wanted, () => client.send(new ListObjectsV2Command({ Bucket, Prefix: keyOf(wanted), ...from })));
        for (const { Key = '', Size = 0 } of page.Contents ?? []) {
          const name = bucket.nameOf(Key);
          // What others keep in the bucket is none of ours, also where a server does not look at the prefix.
          if (Key.startsWith(keyOf(wanted)) && isObjectName(name)) yield { name, sizeBytes: Size };
        }
        const last = ContinuationToken;
        ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        // An end that is none would make objects look lost.
        if (page.IsTruncated === true && ContinuationToken === undefined) throw new LeafvaultError('STORAGE_FAILED', `Listing ${wanted} at ${text} failed: the server says that there is more, and not how to go on`, { retryable: true });
        if (ContinuationToken !== undefined && ContinuationToken === last) throw new LeafvaultError('STORAGE_FAILED', `Listing ${wanted} at ${text} failed: the server says that there is more, and sends the same page again`);
      } while (ContinuationToken !== undefined);
    },

    async delete(name, options) {
      assertObjectName(name);
      await remove(name, terms !== null && options?.passing === true);
    },

    async close() {
      client.destroy();
    },
  };
}

function exists(name: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('STORAGE_OBJECT_EXISTS', `Storing ${name} failed: it exists already`, { details: { name }, cause });
}
