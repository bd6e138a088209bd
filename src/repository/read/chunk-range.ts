// Neighbouring chunks of one pack that are read with one call.
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';

/** In order of offset. */
export interface ChunkRange {
  readonly packId: string;
  readonly offset: number;
  readonly length: number;
  readonly chunks: readonly ChunkLocation[];
}

const MAX_RANGE_BYTES = 1024 * 1024;
/** What shrank a thousandfold must not come back all at once. */
const MAX_RANGE_RAW_BYTES = 4 * 1024 * 1024;
/** Reading over a gap is cheaper than another call. */
const MAX_GAP_BYTES = 64 * 1024;

/** Gathers chunks, in the order of the calls. */
export interface RangeBuilder {
  /** @param besides raw bytes that come with it: of its base @returns the range that ended, when this chunk could not go on it */
  add(chunk: ChunkLocation, besides?: number): ChunkRange | null;
  /** The last one; null: there was none. */
  end(): ChunkRange | null;
  /** Where the next chunk may go on. */
  readonly last: ChunkLocation | null;
}

export function createRangeBuilder(): RangeBuilder {
  let chunks: ChunkLocation[] = [];
  let rawBytes = 0;
  const end = (): ChunkRange | null => {
    const range = chunks.length === 0 ? null : rangeOf(chunks);
    [chunks, rawBytes] = [[], 0];
    return range;
  };
  return {
    end,
    get last() {
      return chunks.at(-1) ?? null;
    },
    add(chunk, besides = 0) {
      const last = chunks.at(-1);
      const goesOn = last !== undefined && rawBytes + chunk.rawLength + besides <= MAX_RANGE_RAW_BYTES && follows(chunks[0] as ChunkLocation, last, chunk);
      const ended = goesOn ? null : end();
      chunks.push(chunk);
      rawBytes += chunk.rawLength + besides;
      return ended;
    },
  };
}

/** These chunks, in whatever order they come, with as few reads as that takes. */
export function rangesOf(chunks: readonly ChunkLocation[]): ChunkRange[] {
  const builder = createRangeBuilder();
  const sorted = [...chunks].sort((a, b) => (a.packId === b.packId ? a.offset - b.offset : a.packId < b.packId ? -1 : 1));
  return [...sorted.map((chunk) => builder.add(chunk)), builder.end()].filter((range) => range !== null);
}

function follows(first: ChunkLocation, last: ChunkLocation, next: ChunkLocation): boolean {
  const end = last.offset + last.storedLength;
  return next.packId === last.packId && next.offset >= end && next.offset - end <= MAX_GAP_BYTES
    && next.offset + next.storedLength - first.offset <= MAX_RANGE_BYTES;
}

function rangeOf(chunks: readonly ChunkLocation[]): ChunkRange {
  const first = chunks[0] as ChunkLocation;
  const last = chunks.at(-1) as ChunkLocation;
  return { packId: first.packId, offset: first.offset, length: last.offset + last.storedLength - first.offset, chunks };
}

/** One chunk alone. */
export function rangeOfOne(chunk: ChunkLocation): ChunkRange {
  return rangeOf([chunk]);
}
