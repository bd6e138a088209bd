// The chunks of a list, in order, read ahead: neighbours in a pack are fetched together, several ranges
// at once, within a fixed number of bytes.
import { throwIfAborted } from '../../foundation/abort.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import type { ChunkList, ChunkRef } from '../repository.ts';
import type { ChunkLoader, ChunkRange } from './load-chunk.ts';
import { walkLeaves } from './walk-list.ts';

/** Raw and stored bytes under way or waiting for the consumer. */
const AHEAD_BYTES = 16 * 1024 * 1024;
const RANGES_AT_ONCE = 8;
const MAX_RANGE_BYTES = 1024 * 1024;
/** What shrank a thousandfold must not come back all at once. */
const MAX_RANGE_RAW_BYTES = 4 * 1024 * 1024;
/** Reading over a gap is cheaper than another call. */
const MAX_GAP_BYTES = 64 * 1024;

interface Ahead {
  readonly refs: readonly ChunkRef[];
  readonly bytes: number;
  readonly loaded: Promise<readonly Promise<Buffer>[]>;
}

export async function* readAhead(
  loader: ChunkLoader, list: ChunkList, signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly ref: ChunkRef; readonly raw: Buffer }> {
  const ranges = coalesce(loader, list)[Symbol.asyncIterator]();
  const queue: Ahead[] = [];
  let held = 0;
  let ended = false;
  try {
    for (;;) {
      while (!ended && (queue.length === 0 || (queue.length < RANGES_AT_ONCE && held < AHEAD_BYTES))) {
        throwIfAborted(signal);
        const next = await ranges.next();
        if (next.done === true) {
          ended = true;
        } else {
          const ahead = begin(loader, next.value);
          queue.push(ahead);
          held += ahead.bytes;
        }
      }
      const first = queue.shift();
      if (first === undefined) return;
      const raws = await first.loaded;
      for (const [i, ref] of first.refs.entries()) {
        throwIfAborted(signal);
        yield { ref, raw: await (raws[i] as Promise<Buffer>) };
      }
      held -= first.bytes;
    }
  } finally {
    await ranges.return?.(undefined);
  }
}

function begin(loader: ChunkLoader, { refs, range }: { readonly refs: readonly ChunkRef[]; readonly range: ChunkRange }): Ahead {
  const loaded = loader.loadRange(range).then((raws) => {
    // A failure is told when its turn comes; until then it must not count as unhandled.
    for (const raw of raws) raw.catch(() => undefined);
    return raws;
  });
  loaded.catch(() => undefined);
  return { refs, loaded, bytes: range.length + refs.reduce((sum, ref) => sum + ref.rawBytes, 0) };
}

async function* coalesce(loader: ChunkLoader, list: ChunkList): AsyncGenerator<{ readonly refs: ChunkRef[]; readonly range: ChunkRange }> {
  let own: ChunkRef[] = [];
  let chunks: ChunkLocation[] = [];
  let rawBytes = 0;
  for await (const leaf of walkLeaves(loader, list)) {
    for (const ref of leaf) {
      const copies = await loader.locate(ref.id);
      const last = chunks.at(-1);
      // Of several copies take the one that goes on where the range stands.
      const copy = copies.find((one) => last !== undefined && one.packId === last.packId) ?? copies[0];
      if (last !== undefined && (rawBytes + ref.rawBytes > MAX_RANGE_RAW_BYTES || !goesOn(chunks[0] as ChunkLocation, last, copy))) {
        yield { refs: own, range: rangeOf(chunks) };
        [own, chunks, rawBytes] = [[], [], 0];
      }
      own.push(ref);
      chunks.push(copy);
      rawBytes += ref.rawBytes;
    }
  }
  if (chunks.length > 0) yield { refs: own, range: rangeOf(chunks) };
}

function goesOn(first: ChunkLocation, last: ChunkLocation, next: ChunkLocation): boolean {
  const end = last.offset + last.storedLength;
  return next.packId === last.packId && next.offset >= end && next.offset - end <= MAX_GAP_BYTES
    && next.offset + next.storedLength - first.offset <= MAX_RANGE_BYTES;
}

function rangeOf(chunks: readonly ChunkLocation[]): ChunkRange {
  const first = chunks[0] as ChunkLocation;
  const last = chunks.at(-1) as ChunkLocation;
  return { packId: first.packId, offset: first.offset, length: last.offset + last.storedLength - first.offset, chunks };
}
