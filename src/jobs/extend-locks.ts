// Once a day what snapshots need is held longer, where the store holds objects (docs/design/object-lock.md). Several workers may try; one does it.
import type { Catalog } from '../catalog/index.ts';
import { locksKey, type LockState } from '../domain/lock-state.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { LockReport, Repository } from '../repository/repository.ts';
import { readNeededUntil } from './needed-until.ts';
import type { Chore } from './worker.ts';

type LockTerms = Pick<LockState, 'mode' | 'days'>;

export interface ExtendLocksParts {
  readonly catalog: Pick<Catalog, 'settings' | 'snapshots'>;
  readonly repository: Repository;
  /** Of the repository's store; null: it holds nothing. */
  readonly terms: LockTerms | null;
  readonly clock: Clock;
  readonly log: Logger;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const UNFINISHED_MS = 6 * HOUR_MS;
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
  if (!(await settings.replace(key, before, begun))) return;
  try {
    const expected = await parts.catalog.snapshots.allKept();
    const report = await repository.extendLocks({ neededUntil: await readNeededUntil(repository, clock), expected, signal });
    if (report === null) return;
    tell(log, report);
    await settings.replace(key, begun, {
      ...begun, last: summaryOf(report), failure: null, endedAt: clock.now().toISOString(), succeededAt: report.failed.length === 0 ? clock.now().toISOString() : begun.succeededAt,
    } satisfies LockState);
  } catch (error) {
    // A worker that stops leaves it to the next one.
    await settings.replace(key, begun, signal.aborted ? before : ({ ...begun, endedAt: clock.now().toISOString(), failure: { at: clock.now().toISOString(), cause: describeError(error) } } satisfies LockState));
    throw error;
  }
}

/** What failed is tried again soon; of what began and did not end somebody may be at it for hours, and two at once harm nothing. */
function againAfter({ startedAt, endedAt, failure }: LockState): number {
  if (endedAt === null || endedAt < startedAt) return UNFINISHED_MS;
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
