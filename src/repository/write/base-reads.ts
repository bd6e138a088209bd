// Reads what new chunks may rest on. A few reads run at once; meanwhile others gather, and of those neighbours in a pack are read together:
// bases lie side by side as the chunks do that come. A store that answers at once is asked for each, one across a network for many.
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import type { RepositoryContext } from '../context.ts';
import { rangesOf, type ChunkRange } from '../read/chunk-range.ts';
import { readStored } from '../read/open-range.ts';

export interface BaseReads {
  /** As it lies in its pack. @throws REPOSITORY_CHUNK_MISSING, REPOSITORY_CHUNK_DAMAGED, what the store throws, the signal's reason */
  read(copy: ChunkLocation): Promise<Buffer>;
}

interface Waiting {
  readonly copy: ChunkLocation;
  resolve(stored: Buffer): void;
  reject(error: unknown): void;
}

/** Enough where none can be read together: each answer may take tens of ms. */
const READS_AT_ONCE = 12;

export function createBaseReads(context: Pick<RepositoryContext, 'storage'>, signal: AbortSignal | undefined): BaseReads {
  let waiting: Waiting[] = [];
  let running = 0;

  const readRange = async (range: ChunkRange, readers: readonly Waiting[]): Promise<void> => {
    try {
      const stored = await readStored(context, range.packId, range, signal);
      for (const { copy, resolve } of readers) resolve(stored.subarray(copy.offset - range.offset, copy.offset - range.offset + copy.storedLength));
    } catch (error) {
      for (const { reject } of readers) reject(error);
    }
  };

  const begin = (): void => {
    while (running < READS_AT_ONCE && waiting.length > 0) {
      const [range] = rangesOf(waiting.map(({ copy }) => copy)) as [ChunkRange];
      const isRead = ({ copy }: Waiting): boolean => range.chunks.includes(copy);
      const readers = waiting.filter(isRead);
      waiting = waiting.filter((each) => !isRead(each));
      running += 1;
      void readRange(range, readers).finally(() => {
        running -= 1;
        begin();
      });
    }
  };

  return {
    read: (copy) => new Promise((resolve, reject) => {
      waiting.push({ copy, resolve, reject });
      begin();
    }),
  };
}
