// The table of base ids that entries of several packs or indexes share, each id once (format document, section 8).
import { CHUNK_ENTRY_BYTES, CHUNK_ID_BYTES, NO_BASE } from './chunk-entry.ts';

export interface BaseTable {
  /** Entries name their bases by place in `from` before, by place in this table afterwards. */
  take(entries: Buffer, from: Buffer): void;
  /** The ids, 32 bytes each. */
  bytes(): Buffer;
}

export function createBaseTable(): BaseTable {
  // In hex, in the order in which they came.
  const places = new Map<string, number>();
  return {
    take(entries, from) {
      for (let at = 52; at < entries.length; at += CHUNK_ENTRY_BYTES) {
        const old = entries.readUInt32LE(at);
        if (old === NO_BASE) continue;
        const id = from.toString('hex', old * CHUNK_ID_BYTES, (old + 1) * CHUNK_ID_BYTES);
        // A place behind the end is damage, and stays one: it must not come to mean the base of another.
        if (id.length === CHUNK_ID_BYTES * 2 && !places.has(id)) places.set(id, places.size);
        entries.writeUInt32LE(places.get(id) ?? NO_BASE, at);
      }
    },
    bytes: () => Buffer.from([...places.keys()].join(''), 'hex'),
  };
}
