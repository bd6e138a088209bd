// What a pack says about itself: enough to check an index against it, or to do without one.
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { ChunkEntry } from '../format/chunk-entry.ts';
import { damaged } from '../format/damage.ts';
import { packName } from '../format/names.ts';
import { openDirectory, PACK_HEADER_BYTES, PACK_TRAILER_BYTES, readPackTrailer } from '../format/pack.ts';

export interface PackDirectory {
  /** In order of offset, contiguous. */
  readonly entries: readonly ChunkEntry[];
  /** Ids of the bases that deltas name by position, 32 bytes each. */
  readonly bases: Buffer;
  /** Bytes that were read for it. */
  readonly bytesRead: number;
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_OBJECT_MISSING, REPOSITORY_FORMAT_NEWER */
export async function readPackDirectory(context: Pick<RepositoryContext, 'storage' | 'packKeys'>, packId: string, sizeBytes: number): Promise<PackDirectory> {
  const name = packName(packId);
  const key = await context.packKeys.of(packId);
  const trailerAt = sizeBytes - PACK_TRAILER_BYTES;
  if (trailerAt < PACK_HEADER_BYTES) throw damaged(name, 'it is cut off');
  try {
    const trailer = readPackTrailer(packId, await context.storage.get(name, { offset: trailerAt, length: PACK_TRAILER_BYTES }));
    const directoryAt = trailerAt - trailer.directoryBytes;
    if (directoryAt < PACK_HEADER_BYTES) throw damaged(name, 'its directory is said to be longer than the pack');
    const sealed = await context.storage.get(name, { offset: directoryAt, length: trailer.directoryBytes });
    const { entries, bases } = openDirectory(key, packId, sealed, trailer.chunks);
    assertContiguous(name, entries, directoryAt);
    return { entries, bases, bytesRead: PACK_HEADER_BYTES + PACK_TRAILER_BYTES + sealed.length };
  } catch (cause) {
    if (isLeafvaultError(cause, 'STORAGE_RANGE_INVALID')) throw damaged(name, 'it is cut off', cause);
    if (isLeafvaultError(cause, 'STORAGE_OBJECT_MISSING')) {
      throw new LeafvaultError('REPOSITORY_OBJECT_MISSING', `Reading ${name} failed: the store has no such object`, { cause, details: { object: name } });
    }
    throw cause;
  }
}

function assertContiguous(name: string, entries: readonly ChunkEntry[], directoryAt: number): void {
  let at = PACK_HEADER_BYTES;
  for (const entry of entries) {
    if (entry.offset !== at) throw damaged(name, 'its directory leaves a gap');
    at += entry.storedLength;
  }
  if (at !== directoryAt) throw damaged(name, 'its directory does not begin where the chunks end');
}
