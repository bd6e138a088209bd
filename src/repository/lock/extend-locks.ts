// Holds longer what snapshots need, and takes away for good what was deleted long ago (docs/design/object-lock.md, "The extension").
import { throwIfAborted } from '../../foundation/abort.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { ObjectLock, PurgeReport } from '../../storage/index.ts';
import type { RepositoryContext } from '../context.ts';
import { eachAtOnce } from '../copy/transfer.ts';
import { isRepositoryName, REPOSITORY_FILE } from '../format/names.ts';
import { openSession } from '../sessions.ts';
import { findNeeds, type NeededUntil } from './needed-objects.ts';

export type { NeededUntil } from './needed-objects.ts';

export interface LockOptions {
  readonly neededUntil: NeededUntil;
  /** Ids of snapshots that should be there: those that are neither there nor deleted were hidden or lost, and are told. */
  readonly expected?: Iterable<string>;
  readonly signal?: AbortSignal | undefined;
}

export interface LockReport {
  readonly mode: 'governance' | 'compliance';
  readonly days: number;
  /** That snapshots need. */
  readonly objects: number;
  /** Of them those that were held too short, and are held longer now. */
  readonly extended: number;
  /** What is needed and is not there, can't be read, or is not held as it should be. */
  readonly failed: readonly { readonly object: string; readonly message: string }[];
  /** What was deleted before; null: nothing is taken away for good while something failed. */
  readonly purged: PurgeReport | null;
}

const DAY_MS = 86_400_000;
const AT_ONCE = 16;

/** @throws what the store throws; a single object that can't be held is told, and keeps nothing back but the last step */
export async function extendLocks(context: RepositoryContext, { neededUntil, expected = [], signal }: LockOptions): Promise<LockReport | null> {
  const lock = context.storage.objectLock;
  if (lock === undefined) return null;
  const session = await openSession(context, 'reader');
  try {
    const now = context.clock.now().getTime();
    const { until, missing } = await findNeeds(context, { neededUntil, expected, now, signal });
    const failed = [...missing];
    let extended = 0;
    await eachAtOnce(until, AT_ONCE, async ([name, needed]) => {
      throwIfAborted(signal);
      try {
        if (await extend(lock, { name, needed, now })) extended += 1;
      } catch (error) {
        if (!isLeafvaultError(error) || error.retryable) throw error;
        // A prune took it since it was listed: what a snapshot needs of it lies elsewhere.
        if (error.code === 'STORAGE_OBJECT_MISSING' && name !== REPOSITORY_FILE) return;
        failed.push({ object: name, message: describeError(error) });
      }
    });
    const purged = failed.length > 0 ? null : await lock.purge(new Date(now - lock.days * DAY_MS), isRepositoryName, signal === undefined ? {} : { signal });
    return { mode: lock.mode, days: lock.days, objects: until.size, extended, failed, purged };
  } finally {
    await session.end();
  }
}

/** Once less than half of the days is left, or less than the need: so it costs a request at most twice in that time. */
async function extend(lock: ObjectLock, { name, needed, now }: { readonly name: string; readonly needed: number; readonly now: number }): Promise<boolean> {
  const days = lock.days * DAY_MS;
  const held = (await lock.heldUntil(name))?.getTime() ?? 0;
  if (held >= Math.min(needed, now + days / 2)) return false;
  await lock.hold(name, new Date(Math.min(needed, now + days)));
  return true;
}
