// What goes by itself: snapshots whose time is over, and once a day what no snapshot needs any more.
import type { Catalog } from '../catalog/index.ts';
import { pruneKey, type PruneResult, type PruneState } from '../domain/prune-state.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, isLeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { PruneReport, Repository } from '../repository/repository.ts';
import { assertNoneHidden } from './hidden-snapshots.ts';
import { BEAT_MS } from './one-worker.ts';
import { ownersThatAreGone, SESSION_ENDS_AFTER_MS } from './session-owner.ts';
import { startBeat } from './start-beat.ts';
import { trimChains } from './trim-chains.ts';
import type { Chore } from './worker.ts';

export interface RetentionParts {
  readonly catalog: Catalog;
  /** All that this installation writes to. */
  readonly repositories: () => Promise<readonly Repository[]>;
  readonly clock: Clock;
  readonly log: Logger;
}

const EXPIRED_AT_ONCE = 100;
const STUCK_NAMED = 20;
/** What the catalog keeps by name; the log has all. */
const MOST_NAMED = 50;
const HOUR_MS = 3_600_000;
const PRUNE_EVERY_MS = 24 * HOUR_MS;
/** One that was refused, for a damaged object say, finds the same a few minutes later. */
const FAILED_AGAIN_MS = 6 * HOUR_MS;

export function createRetentionChores(parts: RetentionParts): readonly Chore[] {
  return [
    { name: 'ending snapshots whose time is over', everyMs: 60_000, run: (signal) => endExpired(parts, signal) },
    { name: 'pruning the repository', everyMs: 600_000, run: (signal) => pruneWhenDue(parts, signal) },
  ];
}

async function endExpired({ catalog, log }: RetentionParts, signal: AbortSignal): Promise<void> {
  for (let ids: readonly string[] = []; !signal.aborted;) {
    ids = await catalog.snapshots.expired(EXPIRED_AT_ONCE);
    for (const id of ids) if (await catalog.snapshots.markExpired(id)) log.info({ snapshot: id }, 'a snapshot ends: its retention is over');
    if (ids.length < EXPIRED_AT_ONCE) return;
  }
}

async function pruneWhenDue(parts: RetentionParts, signal: AbortSignal): Promise<void> {
  const { catalog, clock } = parts;
  for (const repository of await parts.repositories()) {
    await repository.endLeftSessions();
    const key = `prunedAt ${repository.id}`;
    const last = await catalog.settings.getOrSet(key, clock.now().toISOString());
    if (clock.now().getTime() - Date.parse(String(last)) < PRUNE_EVERY_MS) continue;
    const failedKey = `pruneFailedAt ${repository.id}`;
    const failed = await catalog.settings.get(failedKey);
    if (failed !== undefined && Math.abs(clock.now().getTime() - Date.parse(String(failed))) < FAILED_AGAIN_MS) continue;
    try {
      if (await prune(parts, repository, signal)) await catalog.settings.set(key, clock.now().toISOString());
    } catch (error) {
      if (!signal.aborted && !isLeafvaultError(error, 'REPOSITORY_CLOSED')) {
        await catalog.settings.set(failedKey, clock.now().toISOString());
        await tell(parts, repository, { running: null, failure: { at: clock.now().toISOString(), cause: describeError(error) } });
      }
      throw error;
    }
  }
}

/** Whoever prunes has the repository to itself, so nobody else tells anything meanwhile. */
async function tell({ catalog: { settings } }: RetentionParts, { id }: Repository, news: Partial<PruneState>): Promise<void> {
  const before = (await settings.get(pruneKey(id))) as PruneState | undefined;
  await settings.set(pruneKey(id), { running: null, last: null, failure: null, ...before, ...news } satisfies PruneState);
}

/** False where another process is at it: it writes down that it did. */
async function prune(parts: RetentionParts, repository: Repository, signal: AbortSignal): Promise<boolean> {
  const { catalog, clock, log } = parts;
  await assertNoneHidden(catalog, repository);
  const isOver = await ownersThatAreGone({ clock, workers: () => catalog.workers.list(), afterMs: SESSION_ENDS_AFTER_MS });
  const since = clock.now().toISOString();
  let at: Pick<NonNullable<PruneState['running']>, 'phase' | 'done' | 'total'> | null = null;
  // Nothing as long as another one may be at it.
  const beat = startBeat(async () => {
    if (at !== null) await tell(parts, repository, { running: { since, beatAt: clock.now().toISOString(), ...at } });
  }, { everyMs: BEAT_MS, what: 'the prune', log });
  try {
    const report = await repository.prune({
      isOver, signal, onProgress: ({ phase, documentsDone, documentsTotal }) => { at = { phase, done: documentsDone, total: documentsTotal }; },
    }).finally(beat.stop);
    await tell(parts, repository, { running: null, failure: null, last: resultOf(report, clock.now()) });
    const { inTheWay, ended, damagedPacks, stuck, ...figures } = report;
    log.info({ ...figures, inTheWay: inTheWay.length, ended: ended.length, damagedPacks, stuck: stuck.length }, 'the repository was pruned');
    if (stuck.length > 0) log.warn({ objects: stuck.slice(0, STUCK_NAMED), count: stuck.length }, 'the store does not let objects go that nobody needs; the next prune asks again');
    for (const { chainId, slices, storedBytes } of await trimChains(repository, { now: clock.now(), rows: catalog.chains, signal })) {
      await catalog.chains.shrink(chainId, storedBytes);
      log.info({ chain: chainId, slices, storedBytes }, 'kept oplog that no snapshot needs went');
    }
    return true;
  } catch (error) {
    if (isLeafvaultError(error, 'REPOSITORY_PRUNE_REFUSED') && error.details['busy'] === true) return false;
    if (at !== null) await tell(parts, repository, { running: null }).catch(() => undefined);
    throw error;
  }
}

function resultOf({ snapshots, bytes, freedBytes, waitingBytes, inTheWay, damagedPacks, stuck, postponedPacks }: PruneReport, endedAt: Date): PruneResult {
  return {
    endedAt: endedAt.toISOString(), snapshots, bytes, freedBytes, waitingBytes, stuck: stuck.length, postponedPacks,
    inTheWay: inTheWay.slice(0, MOST_NAMED).map(({ kind, createdAt, owner }) => ({ kind, createdAt, owner })), damagedPacks: damagedPacks.slice(0, MOST_NAMED),
  };
}
