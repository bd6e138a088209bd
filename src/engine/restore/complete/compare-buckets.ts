// Compares the proven buckets of a time series with the live ones, byte by byte. Buckets that applications added are not looked at.
import { ObjectId } from 'mongodb';
import { BSON_TYPE, documentLength, rawField } from '../../bson/index.ts';
import { bucketsOf } from '../../mongo/namespaces.ts';
import { readAll } from '../../mongo/raw-read.ts';
import type { TimeSeriesStep } from '../plan.ts';
import { readContent } from '../read-content.ts';
import type { CompleteOptions } from './complete-restore.ts';

export interface BucketDifference {
  /** Buckets of the copy that were looked at. */
  readonly proven: number;
  /** Proven buckets that are not there. */
  readonly missing: number;
  /** Proven buckets that are there with other bytes. */
  readonly changed: number;
}

/** One batch of proven buckets in memory at a time. Read with majority. */
export async function compareBuckets({ target, plan, store }: Pick<CompleteOptions, 'target' | 'plan' | 'store'>, step: TimeSeriesStep): Promise<BucketDifference> {
  const reader = await target.reader();
  const difference = { proven: 0, missing: 0, changed: 0 };
  await readContent(target, {
    db: step.db, collection: bucketsOf(step.shadow), hashSeed: new Uint8Array(32),
    onDocuments: async (documents) => {
      await store.hold(plan);
      const proven = byId(documents);
      difference.proven += proven.size;
      // Buckets lie in the order of their ids, so a batch of them is a narrow range.
      const ids = [...proven.keys()].toSorted();
      const range = { $gte: new ObjectId(ids[0]), $lte: new ObjectId(ids.at(-1)) };
      for await (const live of readAll(reader, step.db, { find: bucketsOf(step.name), filter: { _id: range }, readConcern: { level: 'majority' } })) {
        const id = idOf(live);
        const wanted = proven.get(id);
        if (wanted === undefined) continue;
        proven.delete(id);
        if (!wanted.equals(live)) difference.changed += 1;
      }
      difference.missing += proven.size;
    },
  });
  return difference;
}

function byId(documents: Uint8Array): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let at = 0; at < documents.length; at += documentLength(documents, at)) {
    const document = Buffer.from(documents.buffer, documents.byteOffset + at, documentLength(documents, at));
    found.set(idOf(document), document);
  }
  return found;
}

/** 24 hex digits: a server takes no bucket with another kind of `_id`. */
function idOf(bucket: Uint8Array): string {
  const field = rawField(bucket, '_id');
  if (field?.type !== BSON_TYPE.objectId) throw new TypeError('A bucket without an ObjectId was read');
  return Buffer.from(bucket.subarray(field.valueAt, field.end)).toString('hex');
}
