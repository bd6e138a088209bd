// Pruning: condemn in one generation, sweep when nobody older is at work (docs/design/pruning.md).
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import { forgetBadCopies, readBadCopies } from '../bad-copies.ts';
import { addNeededPacks, type IsSafe } from '../chunk-index/resting.ts';
import type { RepositoryContext } from '../context.ts';
import { deleteOrLeave } from '../delete-or-leave.ts';
import { generationName, packName, sessionName } from '../format/names.ts';
import { condemnations, generations } from '../generations.ts';
import type { OpenSession, PruneReport } from '../repository.ts';
import { openSession, type Session } from '../sessions.ts';
import { snapshotPlaces } from '../snapshots.ts';
import { condemn } from './condemn.ts';
import { findMoves, readMoves } from './find-moves.ts';
import { forgetFacts, passOver } from './forget-snapshots.ts';
import { choose, type Plan } from './plan-prune.ts';
import { endPrune, markNew, refreshIndexes, startPrune, tell, type Prune, type PruneParts } from './prune-run.ts';
import { asRefusal, busy, CHECK, refused } from './refusals.ts';
import { rewriteChunks, type Rewritten } from './rewrite-packs.ts';
import { openSessions } from './sessions-in-the-way.ts';
import { survey, type Survey } from './survey.ts';
import { sweepPacks } from './sweep-packs.ts';

/** @throws REPOSITORY_PRUNE_REFUSED */
export async function pruneRepository(shared: RepositoryContext, parts: PruneParts): Promise<PruneReport> {
  if (!(await shared.storage.conditionalPut())) {
    throw refused('the store can not refuse a name that is taken, so two writers could not be kept apart', 'Copy the repository to a store with conditional put (`leafvault copy --to`, then `leafvault copy --promote`), and set repository.store to it');
  }
  const prune = startPrune(shared, parts);
  try {
    return await run(prune);
  } catch (error) {
    throw asRefusal(error);
  } finally {
    await endPrune(prune);
  }
}

async function run(prune: Prune): Promise<PruneReport> {
  const { context, parts } = prune;
  const dryRun = parts.dryRun === true;
  const own = await openSession(context, 'prune');
  try {
    const found = await survey(prune, own, dryRun);
    const plan = choose(prune, found);
    const report = { ...found.report, deadBytes: plan.deadBytes };
    const sizeOf = (ids: Iterable<string>): number => [...ids].reduce((sum, id) => sum + (found.packs.get(id) ?? 0), 0);
    if (dryRun) {
      // What was condemned before and has to go on waiting, and all of now where somebody is at work.
      const waits = [...found.condemned.keys()].filter((id) => !found.sweepable.has(id));
      const waiting = new Set([...waits, ...(report.inTheWay.length === 0 ? [] : plan.victims)]);
      return { ...report, rewrittenBytes: plan.rewriteBytes, freedBytes: plan.freeableBytes, waitingBytes: sizeOf(waiting), damagedPacks: [], postponedPacks: 0, stuck: [] };
    }
    const { writtenBytes, damaged, postponed } = await rewrite(prune, found, plan);
    const condemned = plan.victims.filter((id) => found.again.has(id) || !(damaged.has(id) || postponed.has(id)));
    const generation = condemned.length === 0 ? null : found.generation + 1;
    if (generation !== null) await condemn(context, generation, condemned);
    await forgetFacts(context, found.forgotten, { stuck: prune.stuck, signal: parts.signal });
    const { swept, inTheWay } = await sweep(prune, found, own, { generation, condemned });
    const waiting = new Set([...condemned, ...found.condemned.keys()].filter((id) => !swept.has(id)));
    return { ...report, inTheWay, rewrittenBytes: writtenBytes, damagedPacks: [...damaged], postponedPacks: postponed.size, freedBytes: sizeOf(swept) - writtenBytes, waitingBytes: sizeOf(waiting), stuck: prune.stuck };
  } catch (error) {
    // Others pruned meanwhile: what it found may be half of before and half of after.
    if (isLeafvaultError(error) && (await isEnded(context, own))) throw takenForDead(error);
    throw error;
  } finally {
    await own.end();
  }
}

const isEnded = async ({ storage }: RepositoryContext, { id }: Session): Promise<boolean> => (await storage.stat(sessionName(id))) === null;

const takenForDead = (cause?: unknown): LeafvaultError => busy('this prune was taken for dead and ended by another one', cause);

/** `postponed`: packs that stay this time. A full disk is when a prune is needed most: what is dead goes, and makes the room for the next one. */
async function rewrite(prune: Prune, found: Survey, plan: Plan): Promise<Rewritten & { readonly postponed: ReadonlySet<string> }> {
  const none: ReadonlySet<string> = new Set();
  if (plan.choice.rewrite.length === 0) return { writtenBytes: 0, damaged: none, postponed: none };
  try {
    return { ...(await rewriteChosen(prune, found, plan)), postponed: none };
  } catch (error) {
    const hasDead = plan.victims.length > plan.choice.rewrite.length || found.sweepable.size > 0;
    if (!isLeafvaultError(error, 'STORAGE_FULL') || !hasDead) throw error;
    prune.context.log.warn({ packs: plan.choice.rewrite.length, reason: error.message }, 'there is no room to write packs anew; only dead ones go');
    return { writtenBytes: 0, damaged: none, postponed: new Set(plan.choice.rewrite.map(({ id }) => id)) };
  }
}

async function rewriteChosen(prune: Prune, { isThere, isBad }: Survey, { doomed, rewriteBytes }: Plan): Promise<Rewritten> {
  const { context, index, live, moves, loader, indexes, parts: { packBytes, signal } } = prune;
  await findMoves({ index, live, moves, isThere, isBad, signal, stays: (number) => isThere(number) && !doomed.has(index.packs.idOf(number)) });
  return rewriteChunks({
    context, loader, packBytes, isBad, signal, onIndexStored: indexes.knows, onProgress: (bytes) => tell(prune, 'rewrite', bytes, rewriteBytes),
  }, readMoves(moves));
}

async function sweep(
  prune: Prune, found: Survey, own: Session, now: { readonly generation: number | null; readonly condemned: readonly string[] },
): Promise<{ readonly swept: ReadonlySet<string>; readonly inTheWay: readonly OpenSession[] }> {
  const { context, parts: { signal } } = prune;
  const { generation, condemned } = now;
  const newest = generation ?? found.generation;
  const inTheWay = (await openSessions(context)).filter((session) => session.id !== own.id && session.generation < newest);
  const swept = new Set(found.sweepable);
  if (generation !== null && inTheWay.length === 0) for (const id of condemned) swept.add(id);
  for (const id of await neededByNewSnapshots(prune, found, swept)) swept.delete(id);
  tell(prune, 'sweep', 0, swept.size);
  const assertOurs = async (): Promise<void> => {
    if (await isEnded(context, own)) throw takenForDead();
  };
  const gone = await sweepPacks(context, { swept, lost: found.lost, named: prune.index.packs.ids(), assertOurs, stuck: prune.stuck, signal });
  await forgetGenerations(context, { swept: gone, stuck: prune.stuck, packs: found.packs, known: found.generation });
  await forgetBadCopies(context, async (id) => (await context.storage.stat(packName(id))) === null);
  return { swept: gone, inTheWay };
}

/** Packs that hold the last copy of what a snapshot needs that came since the survey, bases among it. */
async function neededByNewSnapshots(prune: Prune, found: Survey, doomed: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  if (doomed.size === 0) return needed;
  const roots = await snapshotPlaces(prune.context, passOver(prune.context));
  await refreshIndexes(prune);
  const bad = await readBadCopies(prune.context);
  const isSafe: IsSafe = async ({ packId, id }) =>
    !doomed.has(packId) && !bad.has(packId, id) && (found.packs.has(packId) || (await prune.context.storage.stat(packName(packId))) !== null);
  await markNew(prune, roots, async (id) => {
    const isNamed = await addNeededPacks(prune.index, id, isSafe, needed);
    if (!isNamed) throw refused(`the chunk ${id.toString('hex')} of a new snapshot, or what it rests on, is in no pack`, CHECK);
  });
  return needed;
}

/** Of those that were there before the packs were listed, all but the newest, whose number has to stay, and those that condemn a pack that is still there and that no later one condemns. */
async function forgetGenerations(
  context: RepositoryContext, { swept, stuck, packs, known }: { readonly swept: ReadonlySet<string>; readonly stuck: string[]; readonly packs: ReadonlyMap<string, number>; readonly known: number },
): Promise<void> {
  const all = await generations(context);
  const newest = Math.max(0, ...all);
  const waiting = new Set([...(await condemnations(context))].filter(([id]) => !swept.has(id) && packs.has(id)).map(([, generation]) => generation));
  for (const generation of all) if (generation <= known && generation !== newest && !waiting.has(generation)) await deleteOrLeave(context, generationName(generation), stuck);
}
