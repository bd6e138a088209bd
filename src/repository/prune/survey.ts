// What a prune finds: sessions, packs, what is condemned, what is needed.
import { isLeafvaultError } from '../../foundation/errors.ts';
import { isDamage } from '../format/damage.ts';
import { createCleanPages } from '../check/clean-pages.ts';
import { readBadCopies } from '../bad-copies.ts';
import { addNeededPacks } from '../chunk-index/resting.ts';
import type { RepositoryContext } from '../context.ts';
import { deletedSnapshots } from '../facts.ts';
import { idOfName, packName, PACKS } from '../format/names.ts';
import { readCondemned } from '../generations.ts';
import type { OpenSession, PruneReport } from '../repository.ts';
import type { Session } from '../sessions.ts';
import { readRoot, snapshotPlaces } from '../snapshots.ts';
import { condemn } from './condemn.ts';
import { forgetRoots, passOver } from './forget-snapshots.ts';
import type { IsBad } from './kept-copy.ts';
import { markBases } from './mark-bases.ts';
import { createLiveSet, markSnapshot } from './mark-live.ts';
import { assertReadable, markNew, tell, type Prune } from './prune-run.ts';
import { rebuildIndexes } from './rebuild-indexes.ts';
import { busy, CHECK, refused } from './refusals.ts';
import { clearFences, endSession, openSessions } from './sessions-in-the-way.ts';
import { weighPacks, type PackWeights } from './weigh-packs.ts';

export interface Survey {
  /** The newest that there is: that of the prune's session, or one that it has begun since. */
  readonly generation: number;
  /** Every pack in the store, with its size. */
  readonly packs: ReadonlyMap<string, number>;
  readonly condemned: ReadonlyMap<string, number>;
  /** Condemned earlier, and swept as soon as nobody older than its generation is at work. */
  readonly sweepable: ReadonlySet<string>;
  /** Condemned, and condemned once more, for the sake of who reads a snapshot that was deleted. */
  readonly again: ReadonlySet<string>;
  /** Named by an index, and not in the store. */
  readonly lost: ReadonlySet<string>;
  /** Snapshots whose facts go once the packs are condemned. A writer may be ahead of its root with a fact. */
  readonly forgotten: readonly string[];
  /** Condemned, but the last to hold something live: rewritten, and condemned again. */
  readonly needed: ReadonlySet<string>;
  readonly weights: PackWeights;
  /** By number: in the store, and as large as the index says. */
  readonly isThere: (packNumber: number) => boolean;
  /** Copies that a check found bad; undefined: none is known. */
  readonly isBad: IsBad | undefined;
  readonly writers: readonly OpenSession[];
  readonly report: Pick<PruneReport, 'snapshots' | 'forgotten' | 'packs' | 'bytes' | 'inTheWay' | 'ended' | 'rebuiltIndexes'>;
}

/**
 * The order is what makes it safe. Sessions before roots: whoever has ended before has its root listed. Roots before indexes: what a root
 * needs was named before it was there. Packs before indexes: one that is listed and not named was not named when it was listed.
 */
export async function survey(prune: Prune, own: Session, dryRun: boolean): Promise<Survey> {
  const { context, index } = prune;
  const { packs: condemned, unsettled, unreadable: [unknown] } = await readCondemned(context);
  if (unknown !== undefined) throw refused(unknown.message, unknown.hint ?? CHECK, unknown);
  const ended = await endOverSessions(prune, own.id, dryRun);
  const sessions = (await openSessions(context)).filter(({ id }) => id !== own.id && !ended.some((each) => each.id === id));
  const other = sessions.find(({ kind }) => kind === 'prune');
  // Each puts its session before it looks: of two that begin at once one goes on at most.
  if (other !== undefined) throw busy(`another prune is at work since ${other.createdAt} (${other.owner})`);
  const writers = sessions.filter(({ kind }) => kind === 'writer');
  const restedOn = await restingOnCondemned(prune, condemned);
  // Written down before the roots go: should this prune die behind that, nobody could tell any more what their readers need.
  const generation = restedOn.size > 0 && !dryRun ? own.generation + 1 : own.generation;
  if (generation > own.generation) await condemn(context, generation, [...restedOn], { beforeRoots: true });
  const { deleted, withRoot } = await forgetRoots(context, { dryRun, stuck: prune.stuck, signal: prune.parts.signal });
  // Who reads one of them may rest on packs that were condemned before it began; from here on nobody begins to.
  const condemnedAlone = new Set([...restedOn, ...unsettled]);
  const isRead = condemnedAlone.size > 0 && (await openSessions(context)).some(({ kind }) => kind === 'reader');
  const packs = await listPacks(context);
  const roots = await snapshotPlaces(context, passOver(context));
  await prune.indexes.refresh();
  const rebuilt = dryRun ? [] : await rebuildIndexes(prune, writers);
  assertReadable(prune.indexes);
  await addNewPacks(prune, packs);
  const mark = createLiveSet(prune.live);
  const snapshots = await markNew(prune, roots, mark.mark);
  await mark.flush();
  tell(prune, 'weigh', 0, null);
  // Asked several times for every chunk.
  const there = Uint8Array.from({ length: index.packs.count }, (_, number) => (packs.get(index.packs.idOf(number)) === index.packs.sizeOf(number) ? 1 : 0));
  const isThere = (number: number): boolean => there[number] === 1;
  // Behind the indexes: what was stored anew for a bad copy has its record there.
  const bad = await readBadCopies(context);
  const isBad = bad.packs.size === 0 ? undefined : (number: number, id: Buffer): boolean => bad.has(index.packs.idOf(number), id);
  await markBases({ index, live: prune.live, isThere, isBad, tempDir: prune.tempDir, signal: prune.parts.signal });
  const weights = await weighPacks({ index, live: prune.live, isThere, isBad, isUsable: (number) => isThere(number) && !condemned.has(index.packs.idOf(number)), signal: prune.parts.signal });
  if (weights.lost > 0) throw refused(`${weights.lost} chunks of snapshots are in no pack, the first is ${weights.firstLost}`, CHECK);
  const needed = new Set([...weights.needed].map((number) => index.packs.idOf(number)));
  const unneeded = [...condemned].filter(([id]) => !needed.has(id));
  const again = isRead ? unneeded.filter(([id]) => condemnedAlone.has(id) && packs.has(id)) : [];
  const waits = idsOf(again);
  // Of earlier prunes' what is gone is no work, and where versions are kept a second deletion would make it young again.
  const sweepable = unneeded.filter(([id, generation]) => packs.has(id) && !waits.has(id) && sessions.every((session) => session.generation >= generation));
  let bytes = 0;
  for (const size of packs.values()) bytes += size;
  return {
    generation, packs, condemned, sweepable: idsOf(sweepable), again: waits, needed, weights, isThere, isBad, writers,
    lost: new Set([...index.packs.ids()].filter((id) => !packs.has(id))), forgotten: writers.length > 0 ? [] : deleted,
    report: { snapshots, forgotten: withRoot.length, packs: packs.size, bytes, inTheWay: sessions, ended, rebuiltIndexes: rebuilt },
  };
}

const idsOf = (entries: readonly (readonly [string, number])[]): ReadonlySet<string> => new Set(entries.map(([id]) => id));

/** Packs that hold the only copies of what deleted snapshots need, and are condemned: a reader of one of those may be at them. */
async function restingOnCondemned(prune: Prune, condemned: ReadonlyMap<string, number>): Promise<ReadonlySet<string>> {
  const packs = new Set<string>();
  const { context, index, loader, parts: { signal } } = prune;
  // The newest generation is never forgotten: mostly all that it names is gone, and nothing is left to keep.
  const there = condemned.size === 0 ? null : await listPacks(context);
  if (there === null || ![...condemned.keys()].some((id) => there.has(id))) return packs;
  const deleted = await deletedSnapshots(context, undefined, passOver(context));
  if (deleted.size > 0) await prune.indexes.refresh();
  // What one of them rests on below a page, the others do, too.
  const walked = createCleanPages();
  for (const id of deleted) {
    try {
      const root = await readRoot(context, id);
      if (root === null) continue;
      await markSnapshot({
        loader, walked, signal,
        async mark(chunk) {
          await addNeededPacks(index, chunk, ({ packId }) => !condemned.has(packId), packs);
        },
      }, root);
    } catch (error) {
      if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
      // Who reads it meets the same.
      context.log.warn({ snapshot: id, reason: error.message }, 'a deleted snapshot can not be walked');
    }
  }
  for (const id of packs) if (!condemned.has(id) || !there.has(id)) packs.delete(id);
  return packs;
}

/** In a dry run they are told, and stay. */
async function endOverSessions({ context, parts: { isOver } }: Prune, ownId: string, dryRun: boolean): Promise<OpenSession[]> {
  const ended: OpenSession[] = [];
  for (const session of await openSessions(context)) {
    if (session.id === ownId || !(context.left.has(session.id) || (await isOver?.(session)) === true)) continue;
    if (dryRun) {
      ended.push(session);
      continue;
    }
    context.log.warn({ session: session.id, owner: session.owner, kind: session.kind, since: session.createdAt }, 'a session that is over is ended');
    try {
      await endSession(context, session);
      ended.push(session);
    } catch (error) {
      if (!isLeafvaultError(error) || !isDamage(error)) throw error;
      context.log.error({ session: session.id, reason: error.message }, 'what the session was about to do can not be told; it stays');
    }
  }
  if (!dryRun) await clearFences(context);
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
  for (const id of index.packs.ids()) {
    const found = packs.has(id) ? null : await storage.stat(packName(id));
    if (found !== null) packs.set(id, found.sizeBytes);
  }
}
