// The repository is checked by itself: one worker at a time, one part of the bytes after the other (docs/design/checking.md).
import type { Catalog } from '../catalog/index.ts';
import { checkKey, type CheckResult, type CheckState } from '../domain/check-state.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { CheckProblem, CheckReport, Repository } from '../repository/repository.ts';
import { hiddenSnapshots } from './hidden-snapshots.ts';
import { mend } from './mending.ts';
import { claimForOne } from './one-worker.ts';
import type { Chore } from './worker.ts';

export interface CheckOnScheduleParts {
  readonly catalog: Pick<Catalog, 'settings' | 'snapshots' | 'workers'>;
  readonly repositories: () => Promise<readonly Repository[]>;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0: never. */
  readonly everyHours: number;
  /** In how many parts all bytes are read. */
  readonly parts: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const FAILED_AGAIN_MS = HOUR_MS;
/** What the catalog keeps by name; the log has the numbers of the rest. */
const MOST_NAMED = 200;
/** Slices and dumps that are read again by each check, until they are sound. */
const MOST_AGAIN = 1_000;
const MEND_ROUNDS = 3;
/** Beyond this a store is lost, and no case for mending object by object; the next check goes on. */
const MOST_MENDED = 10_000;

export function checkOnSchedule(parts: CheckOnScheduleParts): Chore {
  return {
    name: 'checking the repository', everyMs: 10 * MINUTE_MS,
    async run(signal) {
      if (parts.everyHours === 0) return;
      for (const repository of await parts.repositories()) await checkWhenDue(parts, repository, signal);
    },
  };
}

async function checkWhenDue(parts: CheckOnScheduleParts, repository: Repository, signal: AbortSignal): Promise<void> {
  const { catalog: { settings }, clock } = parts;
  const key = checkKey(repository.id);
  const now = clock.now();
  // The first one comes after a full interval: a fresh repository has nothing yet, and a start has enough to do.
  const first: CheckState = { nextPart: 1, dueAt: new Date(now.getTime() + parts.everyHours * HOUR_MS).toISOString(), running: null, last: null, failure: null };
  const state = (await settings.getOrSet(key, first)) as CheckState;
  if (now.getTime() < Date.parse(state.dueAt)) return;
  let progress: NonNullable<CheckState['running']>['progress'] = null;
  const claimed = await claimForOne<CheckState>(parts, { key, before: state, begun: state, what: 'the check', signal, progress: () => ({ progress }) });
  if (claimed === null) return;
  const part = partOf(state, parts);
  let report: CheckReport;
  let mended: readonly string[] = [];
  let left = state.mending ?? [];
  let lost: readonly string[] = [];
  const check = async (): Promise<CheckReport> => {
    const found = await repository.check({
      readData: { part, of: parts.parts }, again: againOf(state.again ?? state.last?.objects ?? []), quarantine: true, signal: claimed.signal,
      onProgress: ({ phase, documentsDone, documentsTotal, bytesDone, bytesTotal }) => { progress = { phase, done: documentsDone, total: documentsTotal, bytesDone, bytesTotal }; },
    });
    lost = await hiddenSnapshots(parts.catalog, repository);
    return { ...found, problems: [...lost.map(lostRoot), ...found.problems] };
  };
  try {
    report = await check();
    // What is behind a damaged manifest, say, is seen once that one is mended.
    for (let round = 0; round < MEND_ROUNDS; round += 1) {
      const named = report.problems.map(({ object }) => object);
      const begun = left.filter((object) => !named.includes(object));
      const objects = [...new Set([...begun, ...named])].slice(0, MOST_MENDED);
      if (objects.length === 0) break;
      // Written down first: an object that was moved aside by a worker that died is not missed by every check.
      left = objects;
      if (!(await claimed.note((held) => ({ ...held, mending: objects })))) break;
      const done = await mend(parts, repository, { objects, begun }, claimed.signal);
      if (done === null) break;
      left = [];
      if (done.length === 0) break;
      mended = [...mended, ...done];
      report = await check();
    }
  } catch (error) {
    const failedAt = clock.now();
    const again = { dueAt: new Date(failedAt.getTime() + FAILED_AGAIN_MS).toISOString(), failure: { at: failedAt.toISOString(), cause: describeError(error) } };
    // A worker that stops leaves the part to the next one, at once.
    await claimed.end((held) => (signal.aborted ? held : { ...held, ...again }));
    if (signal.aborted) return;
    throw error;
  }
  const result = { ...resultOf(report, { startedAt: now, endedAt: clock.now(), part, of: parts.parts }), mended: mended.length, lostSnapshots: lost.slice(0, MOST_NAMED) };
  // Before it ends: a worker that dies in between leaves more marked, not less.
  if (await claimed.note((held) => held)) await parts.catalog.snapshots.noteDamaged([...new Set(report.problems.flatMap(({ affects }) => affects.map(({ snapshotId }) => snapshotId)))]);
  const again = againOf(report.problems.map(({ object }) => object));
  const dueAt = new Date(now.getTime() + parts.everyHours * HOUR_MS).toISOString();
  const ended = await claimed.end(({ mending: _, ...held }) => ({ ...held, ...(left.length === 0 ? {} : { mending: left }), again, nextPart: (part % parts.parts) + 1, dueAt, last: result, failure: null }));
  if (ended) tell(parts.log, result);
}

/** Nothing in the store says that it should be there: the repository can't miss it. */
function lostRoot(id: string): CheckProblem {
  const object = `snapshots/${id}`;
  return { code: 'REPOSITORY_OBJECT_MISSING', object, message: `${object} is gone, though the catalog keeps the snapshot ${id}`, affects: [{ snapshotId: id, entry: null }] };
}

/** Of what is read by parts alone: bad packs are written down beside them, and everything else is read by each check. */
function againOf(objects: readonly string[]): readonly string[] {
  return objects.filter((name) => /^(oplog|catalog)\//.test(name)).slice(0, MOST_AGAIN);
}

function partOf({ nextPart }: CheckState, { parts }: CheckOnScheduleParts): number {
  // There were more parts before.
  return nextPart > parts ? 1 : nextPart;
}

function resultOf(
  { problems, bytesRead, quarantinedCopies }: CheckReport, run: { readonly startedAt: Date; readonly endedAt: Date; readonly part: number; readonly of: number },
): CheckResult {
  const damaged = new Map<string, Set<string>>();
  for (const { snapshotId, entry } of problems.flatMap(({ affects }) => affects)) {
    const namespaces = damaged.get(snapshotId) ?? new Set();
    damaged.set(snapshotId, namespaces);
    if (entry !== null) namespaces.add(entry);
  }
  return {
    startedAt: run.startedAt.toISOString(), endedAt: run.endedAt.toISOString(), part: run.part, of: run.of, bytesRead, problems: problems.length, quarantinedCopies,
    objects: problems.slice(0, MOST_NAMED).map(({ object }) => object),
    damaged: [...damaged].slice(0, MOST_NAMED).map(([snapshotId, namespaces]) => ({ snapshotId, namespaces: [...namespaces].sort().slice(0, MOST_NAMED) })),
  };
}

function tell(log: Logger, result: CheckResult): void {
  const { problems, damaged, part, of, bytesRead, quarantinedCopies, mended, objects, lostSnapshots = [] } = result;
  if (lostSnapshots.length > 0) log.error({ snapshots: lostSnapshots }, 'roots of snapshots are gone from the store, and nothing is pruned: bring them back from a copy of the store, or delete these snapshots where they are really lost');
  if (problems === 0) log.info({ part, of, bytesRead, mended }, 'the repository was checked and is sound');
  else log.error({ part, of, bytesRead, problems, quarantinedCopies, mended, objects, damaged }, 'the repository was checked and is damaged; `leafvault check` tells the whole of it');
}
