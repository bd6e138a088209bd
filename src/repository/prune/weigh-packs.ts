// How much of each pack is needed: the live ids and the index, both sorted, read side by side.
import type { ChunkIndex } from '../chunk-index/chunk-index.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES } from '../format/chunk-entry.ts';

export interface PackWeights {
  /** By pack number: stored bytes of all chunks in it. */
  readonly storedBytes: Float64Array;
  /** By pack number: of those chunks for which this pack is the one that is kept. */
  readonly liveBytes: Float64Array;
  /** Numbers of packs outside of the usable ones that hold the last copy of a live chunk. */
  readonly needed: ReadonlySet<number>;
  readonly liveChunks: number;
  /** Live chunks without any copy. */
  readonly lost: number;
  readonly firstLost: string | null;
  /** Chunks of type 2, whose bases this version does not mark. */
  readonly deltas: number;
}

export interface WeighOptions {
  readonly index: ChunkIndex;
  readonly live: ChunkIndex;
  /** Packs that are there and not condemned: a copy in one of them is worth keeping. */
  readonly isUsable: (packNumber: number) => boolean;
  /** Packs that are there. */
  readonly isThere: (packNumber: number) => boolean;
}

/** A live chunk counts in the first usable pack that has it; in all others its copy is dead. */
export async function weighPacks({ index, live, isUsable, isThere }: WeighOptions): Promise<PackWeights> {
  const storedBytes = new Float64Array(index.packs.count);
  const liveBytes = new Float64Array(index.packs.count);
  const needed = new Set<number>();
  const counted = { liveChunks: 0, lost: 0, firstLost: null as string | null, deltas: 0 };
  const ids = uniqueIds(live);
  const copies = groups(index);
  const next = async (done: Group): Promise<IteratorResult<Group, undefined>> => {
    for (const { packNumber, storedLength, isDelta } of done.copies) {
      storedBytes[packNumber] = (storedBytes[packNumber] ?? 0) + storedLength;
      if (isDelta) counted.deltas += 1;
    }
    return copies.next();
  };
  let group = await copies.next();
  for await (const id of ids) {
    while (group.done !== true && group.value.id.compare(id) < 0) group = await next(group.value);
    counted.liveChunks += 1;
    const found = group.done !== true && group.value.id.equals(id) ? group.value.copies : [];
    const kept = found.find(({ packNumber }) => isUsable(packNumber));
    if (kept !== undefined) {
      liveBytes[kept.packNumber] = (liveBytes[kept.packNumber] ?? 0) + kept.storedLength;
      continue;
    }
    const last = found.find(({ packNumber }) => isThere(packNumber));
    if (last !== undefined) {
      needed.add(last.packNumber);
      liveBytes[last.packNumber] = (liveBytes[last.packNumber] ?? 0) + last.storedLength;
      continue;
    }
    counted.lost += 1;
    counted.firstLost ??= id.toString('hex');
  }
  while (group.done !== true) group = await next(group.value);
  return { storedBytes, liveBytes, needed, ...counted };
}

interface Copy { readonly packNumber: number; readonly storedLength: number; readonly isDelta: boolean }
interface Group { readonly id: Buffer; readonly copies: readonly Copy[] }

/** All copies of each chunk, in order of id. */
async function* groups(index: ChunkIndex): AsyncGenerator<Group, undefined> {
  let group: { id: Buffer; copies: Copy[] } | null = null;
  for await (const piece of index.pieces()) {
    for (let at = 0; at < piece.length; at += CHUNK_ENTRY_BYTES) {
      if (group === null || group.id.compare(piece, at, at + 32) !== 0) {
        if (group !== null) yield group;
        group = { id: Buffer.from(piece.subarray(at, at + 32)), copies: [] };
      }
      group.copies.push({ packNumber: piece.readUInt32LE(at + 56), storedLength: piece.readUInt32LE(at + 44), isDelta: piece[at + 32] === CHUNK_TYPES.delta });
    }
  }
  if (group !== null) yield group;
}

async function* uniqueIds(live: ChunkIndex): AsyncGenerator<Buffer> {
  let last: Buffer | null = null;
  for await (const piece of live.pieces()) {
    for (let at = 0; at < piece.length; at += CHUNK_ENTRY_BYTES) {
      if (last !== null && last.compare(piece, at, at + 32) === 0) continue;
      last = Buffer.from(piece.subarray(at, at + 32));
      yield last;
    }
  }
}
