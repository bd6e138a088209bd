// The SDK's client for an address: credentials by its own chain, time-outs, and no tries of its own (`withRetry` has them).
import { S3Client } from '@aws-sdk/client-s3';
import type { Storage } from '../storage.ts';
import { createRequestHandler } from './request-handler.ts';
import { parseS3Address } from './s3-address.ts';
import { createPastStorage } from './past-storage.ts';
import { createS3Storage } from './s3-storage.ts';

/** Nothing is asked of the server yet. @throws STORAGE_ADDRESS_INVALID */
export function openS3(text: string): Storage {
  const address = parseS3Address(text);
  const client = new S3Client({
    ...(address.region === null ? {} : { region: address.region }),
    ...(address.endpoint === null ? {} : { endpoint: address.endpoint, ...(address.region === null ? { region: 'us-east-1' } : {}) }),
    ...(address.profile === null ? {} : { profile: address.profile }),
    forcePathStyle: address.pathStyle, maxAttempts: 1, requestHandler: createRequestHandler(),
  });
  return address.at === null ? createS3Storage({ client, address }) : createPastStorage({ client, address, at: address.at });
}
