// What may rest on the copies of a chunk that can be relied on, and which packs it rests on where none can. A delta rests on its base, too.
import { isDelta } from '../format/chunk-entry.ts';
import type { ChunkIndex, ChunkLocation } from './chunk-index.ts';

type Index = Pick<ChunkIndex, 'find'>;

/** Says of a copy, not of what it rests on, whether it will stay. */
export type IsSafe = (copy: ChunkLocation) => boolean | Promise<boolean>;

/** A base is full; one that is left as a delta, its full copies being lost, is still read. Beyond that nothing is. */
const MAX_DEPTH = 2;

/** Whether one copy of the chunk is safe, and where it is a delta also a full copy of its base. */
export async function isSafelyStored(index: Index, id: Buffer, isSafe: IsSafe): Promise<boolean> {
  return (await safeCopy(index, await index.find(id), isSafe)) !== null;
}

/** The first of these copies of a chunk that is safe with what it rests on; null: none is. */
export async function safeCopy(index: Index, copies: readonly ChunkLocation[], isSafe: IsSafe): Promise<ChunkLocation | null> {
  for (const copy of copies) {
    if (!(await isSafe(copy))) continue;
    if (!isDelta(copy) || (copy.baseId !== null && (await safeFullCopy(index, copy.baseId, isSafe)) !== null)) return copy;
  }
  return null;
}

/** A safe copy that is no delta; null: there is none. */
export async function safeFullCopy(index: Index, id: Buffer, isSafe: IsSafe): Promise<ChunkLocation | null> {
  for (const copy of await index.find(id)) if (!isDelta(copy) && (await isSafe(copy))) return copy;
  return null;
}

/** Whether a reader gets it out of safe copies. It goes further than a writer rests: a base may be left as a delta. */
export async function isReadable(index: Index, id: Buffer, isSafe: IsSafe, depth = 0): Promise<boolean> {
  for (const copy of await index.find(id)) {
    if (!(await isSafe(copy))) continue;
    if (!isDelta(copy) || (copy.baseId !== null && depth < MAX_DEPTH && (await isReadable(index, copy.baseId, isSafe, depth + 1)))) return true;
  }
  return false;
}

/**
 * Adds the packs that must not go if the chunk is to be read: none where it is safely stored, else all that have a copy of it or of what it rests on.
 * @returns false where no index names it, or what it rests on
 */
export async function addNeededPacks(index: Index, id: Buffer, isSafe: IsSafe, needed: Set<string>, depth = 0): Promise<boolean> {
  const copies = await index.find(id);
  if ((await safeCopy(index, copies, isSafe)) !== null) return true;
  let isNamed = false;
  for (const copy of copies) {
    const { packId, baseId } = copy;
    needed.add(packId);
    isNamed = !isDelta(copy) || (baseId !== null && depth < MAX_DEPTH && (await addNeededPacks(index, baseId, isSafe, needed, depth + 1))) || isNamed;
  }
  return isNamed;
}
