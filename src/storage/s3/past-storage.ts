// A bucket that keeps versions, as it was at an instant: of each name the newest version that is not younger. For the day on which somebody
// emptied it (docs/design/object-lock.md). Nothing can be put or taken away.
import type { S3Client } from '@aws-sdk/client-s3';
import { throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { assertObjectName } from '../object-name.ts';
import type { Storage } from '../storage.ts';
import { bucketOf } from './bucket.ts';
import { getObject } from './get-object.ts';
import { emptyRange, missing, refuseOddRange } from './ranges.ts';
import type { S3Address } from './s3-address.ts';
import { listVersions, type ObjectVersion, type Versions } from './versions.ts';

/** Versions that are remembered between reads of one pack; then all are forgotten. */
const MOST_REMEMBERED = 10_000;

export function createPastStorage({ client, address, at }: { readonly client: S3Client; readonly address: S3Address; readonly at: Date }): Storage {
  const bucket = bucketOf(client, address);
  const { text } = bucket;
  const remembered = new Map<string, ObjectVersion | null>();

  /** null: there was none. */
  const versionThen = ({ versions }: Versions): ObjectVersion | null => {
    const found = versions.find(({ modifiedAt }) => modifiedAt.getTime() <= at.getTime());
    return found === undefined || found.isMarker ? null : found;
  };
  const find = async (name: string): Promise<ObjectVersion | null> => {
    assertObjectName(name);
    const known = remembered.get(name);
    if (known !== undefined) return known;
    let found: ObjectVersion | null = null;
    for await (const each of listVersions(bucket, name)) {
      if (each.name === name) found = versionThen(each);
      // In order: what follows is longer.
      if (each.name >= name) break;
    }
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(name, found);
    return found;
  };
  const refuse = (doing: string, name: string): LeafvaultError => new LeafvaultError('STORAGE_READ_ONLY', `${doing} ${name} at ${text} was refused: the store is seen as it was at ${at.toISOString()}`, {
    details: { name }, hint: 'Copy it to a new place with `leafvault copy --to`, or take `at` out of the address to see the store as it is',
  });

  return {
    address: text,
    isPast: true,
    // Nothing is put, so nothing can be put over.
    conditionalPut: async () => true,
    put: async (name) => { throw refuse('Storing', name); },
    delete: async (name) => { throw refuse('Deleting', name); },

    async get(name, range, options) {
      throwIfAborted(options?.signal);
      if (range !== undefined) refuseOddRange(name, range);
      const version = await find(name);
      if (version === null) throw missing(name);
      if (range?.length === 0) return emptyRange(name, range.offset, version.sizeBytes);
      return getObject(bucket, name, { range, versionId: version.versionId, signal: options?.signal });
    },

    async stat(name) {
      const version = await find(name);
      return version === null ? null : { name, sizeBytes: version.sizeBytes };
    },

    async *list(wanted) {
      for await (const each of listVersions(bucket, wanted)) {
        const version = versionThen(each);
        if (version !== null) yield { name: each.name, sizeBytes: version.sizeBytes };
      }
    },

    async close() {
      client.destroy();
    },
  };
}
