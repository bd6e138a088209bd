// One place in one bucket, and pages of a listing that are tried again by themselves: whoever lists has had the pages before already.
import type { S3Client } from '@aws-sdk/client-s3';
import { sleep } from '../../foundation/abort.ts';
import type { S3Address } from './s3-address.ts';
import { s3Error } from './s3-error.ts';

export interface Bucket {
  readonly client: S3Client;
  readonly Bucket: string;
  /** For messages. */
  readonly text: string;
  keyOf(name: string): string;
  /** The rest of a key of ours. */
  nameOf(key: string): string;
}

const LIST_TRIES = 5;

export function bucketOf(client: S3Client, { bucket, prefix, text }: S3Address): Bucket {
  const before = prefix === '' ? 0 : prefix.length + 1;
  return { client, Bucket: bucket, text, keyOf: (name) => (prefix === '' ? name : `${prefix}/${name}`), nameOf: (key) => key.slice(before) };
}

/** @throws what `s3Error` makes of what `ask` throws */
export async function listPage<T>({ text }: Pick<Bucket, 'text'>, wanted: string, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (cause) {
      const error = s3Error(`Listing ${wanted}`, text, cause);
      if (!error.retryable || attempt === LIST_TRIES) throw error;
      await sleep(100 * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }
}
