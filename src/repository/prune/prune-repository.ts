// Pruning: condemn in one generation, sweep when nobody older is at work (docs/design/pruning.md).
import { join } from 'node:path';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { createCleanPages, type CleanPages } from '../check/clean-pages.ts';
import { createChunkIndex, type ChunkIndex } from '../chunk-index/chunk-index.ts';
import { createIndexLoader, type IndexLoader } from '../chunk-index/load-indexes.ts';
import { createSortedRuns, type SortedRuns } from '../chunk-index/sorted-runs.ts';
import type { RepositoryContext } from '../context.ts';
import { generationName, idOfName, packName, PACKS, sessionName } from '../format/names.ts';
import { PACK_TARGET_BYTES } from '../format/pack.ts';
import { beginGeneration, condemnations, generations } from '../generations.ts';
import { createChunkLoader, type ChunkLoader } from '../read/load-chunk.ts';
import type { OpenSession, PruneOptions, PruneReport } from '../repository.ts';
import { openSession, type Session } from '../sessions.ts';
import { readRoot, snapshotIds } from '../snapshots.ts';
import { choosePacks, type PackChoice, type WeighedPack } from './choose-packs.ts';
import { findMoves, readMoves } from './find-moves.ts';
import { forgetSnapshots } from './forget-snapshots.ts';
import { createLiveSet, markSnapshot } from './mark-live.ts';
import { rewriteChunks, type Rewritten } from './rewrite-packs.ts';
import { clearFences, endSession, openSessions } from './sessions-in-the-way.ts';
import { sweepPacks } from './sweep-packs.ts';
import { weighPacks, type PackWeights } from './weigh-packs.ts';

export interface PruneParts extends PruneOptions {
  readonly tempDir: string;
  readonly packBytes: number | undefined;
}

/** What one prune works with: an index of its own, so that writers of this process do not change it under its hands. */
interface Prune {
  readonly context: RepositoryContext;
  readonly parts: PruneParts;
  readonly index: ChunkIndex;
  /** Ids of live chunks. */
  readonly live: SortedRuns;
  /** Live chunks that have to be put elsewhere. */
  readonly moves: SortedRuns;
  readonly indexes: IndexLoader;
  readonly loader: ChunkLoader;
  readonly walked: CleanPages;
  /** Roots whose chunks are marked. */
  readonly marked: Set<string>;
}

/** @throws REPOSITORY_PRUNE_REFUSED */
export async function pruneRepository(shared: RepositoryContext, parts: PruneParts): Promise<PruneReport> {
  if (!(await shared.storage.conditionalPut())) {
    throw refused('the store can not refuse a name that is taken, so two writers could not be kept apart', 'Use a store with conditional put');
  }
  const prune = startPrune(shared, parts);
  try {
    return await run(prune);
  } catch (error) {
    throw asRefusal(error);
  } finally {
    await prune.index.close();
    await prune.live.close();
    await prune.moves.close();
  }
}

function startPrune(shared: RepositoryContext, parts: PruneParts): Prune {
  const tempDir = join(parts.tempDir, 'prune');
  const [index, live, moves] = [createChunkIndex({ tempDir }), createSortedRuns({ tempDir }), createSortedRuns({ tempDir })];
  const indexes = createIndexLoader(shared, index);
  const context: RepositoryContext = {
    ...shared, index, refreshIndex: () => indexes.refresh(),
    // What only unnamed packs hold is lost to a prune: they are leavings to it.
    recoverIndex: () => Promise.resolve(),
  };
  return { context, parts, index, live, moves, indexes, loader: createChunkLoader(context, indexes.unreadable), walked: createCleanPages(), marked: new Set() };
}

async function run(prune: Prune): Promise<PruneReport> {
  const { context, parts } = prune;
  const dryRun = parts.dryRun === true;
  const own = await openSession(context, 'prune');
  try {
    const found = await survey(prune, own, dryRun);
    const plan = choose(prune, found);
    const report = { ...found.report, deadBytes: plan.deadBytes };
    if (dryRun) return { ...report, rewrittenBytes: plan.rewriteBytes, freedBytes: plan.freeableBytes, waitingBytes: 0, damagedPacks: [], postponedPacks: 0 };
    const { writtenBytes, damaged, postponed } = await rewrite(prune, found, plan);
    const condemned = plan.victims.filter((id) => !damaged.has(id) && !postponed.has(id));
    const generation = condemned.length === 0 ? null : own.generation + 1;
    if (generation !== null) await condemn(prune, generation, condemned);
    const { swept, inTheWay } = await sweep(prune, found, own, { generation, condemned });
    const sizeOf = (ids: Iterable<string>): number => [...ids].reduce((sum, id) => sum + (found.packs.get(id) ?? 0), 0);
    const waiting = new Set([...condemned, ...found.condemned.keys()].filter((id) => !swept.has(id)));
    return { ...report, inTheWay, rewrittenBytes: writtenBytes, damagedPacks: [...damaged], postponedPacks: postponed.size, freedBytes: sizeOf(swept) - writtenBytes, waitingBytes: sizeOf(waiting) };
  } finally {
    await own.end();
  }
}

interface Survey {
  /** Every pack in the store, with its size. */
  readonly packs: ReadonlyMap<string, number>;
  readonly condemned: ReadonlyMap<string, number>;
  /** Condemned earlier, and swept as soon as nobody older than its generation is at work. */
  readonly sweepable: ReadonlySet<string>;
  /** Condemned, but the last to hold something live: rewritten, and condemned again. */
  readonly needed: ReadonlySet<string>;
  readonly weights: PackWeights;
  /** By number: in the store, and as large as the index says. */
  readonly isThere: (packNumber: number) => boolean;
  readonly writers: readonly OpenSession[];
  readonly report: Pick<PruneReport, 'snapshots' | 'forgotten' | 'packs' | 'bytes' | 'inTheWay' | 'ended'>;
}

/**
 * The order is what makes it safe. Sessions before roots: whoever has ended before has its root listed. Roots before indexes: what a root
 * needs was named before it was there. Packs before indexes: one that is listed and not named was not named when it was listed.
 */
async function survey(prune: Prune, own: Session, dryRun: boolean): Promise<Survey> {
  const { context, index } = prune;
  const condemned = await condemnations(context);
  const ended = dryRun ? [] : await endOverSessions(prune, own.id);
  const sessions = (await openSessions(context)).filter(({ id }) => id !== own.id);
  const other = sessions.find(({ kind }) => kind === 'prune');
  // Each puts its session before it looks: of two that begin at once one goes on at most.
  if (other !== undefined) throw busy(`another prune is at work since ${other.createdAt} (${other.owner})`);
  const writers = sessions.filter(({ kind }) => kind === 'writer');
  const forgotten = await forgetSnapshots(context, { dryRun, rootsMayCome: writers.length > 0 });
  const packs = await listPacks(context);
  const roots = await snapshotIds(context);
  await refreshIndexes(prune);
  await addNewPacks(prune, packs);
  const mark = createLiveSet(prune.live);
  const snapshots = await markNew(prune, roots, mark.mark);
  await mark.flush();
  tell(prune, 'weigh', 0, null);
  const isThere = (number: number): boolean => packs.get(index.packs.idOf(number)) === index.packs.sizeOf(number);
  const weights = await weighPacks({ index, live: prune.live, isThere, isUsable: (number) => isThere(number) && !condemned.has(index.packs.idOf(number)) });
  if (weights.deltas > 0) throw refused('it holds chunks of a kind that this version does not know', 'Use the version of Leafvault that wrote them, or a newer one');
  if (weights.lost > 0) throw refused(`${weights.lost} chunks of snapshots are in no pack, the first is ${weights.firstLost}`, CHECK);
  const needed = new Set([...weights.needed].map((number) => index.packs.idOf(number)));
  const sweepable = new Set([...condemned].filter(([id, generation]) => !needed.has(id) && sessions.every((session) => session.generation >= generation)).map(([id]) => id));
  let bytes = 0;
  for (const size of packs.values()) bytes += size;
  return {
    packs, condemned, sweepable, needed, weights, isThere, writers,
    report: { snapshots, forgotten: forgotten.length, packs: packs.size, bytes, inTheWay: sessions, ended },
  };
}

async function endOverSessions({ context, parts: { isOver } }: Prune, ownId: string): Promise<OpenSession[]> {
  const ended: OpenSession[] = [];
  for (const session of await openSessions(context)) {
    if (session.id === ownId || isOver === undefined || !(await isOver(session))) continue;
    context.log.warn({ session: session.id, owner: session.owner, kind: session.kind, since: session.createdAt }, 'a session that is over is ended');
    try {
      await endSession(context, session);
      ended.push(session);
    } catch (error) {
      if (!isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED')) throw error;
      context.log.error({ session: session.id, reason: error.message }, 'what the session was about to do can not be told; it stays');
    }
  }
  await clearFences(context);
  return ended;
}

async function listPacks({ storage }: Pick<RepositoryContext, 'storage'>): Promise<Map<string, number>> {
  const packs = new Map<string, number>();
  for await (const { name, sizeBytes } of storage.list(PACKS)) {
    const id = idOfName(name);
    if (id !== null) packs.set(id, sizeBytes);
  }
  return packs;
}

/** Those that came with a snapshot since the listing. */
async function addNewPacks({ context: { storage }, index }: Prune, packs: Map<string, number>): Promise<void> {
  for (let number = 0; number < index.packs.count; number += 1) {
    const id = index.packs.idOf(number);
    const found = packs.has(id) ? null : await storage.stat(packName(id));
    if (found !== null) packs.set(id, found.sizeBytes);
  }
}

async function refreshIndexes({ indexes }: Prune): Promise<void> {
  await indexes.refresh();
  const [unreadable] = indexes.unreadable.values();
  if (unreadable !== undefined) throw refused(`an index can not be read (${unreadable.message})`, CHECK, unreadable);
}

/** Marks the snapshots that were not marked before. A root that can't be read stops the prune: what it needs can't be told. @returns how many */
async function markNew(prune: Prune, ids: readonly string[], mark: (id: Buffer) => Promise<void> | void): Promise<number> {
  const { context, loader, walked, marked, parts: { signal } } = prune;
  let snapshots = 0;
  for (const id of ids) {
    if (marked.has(id)) continue;
    const root = await readRoot(context, id);
    marked.add(id);
    if (root === null) continue;
    await markSnapshot({ loader, walked, signal, mark }, root);
    snapshots += 1;
    tell(prune, 'mark', marked.size, ids.length);
  }
  return snapshots;
}

interface Plan {
  readonly choice: PackChoice;
  /** Ids of all packs that are to be condemned now. */
  readonly victims: readonly string[];
  /** The same and those condemned before. */
  readonly doomed: ReadonlySet<string>;
  readonly deadBytes: number;
  readonly rewriteBytes: number;
  readonly freeableBytes: number;
}

function choose({ index, parts }: Prune, { packs, condemned, weights, writers, needed, sweepable }: Survey): Plan {
  const named = new Set<string>();
  const [weighed, saved]: [WeighedPack[], WeighedPack[]] = [[], []];
  let deadBytes = 0;
  for (let number = 0; number < index.packs.count; number += 1) {
    const id = index.packs.idOf(number);
    const sizeBytes = packs.get(id);
    // The same pack may stand in two indexes, one of which was to replace the other: its first number has the weight.
    if (named.has(id) || sizeBytes === undefined) continue;
    named.add(id);
    const [storedBytes, liveBytes] = [weights.storedBytes[number] ?? 0, weights.liveBytes[number] ?? 0];
    deadBytes += storedBytes - liveBytes;
    if (needed.has(id)) saved.push({ id, sizeBytes, storedBytes, liveBytes });
    else if (!condemned.has(id)) weighed.push({ id, sizeBytes, storedBytes, liveBytes });
  }
  const chosen = choosePacks(weighed, parts.packBytes ?? PACK_TARGET_BYTES);
  const choice = { ...chosen, rewrite: [...chosen.rewrite, ...saved] };
  const leavings = [...packs.keys()].filter((id) => !named.has(id) && !condemned.has(id) && !mayBeNamedYet(id, writers));
  const victims = [...choice.dead.map(({ id }) => id), ...choice.rewrite.map(({ id }) => id), ...leavings];
  const rewriteBytes = choice.rewrite.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
  const goes = new Set([...victims, ...sweepable]);
  let freeableBytes = -rewriteBytes;
  for (const id of goes) freeableBytes += packs.get(id) ?? 0;
  return { choice, victims, doomed: new Set([...victims, ...condemned.keys()]), deadBytes, rewriteBytes, freeableBytes };
}

/** `postponed`: packs that stay this time. A full disk is when a prune is needed most: what is dead goes, and makes the room for the next one. */
async function rewrite(prune: Prune, found: Survey, plan: Plan): Promise<Rewritten & { readonly postponed: ReadonlySet<string> }> {
  const none: ReadonlySet<string> = new Set();
  if (plan.choice.rewrite.length === 0) return { writtenBytes: 0, damaged: none, postponed: none };
  try {
    return { ...(await rewriteChosen(prune, found, plan)), postponed: none };
  } catch (error) {
    if (!isLeafvaultError(error, 'STORAGE_FULL') || plan.victims.length === plan.choice.rewrite.length) throw error;
    prune.context.log.warn({ packs: plan.choice.rewrite.length, reason: error.message }, 'there is no room to write packs anew; only dead ones go');
    return { writtenBytes: 0, damaged: none, postponed: new Set(plan.choice.rewrite.map(({ id }) => id)) };
  }
}

async function rewriteChosen(prune: Prune, { isThere }: Survey, { doomed, rewriteBytes }: Plan): Promise<Rewritten> {
  const { context, index, live, moves, loader, indexes, parts: { packBytes, signal } } = prune;
  await findMoves({ index, live, moves, isThere, stays: (number) => isThere(number) && !doomed.has(index.packs.idOf(number)) });
  return rewriteChunks({
    context, loader, packBytes, signal, onIndexStored: indexes.knows, onProgress: (bytes) => tell(prune, 'rewrite', bytes, rewriteBytes),
  }, readMoves(moves));
}

/** Of a writer at work: left for the next time. Only thrift; a pack that is condemned too early stays when a root needs it. */
function mayBeNamedYet(packId: string, writers: readonly OpenSession[]): boolean {
  const madeAt = Number.parseInt(packId.slice(0, 8), 16);
  return writers.some(({ createdAt }) => madeAt >= Math.floor(Date.parse(createdAt) / 1000));
}

async function condemn({ context }: Prune, generation: number, condemned: readonly string[]): Promise<void> {
  try {
    await beginGeneration(context, generation, condemned);
  } catch (error) {
    if (!isLeafvaultError(error, 'STORAGE_OBJECT_EXISTS')) throw error;
    throw busy('another prune began meanwhile', error);
  }
}

async function sweep(
  prune: Prune, found: Survey, own: Session, now: { readonly generation: number | null; readonly condemned: readonly string[] },
): Promise<{ readonly swept: ReadonlySet<string>; readonly inTheWay: readonly OpenSession[] }> {
  const { context, parts: { signal } } = prune;
  const { generation, condemned } = now;
  const newest = generation ?? own.generation;
  const inTheWay = (await openSessions(context)).filter((session) => session.id !== own.id && session.generation < newest);
  const swept = new Set(found.sweepable);
  if (generation !== null && inTheWay.length === 0) for (const id of condemned) swept.add(id);
  for (const id of await neededByNewSnapshots(prune, found, swept)) swept.delete(id);
  tell(prune, 'sweep', 0, swept.size);
  const assertOurs = async (): Promise<void> => {
    if ((await context.storage.stat(sessionName(own.id))) === null) throw busy('this prune was taken for dead and ended by another one');
  };
  const { packs } = prune.index;
  const named = new Set(Array.from({ length: packs.count }, (_, number) => packs.idOf(number)));
  await sweepPacks(context, { swept, named, assertOurs, signal });
  await forgetGenerations(context, { swept, packs: found.packs, known: own.generation });
  return { swept, inTheWay };
}

/** Packs that hold the last copy of what a snapshot needs that came since the survey. */
async function neededByNewSnapshots(prune: Prune, found: Survey, doomed: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  if (doomed.size === 0) return needed;
  const roots = await snapshotIds(prune.context);
  await refreshIndexes(prune);
  await markNew(prune, roots, async (id) => {
    const copies = await prune.index.find(id);
    for (const { packId } of copies) if (!doomed.has(packId) && (found.packs.has(packId) || (await prune.context.storage.stat(packName(packId))) !== null)) return;
    if (copies.length === 0) throw refused(`the chunk ${id.toString('hex')} of a new snapshot is in no pack`, CHECK);
    for (const { packId } of copies) needed.add(packId);
  });
  return needed;
}

/** Of those that were there before the packs were listed, all but the newest, whose number has to stay, and those that condemn a pack that is still there and that no later one condemns. */
async function forgetGenerations(
  context: RepositoryContext, { swept, packs, known }: { readonly swept: ReadonlySet<string>; readonly packs: ReadonlyMap<string, number>; readonly known: number },
): Promise<void> {
  const all = await generations(context);
  const newest = Math.max(0, ...all);
  const waiting = new Set([...(await condemnations(context))].filter(([id]) => !swept.has(id) && packs.has(id)).map(([, generation]) => generation));
  for (const generation of all) if (generation <= known && generation !== newest && !waiting.has(generation)) await context.storage.delete(generationName(generation));
}

function tell({ parts: { onProgress } }: Prune, phase: 'mark' | 'weigh' | 'rewrite' | 'sweep', done: number, total: number | null): void {
  const isBytes = phase === 'rewrite';
  onProgress?.({ phase, documentsDone: isBytes ? 0 : done, documentsTotal: isBytes ? null : total, bytesDone: isBytes ? done : 0, bytesTotal: isBytes ? total : null, namespace: null });
}

const CHECK = 'Run `leafvault check` to see what it costs; a snapshot that is lost has to be deleted before anything can be pruned';

function refused(why: string, hint: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_PRUNE_REFUSED', `Pruning was refused: ${why}`, { hint, cause });
}

/** `details.busy`: nothing is wrong, another one does it. */
function busy(why: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_PRUNE_REFUSED', `Pruning was refused: ${why}`, {
    hint: 'Nothing was taken away; run it again when the other one is through', cause, details: { busy: true }, retryable: true,
  });
}

/** What can't be read may need anything. */
function asRefusal(error: unknown): unknown {
  const codes = ['REPOSITORY_OBJECT_DAMAGED', 'REPOSITORY_OBJECT_MISSING', 'REPOSITORY_CHUNK_DAMAGED', 'REPOSITORY_CHUNK_MISSING', 'REPOSITORY_CHUNK_UNSUPPORTED', 'REPOSITORY_FORMAT_NEWER'];
  return isLeafvaultError(error) && codes.includes(error.code) ? refused(error.message, CHECK, error) : error;
}
