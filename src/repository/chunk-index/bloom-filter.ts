// Tells fast that a chunk id is certainly new. Lives in shared memory, so that worker threads can ask
// before they compress. Ids are uniform, so their own bits serve as hashes.

const BLOCK_BYTES = 64;
const PROBES = 6;

export interface BloomFilter {
  readonly memory: SharedArrayBuffer;
  add(id: Uint8Array): void;
  /** False: certainly not added. True: perhaps. */
  mayHold(id: Uint8Array): boolean;
}

/** About 1 % of false "perhaps" at 12 bits per id. @param bytes rounded up to a power of two of 64-byte blocks */
export function createBloomFilter(bytes: number): BloomFilter {
  const blocks = 2 ** Math.ceil(Math.log2(Math.max(1, bytes / BLOCK_BYTES)));
  return bloomFilterOn(new SharedArrayBuffer(blocks * BLOCK_BYTES));
}

/** The same filter, seen from another thread. */
export function bloomFilterOn(memory: SharedArrayBuffer): BloomFilter {
  const words = new Uint32Array(memory);
  const blockMask = memory.byteLength / BLOCK_BYTES - 1;
  // All probes fall into one block of 512 bits: one cache miss each. 9 bits of the id for each probe.
  const probe = (id: Uint8Array, visit: (word: number, bit: number) => boolean): boolean => {
    const block = (u32(id, 8) & blockMask) * (BLOCK_BYTES / 4);
    for (let i = 0; i < PROBES; i += 1) {
      const bits = u32(id, 12 + i * 2) & 511;
      if (!visit(block + (bits >>> 5), 1 << (bits & 31))) return false;
    }
    return true;
  };
  return {
    memory,
    add(id) {
      probe(id, (word, bit) => {
        words[word] = (words[word] ?? 0) | bit;
        return true;
      });
    },
    mayHold: (id) => probe(id, (word, bit) => ((words[word] ?? 0) & bit) !== 0),
  };
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}
