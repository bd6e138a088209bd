// What a new chunk may be stored as a delta of: the chunk that was hinted at, or where that is a delta itself, its base.
import { isLeafvaultError } from '../../foundation/errors.ts';
import { safeCopy, safeFullCopy, type IsSafe } from '../chunk-index/resting.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import type { SealedBase } from '../chunks/chunk-jobs.ts';
import type { RepositoryContext } from '../context.ts';
import { packKeyOf, readStored } from '../read/open-range.ts';

type Context = Pick<RepositoryContext, 'storage' | 'pool' | 'packKeys' | 'index'>;

/** A longer base costs a reader memory, and holds little of the chunk. */
const LONGER_AT_MOST = 4;

/**
 * As it lies in its pack, not opened yet. Null: there is none that may be rested on, or it can't be read; then the chunk is stored full.
 * @param hint id of a chunk that is likely to be near
 * @param rawLength of the new chunk
 */
export async function chooseBase(context: Context, hint: Buffer, rawLength: number, isSafe: IsSafe): Promise<SealedBase | null> {
  const copy = await fullCopyNear(context, hint, isSafe);
  if (copy === null || copy.rawLength > rawLength * LONGER_AT_MOST) return null;
  try {
    const stored = await readStored(context, copy.packId, copy.offset, copy.storedLength);
    return {
      id: copy.id, stored, type: copy.type, rawLength: copy.rawLength, counter: copy.counter,
      packKey: await packKeyOf(context, copy.packId), packId: Buffer.from(copy.packId, 'hex'),
    };
  } catch (error) {
    // A base that can not be read is none; whoever needs it is told by a check.
    if (!isLeafvaultError(error)) throw error;
    return null;
  }
}

async function fullCopyNear({ index }: Context, hint: Buffer, isSafe: IsSafe): Promise<ChunkLocation | null> {
  const full = await safeFullCopy(index, hint, isSafe);
  if (full !== null) return full;
  const delta = await safeCopy(index, await index.find(hint), isSafe);
  return delta === null || delta.baseId === null ? null : safeFullCopy(index, delta.baseId, isSafe);
}
