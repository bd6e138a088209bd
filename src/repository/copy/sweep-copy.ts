// What went from the source goes from the copy: roots first; the rest only when nobody reads there.
import type { Storage } from '../../storage/index.ts';
import { DELETED, deletedSnapshots } from '../facts.ts';
import { CATALOG, dumpManifestName, FACTS, INDEXES, KEYS, packName, PACKS, partsOfDumpName, partsOfFactName, partsOfSnapshotName, snapshotName } from '../format/names.ts';
import type { Exclusive } from '../exclusive.ts';
import { passOver } from '../prune/forget-snapshots.ts';
import { endSession, openSessions } from '../prune/sessions-in-the-way.ts';
import type { RepositoryContext } from '../context.ts';
import { readRoot } from '../snapshots.ts';
import { sweepChains } from './copy-chains.ts';
import { eachIndexOf } from './index-packs.ts';
import type { Keeping } from './keep-missed.ts';
import { drop, sizesIn, tellDamage, type Transfer } from './transfer.ts';

export interface Shown {
  /** Roots of the source, and of the copy when this run began. */
  readonly roots: ReadonlyMap<string, number>;
  readonly before: ReadonlyMap<string, number>;
  /** Index objects of the source, all of them in the copy by now. */
  readonly indexes: ReadonlySet<string>;
  readonly keeping: Keeping;
}

/** Names between two looks whether this process still has the copy to itself. */
const BETWEEN_LOOKS = 64;

/** @param exclusive null: a dry run @returns false where the rest stays until the next run, since a reader is open in the copy, or a root stays that is to go */
export async function sweepCopy(transfer: Transfer, exclusive: Exclusive | null, { roots, before, indexes, keeping }: Shown): Promise<boolean> {
  const { source, to } = transfer;
  const placeOf = (name: string): number => partsOfSnapshotName(name)?.place ?? 0;
  const dropAll = async (names: readonly string[]): Promise<void> => {
    for (const [i, name] of names.entries()) {
      if (i % BETWEEN_LOOKS === 0) await exclusive?.assertStands();
      await drop(transfer, name);
    }
  };
  // Before the facts are listed: a prune that ends between the two leaves nothing, and nothing was lost.
  const deleted = await deletedSnapshots(source, undefined, passOver(source));
  const facts = await sizesIn(source.storage, FACTS);
  const spokenOf = new Set([...facts.keys()].map((name) => partsOfFactName(name)?.snapshotId));
  /** A prune takes a root when its snapshot counts as deleted, and then the facts: that one last which says so. */
  const isLost = (name: string): boolean => {
    const id = partsOfSnapshotName(name)?.id ?? '';
    return spokenOf.has(id) && !deleted.has(id);
  };
  const went = [...before.keys()].filter((name) => !roots.has(name));
  const lost = went.filter(isLost);
  for (const name of lost) tellDamage(transfer, name, `The root ${name} is gone from the source, though nothing says that its snapshot was deleted; the copy has it`);
  await dropAll(went.filter((name) => !isLost(name) && keeping.isDue(name)).sort((a, b) => placeOf(b) - placeOf(a)));
  // What a root rests on stays as long as it is in sight, and its facts: they say that it is to go.
  if (lost.length > 0 || went.some((name) => transfer.stuck.includes(name))) return false;
  // After the roots went: whoever begins to read from here on finds none that went, and every chunk in the new indexes.
  if (exclusive !== null && (await isBeingRead(transfer, exclusive))) return false;
  const goes = await packsThatWent(transfer, indexes, keeping);
  await dropAll(goes.indexes);
  await dropAll(goes.packs);
  // Of a snapshot that is there nothing that was said about it goes.
  const spoken: string[] = [];
  for (const name of await namesIn(to, FACTS, (each) => !facts.has(each) && keeping.isDue(each))) if (!(await isThere(transfer, roots, partsOfFactName(name)?.snapshotId ?? ''))) spoken.push(name);
  const last = spoken.filter((name) => partsOfFactName(name)?.kind === DELETED);
  await dropAll([...spoken.filter((name) => !last.includes(name)), ...last]);
  await exclusive?.assertStands();
  await sweepChains(transfer);
  const dumps = await sizesIn(source.storage, CATALOG);
  // What says that a dump is whole goes first; a part that is gone while its manifest is there was lost.
  const isPartOfOne = (name: string): boolean => dumps.has(dumpManifestName(partsOfDumpName(name)?.dumpId ?? ''));
  await dropAll((await namesIn(to, CATALOG, (name) => !dumps.has(name) && !isPartOfOne(name) && keeping.isDue(name))).sort().reverse());
  // A key that was retired opens no copy any longer, whatever is kept.
  const slots = await sizesIn(source.storage, KEYS);
  // Nobody retires the last one: it was lost, and without the copy's nothing opens either of them ever again.
  if (slots.size === 0) tellDamage(transfer, KEYS, 'The source has no key slot any more: nobody who begins to use it can open it; the copy has its slots still');
  else await dropAll(await namesIn(to, KEYS, (name) => !slots.has(name)));
  return true;
}

/** Whether the source has the snapshot: a fence in its place, which stays for ever, is none. */
async function isThere({ source }: Transfer, roots: ReadonlyMap<string, number>, id: string): Promise<boolean> {
  return roots.has(snapshotName(id)) && (await readRoot(source, id).then((root) => root !== null, () => true));
}

/**
 * A prune puts indexes without a pack before the pack goes. So a pack that an index of the source still names was lost there, and an index was
 * whose packs no other one names: these stay in the copy, and are told.
 */
async function packsThatWent(transfer: Transfer, current: ReadonlySet<string>, keeping: Keeping): Promise<Went> {
  const { source, to } = transfer;
  const inSource = await sizesIn(source.storage, PACKS);
  const packs = new Set(await namesIn(to, PACKS, (name) => !inSource.has(name)));
  const old = await namesIn(to, INDEXES, (name) => !current.has(name));
  if (packs.size === 0 && old.length === 0) return { indexes: [], packs: [] };
  const context = { storage: to, keys: source.keys };
  const namedByOld = new Map<string, string>();
  await eachIndexOf(context, old, (name, named) => { for (const id of named) if (inSource.has(packName(id))) namedByOld.set(id, name); });
  const lost = new Set<string>();
  await eachIndexOf(context, await namesIn(to, INDEXES, (name) => current.has(name)), (_name, named) => {
    for (const id of named) {
      namedByOld.delete(id);
      if (packs.delete(packName(id))) lost.add(packName(id));
    }
  });
  const lostIndexes = new Set(namedByOld.values());
  const now = await sizesIn(source.storage, INDEXES);
  // Else a prune is at work, and took it as it should.
  if (now.size === current.size && [...now.keys()].every((name) => current.has(name))) {
    for (const name of lost) tellDamage(transfer, name, `The pack ${name} is gone from the source, though an index names it; the copy has it`);
    for (const name of lostIndexes) tellDamage(transfer, name, `The index ${name} is gone from the source, and no other one names its packs; the copy has it`);
  }
  return dueAmong(context, { indexes: old.filter((name) => !lostIndexes.has(name)), packs: [...packs] }, keeping);
}

interface Went { readonly indexes: readonly string[]; readonly packs: readonly string[] }

/** Those whose days are over. An index that names a pack which is kept stays with it, and so do all that it names. */
async function dueAmong(context: Pick<RepositoryContext, 'storage' | 'keys'>, { indexes, packs }: Went, keeping: Keeping): Promise<Went> {
  const kept = new Set(packs.filter((name) => !keeping.isDue(name)));
  const due = new Set(indexes.filter((name) => keeping.isDue(name)));
  if (kept.size === 0 && due.size === indexes.length) return { indexes, packs };
  const named = new Set<string>();
  await eachIndexOf(context, indexes, (name, ids) => {
    const names = ids.map(packName);
    if (due.has(name) && !names.some((pack) => kept.has(pack))) return;
    due.delete(name);
    for (const pack of names) named.add(pack);
  });
  return { indexes: [...due], packs: packs.filter((name) => !kept.has(name) && !named.has(name)) };
}

/** Ends sessions of those that are gone. */
async function isBeingRead({ source, to, options }: Transfer, { sessionId }: Exclusive): Promise<boolean> {
  let isRead = false;
  for (const session of await openSessions({ storage: to, keys: source.keys })) {
    if (session.id === sessionId) continue;
    if ((await options.isOver?.(session)) === true) await endSession({ storage: to, keys: source.keys }, session);
    else isRead = true;
  }
  return isRead;
}

async function namesIn(storage: Storage, prefix: string, takes: (name: string) => boolean): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of storage.list(prefix)) if (takes(name)) names.push(name);
  return names;
}
