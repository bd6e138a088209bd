// Object lock of a bucket: whether it has it, until when an object is held, holding it longer, and what lies hidden behind delete markers.
import { DeleteObjectCommand, GetObjectLockConfigurationCommand, HeadObjectCommand, PutObjectRetentionCommand } from '@aws-sdk/client-s3';
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { assertObjectName } from '../object-name.ts';
import type { LockTerms, ObjectLock, PurgeReport } from '../storage.ts';
import type { Bucket } from './bucket.ts';
import { isMissing, NO_LOCK_HINT, s3Error } from './s3-error.ts';
import { listVersions, type Versions } from './versions.ts';

const NAMES_AT_ONCE = 16;
/** So many in a row are no single holds: the key has no right, and a million more requests would say the same. */
const REFUSALS_IN_A_ROW = 32;

interface Hold { readonly mode: 'GOVERNANCE' | 'COMPLIANCE' | null; readonly until: Date | null }

export function createObjectLock(bucket: Bucket, { mode, days }: LockTerms): ObjectLock {
  const { client, Bucket, text, keyOf } = bucket;
  const holdOf = async (name: string): Promise<Hold> => {
    assertObjectName(name);
    try {
      const { ObjectLockMode: held = null, ObjectLockRetainUntilDate: until = null } = await client.send(new HeadObjectCommand({ Bucket, Key: keyOf(name) }));
      return { mode: held, until };
    } catch (error) {
      if (isMissing(error)) throw missing(name, error);
      throw s3Error(`Asking until when ${name} is held`, text, error);
    }
  };
  return {
    mode, days,
    async assertAvailable() {
      try {
        const { ObjectLockConfiguration: found } = await client.send(new GetObjectLockConfigurationCommand({ Bucket }));
        if (found?.ObjectLockEnabled !== 'Enabled') throw unavailable(text);
        return found.Rule?.DefaultRetention?.Mode === undefined ? [] : [`The bucket of ${text} holds everything by default, the small objects that come and go as well: take its default retention away`];
      } catch (error) {
        if (error instanceof LeafvaultError) throw error;
        const told = s3Error('Asking for the object lock of the bucket', text, error);
        throw told.code === 'STORAGE_LOCK_UNAVAILABLE' ? unavailable(text, error) : told;
      }
    },
    heldUntil: async (name) => (await holdOf(name)).until,
    async hold(name, until) {
      const now = await holdOf(name);
      if (now.until !== null && now.until.getTime() >= until.getTime()) return;
      // Compliance can't be taken back, and need not be: the longer time counts all the same.
      const Mode = now.mode === 'COMPLIANCE' || mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE';
      try {
        await client.send(new PutObjectRetentionCommand({ Bucket, Key: keyOf(name), Retention: { Mode, RetainUntilDate: wholeSecond(until.getTime()) } }));
      } catch (error) {
        if (isMissing(error)) throw missing(name, error);
        throw s3Error(`Holding ${name}`, text, error);
      }
    },
    async *overwritten(takes, options) {
      for await (const { name, versions } of listVersions(bucket, '')) {
        throwIfAborted(options?.signal);
        const newest = versions.find(({ isLatest }) => isLatest) ?? versions[0];
        if (newest === undefined || newest.isMarker || !takes(name)) continue;
        // A put that was sent twice left the same bytes twice.
        if (versions.some(({ isMarker, sizeBytes, tag }) => !isMarker && (sizeBytes !== newest.sizeBytes || tag !== newest.tag))) yield name;
      }
    },
    purge: (before, takes, options) => purge(bucket, { before, takes, signal: options?.signal }),
  };
}

interface Purging { readonly before: Date; readonly takes: (name: string) => boolean; readonly signal: AbortSignal | undefined }

async function purge(bucket: Bucket, { before, takes, signal }: Purging): Promise<PurgeReport> {
  const report = { removed: 0, removedBytes: 0, hidden: 0, hiddenBytes: 0, refused: null as string | null };
  let refusals = 0;
  const stays = ({ versions }: Versions): void => {
    for (const { isMarker, sizeBytes } of versions) {
      if (isMarker) continue;
      report.hidden += 1;
      report.hiddenBytes += sizeBytes;
    }
  };
  const take = async (hidden: Versions): Promise<void> => {
    throwIfAborted(signal);
    // The marker in front goes last: what lies behind it must not come to light half way.
    for (const version of [...hidden.versions].reverse()) {
      try {
        await removeVersion(bucket, hidden.name, version.versionId);
        refusals = 0;
      } catch (error) {
        if (!isLeafvaultError(error) || error.retryable) throw error;
        refusals += 1;
        if (refusals >= REFUSALS_IN_A_ROW) report.refused ??= error.message;
        stays({ name: hidden.name, versions: hidden.versions.slice(0, hidden.versions.indexOf(version) + 1) });
        return;
      }
      if (version.isMarker) continue;
      report.removed += 1;
      report.removedBytes += version.sizeBytes;
    }
  };
  let batch: Versions[] = [];
  const flush = async (): Promise<void> => {
    await Promise.all(batch.map(take));
    batch = [];
  };
  try {
    for await (const found of listVersions(bucket, '')) {
      throwIfAborted(signal);
      const [newest] = found.versions;
      // What is there has older versions only where somebody put over it; that is not ours to tidy up.
      if (newest?.isMarker !== true || !takes(found.name)) continue;
      if (report.refused !== null || newest.modifiedAt.getTime() >= before.getTime()) stays(found);
      else batch.push(found);
      if (batch.length >= NAMES_AT_ONCE) await flush();
    }
    await flush();
  } catch (error) {
    if (!isLeafvaultError(error, 'STORAGE_DENIED')) throw error;
    report.refused = error.message;
  }
  return report;
}

/** For good. @throws STORAGE_LOCKED, STORAGE_DENIED */
export async function removeVersion({ client, Bucket, text, keyOf }: Bucket, name: string, VersionId: string): Promise<void> {
  try {
    await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name), VersionId }));
  } catch (error) {
    if (!isMissing(error)) throw s3Error(`Deleting a version of ${name}`, text, error);
  }
}

/** Servers differ in what they make of a part of one. */
export function wholeSecond(ms: number): Date {
  return new Date(Math.ceil(ms / 1_000) * 1_000);
}

function missing(name: string, cause: unknown): LeafvaultError {
  return new LeafvaultError('STORAGE_OBJECT_MISSING', `Holding ${name} failed: there is no such object`, { details: { name }, cause });
}

function unavailable(text: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('STORAGE_LOCK_UNAVAILABLE', `Opening the store ${text} was refused: its bucket has no object lock, and the settings ask for one`, { cause, hint: NO_LOCK_HINT });
}
