// Once a day what snapshots need is held longer, where the store holds objects (docs/design/object-lock.md). Several workers may try; one does it.
import type { Catalog } from '../catalog/index.ts';
import { locksKey, type LockState } from '../domain/lock-state.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { LockOptions, LockReport, Repository } from '../repository/repository.ts';
import { dumpedAtKey } from './dump-catalog.ts';
import { readNeededUntil } from './needed-until.ts';
import { claimForOne } from './one-worker.ts';
import type { Chore } from './worker.ts';

type LockTerms = Pick<LockState, 'mode' | 'days'>;

export interface ExtendLocksParts {
  readonly catalog: Pick<Catalog, 'settings' | 'snapshots' | 'chains'>;
  readonly repository: Repository;
  /** Of the repository's store; null: it holds nothing. */
  readonly terms: LockTerms | null;
  readonly clock: Clock;
  readonly log: Logger;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What the catalog keeps by name; the log has all. */
const MOST_NAMED = 200;

export function createLockChores(parts: ExtendLocksParts): readonly Chore[] {
  const { terms } = parts;
  if (terms === null) return [];
  return [{ name: 'holding the objects of the repository', everyMs: 600_000, run: (signal) => extendWhenDue(parts, terms, signal) }];
}

async function extendWhenDue(parts: ExtendLocksParts, { mode, days }: LockTerms, signal: AbortSignal): Promise<void> {
  const { catalog: { settings }, repository, clock, log } = parts;
  const key = locksKey(repository.id);
  const first: LockState = { mode, days, startedAt: new Date(0).toISOString(), endedAt: null, succeededAt: null, last: null, failure: null };
  const before = (await settings.getOrSet(key, first)) as LockState;
  const waited = clock.now().getTime() - Date.parse(before.startedAt);
  const isChanged = before.mode !== mode || before.days !== days;
  if (!isChanged && waited < againAfter(before)) return;
  const begun: LockState = { ...before, mode, days, startedAt: clock.now().toISOString() };
  const claimed = await claimForOne<LockState>(parts, { key, before, begun, what: 'holding the objects of the repository', signal });
  if (claimed === null) return;
  try {
    const report = await repository.extendLocks({ neededUntil: await readNeededUntil(repository, clock), expected: await expectedOf(parts), signal: claimed.signal });
    if (report !== null) tell(log, report);
    const endedAt = clock.now().toISOString();
    await claimed.end((held) => (report === null ? held : { ...held, last: summaryOf(report), failure: null, endedAt, succeededAt: report.failed.length === 0 ? endedAt : held.succeededAt }));
  } catch (error) {
    const endedAt = clock.now().toISOString();
    // A worker that stops leaves it to the next one.
    await claimed.end((held) => (signal.aborted ? before : { ...held, endedAt, failure: { at: endedAt, cause: describeError(error) } }));
    throw error;
  }
}

async function expectedOf({ catalog, repository }: ExtendLocksParts): Promise<LockOptions['expected']> {
  const dumpedAt = await catalog.settings.get(dumpedAtKey(repository.id));
  return { snapshots: await catalog.snapshots.allKept(), chains: await catalog.chains.known(), dumpedAt: typeof dumpedAt === 'string' ? new Date(dumpedAt) : null };
}

/** What failed is tried again soon, and at once what its worker did not end: whether that is alive its signs of life say. */
function againAfter({ startedAt, endedAt, failure }: LockState): number {
  if (endedAt === null || endedAt < startedAt) return 0;
  return failure === null ? DAY_MS : HOUR_MS;
}

function summaryOf({ objects, extended, failed, purged }: LockReport): LockState['last'] {
  return { objects, extended, failed: failed.length, failedObjects: failed.slice(0, MOST_NAMED).map(({ object }) => object), hiddenBytes: purged?.hiddenBytes ?? null };
}

function tell(log: Logger, { failed, purged, ...figures }: LockReport): void {
  for (const { object, message } of failed) log.error({ object, reason: message }, 'an object that snapshots need is not held as it should be');
  if (purged !== null && purged.refused !== null) log.info({ reason: purged.refused }, 'deleted objects stay as hidden versions: the key may not delete versions, which a lifecycle rule of the bucket can');
  log.info({ ...figures, failed: failed.length, purged }, 'the objects of the repository are held');
}
