// Holds longer what snapshots need, and takes away for good what was deleted long ago (docs/design/object-lock.md, "The extension").
import { throwIfAborted } from '../../foundation/abort.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { ObjectLock, PurgeReport } from '../../storage/index.ts';
import type { RepositoryContext } from '../context.ts';
import { eachAtOnce } from '../copy/transfer.ts';
import { isDamage } from '../format/damage.ts';
import { isRepositoryName, KEYS, REPOSITORY_FILE } from '../format/names.ts';
import { readObjectIfAny } from '../read-object.ts';
import { openSession } from '../sessions.ts';
import { verifyObject } from '../verify-object.ts';
import { findNeeds, type Expected, type NeededUntil } from './needed-objects.ts';

export type { NeededUntil } from './needed-objects.ts';

export interface LockOptions {
  readonly neededUntil: NeededUntil;
  /** What should be there: what is neither there nor deleted was hidden or lost, and is told. */
  readonly expected?: Expected;
  /** False: of a copy, where nothing rests on what no snapshot needs. */
  readonly isWritten?: boolean;
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
/** So many that are rubbish are no accident: the others are not read any more. */
const MOST_READ = 100;

/** @throws what the store throws; a single object that can't be held is told, and keeps nothing back but the last step */
export async function extendLocks(context: RepositoryContext, { neededUntil, expected = {}, isWritten = true, signal }: LockOptions): Promise<LockReport | null> {
  const lock = context.storage.objectLock;
  if (lock === undefined) return null;
  const session = await openSession(context, 'reader');
  try {
    const now = context.clock.now().getTime();
    const { until, missing } = await findNeeds(context, { neededUntil, expected, isWritten, now, signal });
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
    let rubbish = 0;
    for await (const name of lock.overwritten((each) => until.has(each), signal === undefined ? {} : { signal })) {
      if (rubbish < MOST_READ && (await isMended(context, name))) continue;
      rubbish += 1;
      failed.push({ object: name, message: `Somebody put other bytes over ${name}; the version below is held no longer than it was` });
    }
    const purged = failed.length > 0 ? null : await lock.purge(new Date(now - lock.days * DAY_MS), isRepositoryName, signal === undefined ? {} : { signal });
    return { mode: lock.mode, days: lock.days, objects: until.size, extended, failed, purged };
  } finally {
    await session.end();
  }
}

/** Whether the bytes that are there now are sound: damaged ones were put aside, and sound ones in their place. Of key slots nobody can tell. */
async function isMended(context: RepositoryContext, name: string): Promise<boolean> {
  if (name.startsWith(KEYS) || name === REPOSITORY_FILE) return false;
  const bytes = await readObjectIfAny(context.storage, name);
  if (bytes === null) return true;
  return verifyObject(context, name, bytes).then(() => true, (error: unknown) => {
    if (!isDamage(error)) throw error;
    return false;
  });
}

/** Once less than half of the days is left, or less than the need: so it costs a request at most twice in that time. */
async function extend(lock: ObjectLock, { name, needed, now }: { readonly name: string; readonly needed: number; readonly now: number }): Promise<boolean> {
  const days = lock.days * DAY_MS;
  const held = (await lock.heldUntil(name))?.getTime() ?? 0;
  if (held >= Math.min(needed, now + days / 2)) return false;
  await lock.hold(name, new Date(Math.min(needed, now + days)));
  return true;
}
