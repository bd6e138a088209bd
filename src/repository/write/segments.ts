// Memory for packs that are being filled or sent: pieces of 1 MiB that are used again and again.
import { releaseMemory } from '../../foundation/release-memory.ts';

export const SEGMENT_BYTES = 1024 * 1024;

export interface Segments {
  take(): Buffer;
  give(segments: readonly Buffer[]): void;
  /** Frees what was given back. */
  close(): void;
}

const KEPT = 48;

export function createSegments(): Segments {
  const free: Buffer[] = [];
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES),
    give(segments) {
      for (const segment of segments) {
        if (free.length < KEPT) free.push(segment);
        else releaseMemory(segment);
      }
    },
    close() {
      for (const segment of free.splice(0)) releaseMemory(segment);
    },
  };
}
