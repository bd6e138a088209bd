// Second copies are brought up to date: every day, and after snapshots at most once an hour. Several workers may try; one does it.
import type { Catalog } from '../catalog/index.ts';
import { COPY_STATES, readCopyStates, type CopyResult, type CopyState } from '../domain/copy-state.ts';
import { isHeld } from '../domain/running-chore.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, isLeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { CopyOptions, CopyReport, ReadShare, Repository } from '../repository/repository.ts';
import { readNeededUntil } from './needed-until.ts';
import { BEAT_MS } from './one-worker.ts';
import { ownersThatAreGone } from './session-owner.ts';
import { startBeat } from './start-beat.ts';
import type { Chore } from './worker.ts';

export interface CopyingParts {
  readonly catalog: Catalog;
  readonly repository: Repository;
  /** In the order of the setting. They stay the caller's to close. */
  readonly copies: readonly CopyOptions['to'][];
  /** What went from the repository stays in the copies for so long; default 0. */
  readonly keepDays?: number;
  /** As often a share of each copy is read back, one of so many parts; `everyHours` 0, default: never. */
  readonly check?: { readonly everyHours: number; readonly parts: number };
  readonly clock: Clock;
  readonly log: Logger;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LOOK_EVERY_MS = 600_000;
/** What the catalog keeps by name; the log has all. */
const MOST_NAMED = 200;

export function createCopyChores(parts: CopyingParts): readonly Chore[] {
  if (parts.copies.length === 0) return [];
  return [{ name: 'bringing second copies up to date', everyMs: LOOK_EVERY_MS, run: (signal) => copyWhenDue(parts, signal) }];
}

async function copyWhenDue(parts: CopyingParts, signal: AbortSignal): Promise<void> {
  const { catalog, copies, clock, log } = parts;
  for (const [i, storage] of copies.entries()) {
    const before = readCopyStates(await catalog.settings.get(COPY_STATES)).find(({ address }) => address === storage.address);
    if (!(await isDue(catalog, before, clock.now()))) continue;
    const state: CopyState = { succeededAt: null, problems: 0, ...before, address: storage.address, number: i + 1, startedAt: clock.now().toISOString() };
    await save(parts, state);
    // One copy that can not be reached keeps no other one back.
    await copyOne(parts, storage, state, signal).catch(async (error: unknown) => {
      await save(parts, { ...state, running: null, ...(signal.aborted ? {} : { failure: { at: clock.now().toISOString(), cause: describeError(error) } }) });
      if (signal.aborted) throw error;
      log.error({ copy: storage.address, error: describeError(error) }, 'a second copy could not be brought up to date; it is tried again within the hour');
    });
  }
}

/** Also where the last run did not succeed. */
async function isDue(catalog: Catalog, before: CopyState | undefined, now: Date): Promise<boolean> {
  if (before === undefined) return true;
  if (isHeld(before.running, now)) return false;
  const started = Date.parse(before.startedAt);
  const waited = now.getTime() - started;
  if (waited < HOUR_MS) return false;
  if (waited >= DAY_MS || before.succeededAt === null || Date.parse(before.succeededAt) < started) return true;
  // A snapshot becomes whole some time after the instant that its cluster remembers; a run that finds nothing is cheap.
  return (await catalog.clusters.ofProjects(null)).some(({ lastSuccessAt }) => lastSuccessAt !== null && lastSuccessAt.getTime() > started - HOUR_MS);
}

async function copyOne(parts: CopyingParts, storage: CopyOptions['to'], state: CopyState, signal: AbortSignal): Promise<void> {
  const { catalog, repository, clock, log, keepDays = 0 } = parts;
  const isOver = await ownersThatAreGone({ clock, workers: () => catalog.workers.list(), afterMs: DAY_MS });
  const readData = shareToRead(parts, state);
  const needs = storage.objectLock === undefined ? {} : { neededUntil: await readNeededUntil(repository, clock) };
  const since = clock.now().toISOString();
  let [objects, bytes] = [0, 0];
  const running = (): CopyState['running'] => ({ since, beatAt: clock.now().toISOString(), objects, bytes });
  const beat = startBeat(() => save(parts, { ...state, running: running() }), { everyMs: BEAT_MS, what: 'the copier', log });
  try {
    const report = await repository.copyTo({
      to: storage, isOver, keepDays, goesOn: state.succeededAt !== null, readData, signal, ...needs,
      onProgress: ({ documentsDone, bytesDone }) => { [objects, bytes] = [documentsDone, bytesDone]; },
    }).finally(beat.stop);
    const { damaged, withheld, replaced, rotted, stuck, locks, ...figures } = report;
    const unheld = locks?.failed.length ?? 0;
    const problems = damaged.length + withheld.length + unheld;
    log.info({ copy: storage.address, ...figures, stuck: stuck.length, unheld, replaced, rotted: rotted.length, problems }, 'a second copy was brought up to date');
    for (const { object, message } of damaged) log.error({ copy: storage.address, object, reason: message }, 'an object of the repository could not be copied, or is only in the copy');
    if (rotted.length > 0) log.error({ copy: storage.address, rotted: rotted.slice(0, MOST_NAMED), count: rotted.length }, 'objects had rotted in a second copy; they were put there anew, and what was there is below quarantine/');
    if (withheld.length > 0) log.error({ copy: storage.address, withheld }, 'snapshots are not in the copy, since what they need is damaged');
    for (const { object, message } of locks?.failed ?? []) log.error({ copy: storage.address, object, reason: message }, 'an object of the copy is not held as it should be');
    await save(parts, { ...state, problems, running: null, failure: null, last: resultOf(report, clock.now()), ...readBack(report, state, readData, clock.now()), succeededAt: problems === 0 ? clock.now().toISOString() : state.succeededAt });
  } catch (error) {
    if (!isLeafvaultError(error, 'REPOSITORY_BUSY')) throw error;
    log.info({ copy: storage.address }, 'another process copies already');
  }
}

/** Of a copy: the next part in turn; undefined where it is not due. */
function shareToRead({ check, clock }: CopyingParts, { read }: CopyState): ReadShare | undefined {
  const { everyHours, parts } = check ?? { everyHours: 0, parts: 1 };
  if (everyHours === 0 || (read !== undefined && read !== null && clock.now().getTime() - Date.parse(read.at) < everyHours * HOUR_MS)) return undefined;
  const last = read?.of === parts ? read.part : 0;
  return { part: (last % parts) + 1, of: parts };
}

function readBack({ rotted, readBytes }: CopyReport, before: CopyState, share: ReadShare | undefined, now: Date): Pick<CopyState, 'read' | 'rotted'> {
  const at = now.toISOString();
  return {
    read: share === undefined ? (before.read ?? null) : { ...share, at, bytes: readBytes },
    rotted: rotted.length === 0 ? (before.rotted ?? null) : { objects: (before.rotted?.objects ?? 0) + rotted.length, lastAt: at, names: [...rotted, ...(before.rotted?.names ?? [])].slice(0, MOST_NAMED) },
  };
}

function resultOf({ snapshots, objects, bytes, deleted, kept, postponed, damaged, withheld, locks }: CopyReport, endedAt: Date): CopyResult {
  return {
    endedAt: endedAt.toISOString(), snapshots, objects, bytes, deleted, kept, postponed, unheld: locks?.failed.length ?? null,
    damaged: damaged.slice(0, MOST_NAMED).map(({ object }) => object), withheld: withheld.slice(0, MOST_NAMED),
  };
}

/** Whoever ends last has the last word; copies that are no longer in the setting are forgotten. */
async function save({ catalog, copies }: CopyingParts, state: CopyState): Promise<void> {
  const known = new Set(copies.map(({ address }) => address));
  const others = readCopyStates(await catalog.settings.get(COPY_STATES)).filter(({ address }) => address !== state.address && known.has(address));
  await catalog.settings.set(COPY_STATES, [...others, state].sort((a, b) => a.number - b.number));
}
