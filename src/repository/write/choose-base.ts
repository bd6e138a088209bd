// What a new chunk may be stored as a delta of: the chunk that was hinted at, or where that is a delta itself, its base.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import { safeCopy, safeFullCopy, type IsSafe } from '../chunk-index/resting.ts';
import type { SealedBase } from '../chunks/chunk-jobs.ts';
import type { RepositoryContext } from '../context.ts';
import { isDelta } from '../format/chunk-entry.ts';
import { packKeyOf } from '../read/open-range.ts';
import type { BaseReads } from './base-reads.ts';

type Index = RepositoryContext['index'];

/** A longer base costs a reader memory, and holds little of the chunk. */
const LONGER_AT_MOST = 4;

/**
 * Null: there is none that may be rested on, and the chunk is stored full.
 * @param chunk that is new
 * @param hint id of a chunk that is likely to be near
 */
export async function chooseBase({ index }: { readonly index: Index }, chunk: Pick<ChunkLocation, 'id' | 'rawLength'>, hint: Buffer, isSafe: IsSafe): Promise<ChunkLocation | null> {
  const copy = await fullCopyNear(index, hint, isSafe);
  // A chunk that came meanwhile by another way is no base of itself: a copy that rests on the other one is none.
  return copy === null || copy.id.equals(chunk.id) || copy.rawLength > chunk.rawLength * LONGER_AT_MOST ? null : copy;
}

/** As it lies in its pack, not opened yet. Null: it can't be read, and the chunk is stored full. */
export async function readBase(context: Pick<RepositoryContext, 'packKeys'>, reads: BaseReads, copy: ChunkLocation, signal: AbortSignal | undefined): Promise<SealedBase | null> {
  try {
    const stored = await reads.read(copy);
    return {
      id: copy.id, stored, type: copy.type, rawLength: copy.rawLength, counter: copy.counter,
      packKey: await packKeyOf(context, copy.packId), packId: Buffer.from(copy.packId, 'hex'),
    };
  } catch (error) {
    throwIfAborted(signal);
    // A base that can not be read is none; whoever needs it is told by a check.
    if (!isLeafvaultError(error)) throw error;
    return null;
  }
}

/** Memory that it takes until the delta is made: as it lies in its pack, among what was read with it, and opened in a thread. */
export function bytesOfBase({ storedLength, rawLength }: ChunkLocation): number {
  return 2 * storedLength + rawLength;
}

async function fullCopyNear(index: Index, hint: Buffer, isSafe: IsSafe): Promise<ChunkLocation | null> {
  const full = await safeFullCopy(index, hint, isSafe);
  if (full !== null) return full;
  const delta = await safeCopy(index, await index.find(hint), isSafe);
  return delta === null || !isDelta(delta) || delta.baseId === null ? null : safeFullCopy(index, delta.baseId, isSafe);
}
