// The chunks of a list, in order, read ahead: neighbours in a pack are fetched together, several ranges
// at once, within a fixed number of bytes.
import { throwIfAborted } from '../../foundation/abort.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import { isDelta } from '../format/chunk-entry.ts';
import type { ChunkList, ChunkRef } from '../repository.ts';
import { createRangeBuilder, type ChunkRange } from './chunk-range.ts';
import type { ChunkLoader } from './load-chunk.ts';
import { walkLeaves } from './walk-list.ts';

/** Raw and stored bytes under way or waiting for the consumer, those of bases among them. */
const AHEAD_BYTES = 16 * 1024 * 1024;
const RANGES_AT_ONCE = 8;

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

/** `basesBytes`: what the bases of its deltas take besides. */
interface WeighedRange { readonly refs: readonly ChunkRef[]; readonly range: ChunkRange; readonly basesBytes: number }

function begin(loader: ChunkLoader, { refs, range, basesBytes }: WeighedRange): Ahead {
  const loaded = loader.loadRange(range).then((raws) => {
    // A failure is told when its turn comes; until then it must not count as unhandled.
    for (const raw of raws) raw.catch(() => undefined);
    return raws;
  });
  loaded.catch(() => undefined);
  return { refs, loaded, bytes: range.length + basesBytes + refs.reduce((sum, ref) => sum + ref.rawBytes, 0) };
}

async function* coalesce(loader: ChunkLoader, list: ChunkList): AsyncGenerator<WeighedRange> {
  const builder = createRangeBuilder();
  let [refs, basesBytes]: [ChunkRef[], number] = [[], 0];
  for await (const leaf of walkLeaves(loader, list)) {
    for (const ref of leaf) {
      const chunk = nextOf(await loader.locate(ref.id), builder.last);
      const base = isDelta(chunk) ? await loader.baseOf(chunk) : null;
      const range = builder.add(chunk, base?.rawLength);
      if (range !== null) {
        yield { refs, range, basesBytes };
        [refs, basesBytes] = [[], 0];
      }
      refs.push(ref);
      // Opened, and once more in memory that the threads share.
      if (base !== null) basesBytes += base.storedLength + 2 * base.rawLength;
    }
  }
  const range = builder.end();
  if (range !== null) yield { refs, range, basesBytes };
}

/** Of several copies the one that goes on where the range stands; but no delta where there is a full one. */
function nextOf(copies: readonly [ChunkLocation, ...ChunkLocation[]], last: ChunkLocation | null): ChunkLocation {
  const [best] = copies;
  return copies.find((one) => last !== null && one.packId === last.packId && isDelta(one) === isDelta(best)) ?? best;
}
