// Which objects are needed, and until when: everything that is there for good, and of snapshots what each rests on.
import { throwIfAborted } from '../../foundation/abort.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import { firstNumber } from '../chains/first-number.ts';
import { checkChains } from '../check/check-chains.ts';
import { checkDumps } from '../check/check-dumps.ts';
import { createCleanPages, type CleanPages } from '../check/clean-pages.ts';
import { createProblems } from '../check/problems.ts';
import type { RepositoryContext } from '../context.ts';
import { listDumps } from '../dumps/create-dumps.ts';
import { deletedSnapshots } from '../facts.ts';
import { CATALOG, chainHeadName, FACTS, idOfName, INDEXES, KEYS, OPLOG, packName, PACKS, partsOfFactName, partsOfSnapshotName, REPOSITORY_FILE, sliceName, snapshotName, SNAPSHOTS } from '../format/names.ts';
import { readCondemned } from '../generations.ts';
import { markSnapshot } from '../prune/mark-live.ts';
import { createChunkLoader, type ChunkLoader } from '../read/load-chunk.ts';
import type { SnapshotRoot } from '../repository.ts';
import { listSnapshots } from '../snapshots.ts';

/** Until when a snapshot is needed; null: for ever. One that is over needs nothing any more. */
export type NeededUntil = (root: SnapshotRoot) => Date | null;

export interface Needs {
  /** By name: until when, in ms since 1970; Infinity: for ever. */
  readonly until: ReadonlyMap<string, number>;
  /** What is needed and can't be found or read. */
  readonly missing: readonly { readonly object: string; readonly message: string }[];
}

/** What the store should show, by who knows of it elsewhere: what was hidden or lost is told by it. */
export interface Expected {
  /** Ids of snapshots. */
  readonly snapshots?: Iterable<string>;
  /** With the number of the newest slice that was acknowledged. */
  readonly chains?: Iterable<{ readonly id: string; readonly slices: number }>;
  /** When a dump of the catalog was last put; null: never. */
  readonly dumpedAt?: Date | null;
}

interface Options {
  readonly neededUntil: NeededUntil;
  readonly expected: Expected;
  /** Whether writers may rest on what is there: not in a copy. */
  readonly isWritten: boolean;
  readonly now: number;
  readonly signal: AbortSignal | undefined;
}

/** What no snapshot needs now, and the next one may: until two of the daily runs are over. */
const RESTED_ON_MS = 2 * 24 * 3_600_000;
/** Two dumps in a row have a day between them. */
const DUMP_MARGIN_MS = 12 * 3_600_000;

/** Deltas rest on a base; what is left of one as a delta, its full copies being lost, on one more. */
const MAX_DEPTH = 2;

/** @throws what the store throws; what is damaged is told in `missing` */
export async function findNeeds(context: RepositoryContext, { neededUntil, expected, isWritten, now, signal }: Options): Promise<Needs> {
  const until = new Map<string, number>([[REPOSITORY_FILE, Infinity]]);
  const missing: { object: string; message: string }[] = [];
  for (const prefix of [KEYS, OPLOG, CATALOG]) for await (const { name } of context.storage.list(prefix)) until.set(name, Infinity);
  if (![...until.keys()].some((name) => name.startsWith(KEYS))) missing.push({ object: KEYS, message: 'There is no key slot: whoever opens the repository anew can not' });
  missing.push(...(await recordsThatLack(context, expected, signal)));
  const roots: Rooted[] = [];
  const absent = new Set(expected.snapshots);
  const onUnreadable = (object: string, error: unknown): void => void missing.push({ object, message: describeError(error) });
  for await (const root of listSnapshots(context, onUnreadable)) {
    absent.delete(root.id);
    const needed = neededUntil(root)?.getTime() ?? Infinity;
    if (needed > now) roots.push({ root, needed });
  }
  const deleted = absent.size === 0 ? absent : await deletedSnapshots(context, undefined, onUnreadable);
  for (const id of absent) if (!deleted.has(id)) missing.push({ object: snapshotName(id), message: `The root of the snapshot ${id} is not in the store, though nothing says that it was deleted` });
  await addRecords(context, roots, until);
  // Behind the roots: what they need was there before them.
  const packs = new Set<string>();
  for await (const { name } of context.storage.list(PACKS)) packs.add(idOfName(name) ?? '');
  for await (const { name } of context.storage.list(INDEXES)) until.set(name, Infinity);
  await context.refreshIndex();
  const walk: Walk = { context, loader: createChunkLoader(context, new Map()), walked: createCleanPages(), packs, absent: new Set(), until, missing, signal };
  // The first snapshot that meets a pack is the one that needs it longest.
  for (const one of roots.sort((a, b) => b.needed - a.needed)) await addPacks(walk, one);
  // What a snapshot rests on can't be told: it may be anything.
  if (missing.length > 0) for (const id of packs) until.set(packName(id), Infinity);
  if (isWritten) await addRestable(context, { packs, until, now });
  return { until, missing };
}

/** Chains with gaps, dumps that are not whole, and what is known of elsewhere and is not there: no walk of a snapshot meets these. */
async function recordsThatLack(context: RepositoryContext, { chains = [], dumpedAt = null }: Expected, signal: AbortSignal | undefined): Promise<Needs['missing']> {
  const problems = createProblems();
  await checkChains({ context, problems, signal, readsSlice: () => false, onRead: () => undefined });
  await checkDumps(context, problems, { signal, readsDump: () => false, onRead: () => undefined });
  for (const { id, slices } of chains) {
    throwIfAborted(signal);
    const name = slices === 0 ? chainHeadName(id) : sliceName(id, slices);
    if ((await context.storage.stat(name)) !== null || slices < (await firstNumber(context.storage, id))) continue;
    problems.find('REPOSITORY_CHAIN_BROKEN', name, `${name} is not in the store, though it was acknowledged`);
  }
  const dumps = dumpedAt === null ? [] : await listDumps(context, () => undefined);
  if (dumpedAt !== null && !dumps.some(({ createdAt }) => Date.parse(createdAt) > dumpedAt.getTime() - DUMP_MARGIN_MS)) {
    problems.find('REPOSITORY_OBJECT_DAMAGED', CATALOG, `The dump of the catalog that was put at ${dumpedAt.toISOString()} is not in the store`);
  }
  return problems.report().map(({ object, message }) => ({ object, message }));
}

/** Every pack that a writer may take for its own: what it is held for may be over when the snapshot is put. */
async function addRestable(context: RepositoryContext, { packs, until, now }: { readonly packs: ReadonlySet<string>; readonly until: Map<string, number>; readonly now: number }): Promise<void> {
  const condemned = await readCondemned(context);
  for (const id of packs) {
    if (condemned.packs.has(id)) continue;
    const name = packName(id);
    until.set(name, Math.max(until.get(name) ?? 0, now + RESTED_ON_MS));
  }
}

interface Rooted { readonly root: SnapshotRoot; readonly needed: number }

/** Roots, fences in front of them among it, and facts. */
async function addRecords({ storage }: RepositoryContext, roots: readonly Rooted[], until: Map<string, number>): Promise<void> {
  const needs = new Map(roots.map(({ root, needed }) => [root.id, needed]));
  for await (const { name } of storage.list(SNAPSHOTS)) {
    const needed = needs.get(partsOfSnapshotName(name)?.id ?? '');
    if (needed !== undefined) until.set(name, needed);
  }
  for await (const { name } of storage.list(FACTS)) {
    const needed = needs.get(partsOfFactName(name)?.snapshotId ?? '');
    if (needed !== undefined) until.set(name, needed);
  }
}

interface Walk {
  readonly context: RepositoryContext;
  readonly loader: ChunkLoader;
  readonly walked: CleanPages;
  /** That were in the store when they were listed. */
  readonly packs: ReadonlySet<string>;
  /** That were not when they were asked for: each is asked for once, however many chunks lay in it. */
  readonly absent: Set<string>;
  readonly until: Map<string, number>;
  readonly missing: { object: string; message: string }[];
  readonly signal: AbortSignal | undefined;
}

async function addPacks(walk: Walk, { root, needed }: Rooted): Promise<void> {
  const { context, loader, walked, missing, signal } = walk;
  let lost = 0;
  try {
    await markSnapshot({
      loader, walked, signal,
      async mark(id) {
        if (await addChunk(walk, id, needed)) return;
        // A prune may have given it another place since.
        if (lost === 0) await context.refreshIndex();
        if (!(await addChunk(walk, id, needed))) lost += 1;
      },
    }, root);
  } catch (error) {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    missing.push({ object: snapshotName(root.id), message: describeError(error) });
    return;
  }
  if (lost > 0) missing.push({ object: snapshotName(root.id), message: `${lost} chunks of the snapshot are in no pack` });
}

/** Every pack with a copy, and those of what it rests on. @returns whether the chunk can be read from any */
async function addChunk(walk: Walk, id: Buffer, needed: number, depth = 0): Promise<boolean> {
  const { context, packs, absent, until } = walk;
  let isThere = false;
  for (const { packId, baseId } of await context.index.find(id)) {
    const name = packName(packId);
    if (absent.has(packId)) continue;
    if (!packs.has(packId) && !until.has(name) && (await context.storage.stat(name)) === null) {
      absent.add(packId);
      continue;
    }
    if (!until.has(name)) until.set(name, needed);
    isThere = baseId === null || (depth < MAX_DEPTH && (await addChunk(walk, baseId, needed, depth + 1))) || isThere;
  }
  return isThere;
}
