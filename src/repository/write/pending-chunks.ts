// Ids of chunks that this writer placed and no index object names yet: an open-addressing table of bytes.
import { CHUNK_ENTRY_BYTES, CHUNK_ID_BYTES } from '../format/chunk-entry.ts';

export interface PendingChunks {
  has(id: Buffer): boolean;
  add(id: Buffer): void;
  /** Keeps only the ids of these entries (64 bytes each). */
  reset(entries: readonly Buffer[]): void;
}

const FIRST_SLOTS = 4096;

export function createPendingChunks(): PendingChunks {
  let slots = FIRST_SLOTS;
  let table = Buffer.alloc(slots * CHUNK_ID_BYTES);
  let taken = new Uint8Array(slots);
  let count = 0;

  /** The slot that holds the id, or the free one where it belongs. Ids are uniform: their own bits are the hash. */
  const slotOf = (id: Buffer, at: number): number => {
    let slot = id.readUInt32LE(at + 4) & (slots - 1);
    while (taken[slot] === 1 && table.compare(id, at, at + CHUNK_ID_BYTES, slot * CHUNK_ID_BYTES, (slot + 1) * CHUNK_ID_BYTES) !== 0) {
      slot = (slot + 1) & (slots - 1);
    }
    return slot;
  };

  const insert = (id: Buffer, at: number): void => {
    const slot = slotOf(id, at);
    if (taken[slot] === 1) return;
    id.copy(table, slot * CHUNK_ID_BYTES, at, at + CHUNK_ID_BYTES);
    taken[slot] = 1;
    count += 1;
    if (count * 2 > slots) grow();
  };

  const grow = (): void => {
    const [oldTable, oldTaken] = [table, taken];
    allocate(slots * 2);
    for (let slot = 0; slot < oldTaken.length; slot += 1) if (oldTaken[slot] === 1) insert(oldTable, slot * CHUNK_ID_BYTES);
  };

  const allocate = (wanted: number): void => {
    slots = wanted;
    table = Buffer.alloc(slots * CHUNK_ID_BYTES);
    taken = new Uint8Array(slots);
    count = 0;
  };

  return {
    has: (id) => taken[slotOf(id, 0)] === 1,
    add: (id) => insert(id, 0),
    reset(entries) {
      allocate(FIRST_SLOTS);
      for (const block of entries) for (let at = 0; at < block.length; at += CHUNK_ENTRY_BYTES) insert(block, at);
    },
  };
}
