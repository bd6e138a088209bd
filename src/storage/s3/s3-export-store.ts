// A bucket that exports are written to. What the place does not say the SDK finds by its own chain: AWS_ENDPOINT_URL_S3, keys, region.
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { throwIfAborted } from '../../foundation/abort.ts';
import { assertExportKey } from '../export-key.ts';
import type { ExportPlace, ExportStore } from '../export-store.ts';
import { createRequestHandler } from './request-handler.ts';
import { isMissing, s3Error } from './s3-error.ts';
import { uploadObject } from './upload-object.ts';

/** Tries in all, waits between them included: the SDK's own. */
const TRIES = 6;

export function createS3ExportStore({ bucket: Bucket, endpoint, region, credentials, pathStyle }: Extract<ExportPlace, { kind: 's3' }>): ExportStore {
  const client = new S3Client({
    ...(region === null ? {} : { region }), ...(endpoint === null ? {} : { endpoint }), ...(credentials === null ? {} : { credentials }),
    forcePathStyle: pathStyle, maxAttempts: TRIES, requestHandler: createRequestHandler(),
  });
  const address = `s3://${Bucket}${endpoint === null ? '' : ` at ${endpoint}`}`;
  return {
    address, region,
    async put(key, bytes, options) {
      assertExportKey(key);
      throwIfAborted(options?.signal);
      try {
        await uploadObject(client, { Bucket, Key: key, parts: [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)], ifNoneMatch: false, limits: WHOLE, ...(options?.signal === undefined ? {} : { signal: options.signal }) });
      } catch (error) {
        throwIfAborted(options?.signal);
        throw s3Error(`Exporting ${key}`, address, error);
      }
    },
    async has(key) {
      assertExportKey(key);
      try {
        await client.send(new HeadObjectCommand({ Bucket, Key: key }));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw s3Error(`Looking up ${key}`, address, error);
      }
    },
    close: async () => client.destroy(),
  };
}

/** Never in parts: those refuse a name that is taken, and no export's object is near the limit of one request. */
const WHOLE = { singleBytes: 5 * 1024 ** 3, partBytes: 16 * 1024 * 1024 };
