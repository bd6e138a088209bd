// The 64 bytes that say where a chunk lies: one layout for directories, indexes and local runs
// (format document, section 7).

export const CHUNK_ENTRY_BYTES = 64;
export const CHUNK_ID_BYTES = 32;
export const NO_BASE = 0xffffffff;
export const CHUNK_TYPES = { plain: 0, zstd: 1, delta: 2 } as const;
export const FLAG_PAGE = 1;
/** Raw bytes of the largest chunk: a writer takes no larger one, and who reads of one reads damage. */
export const MAX_CHUNK_BYTES = 32 * 1024 * 1024;

export interface ChunkEntry {
  readonly id: Buffer;
  readonly type: number;
  readonly flags: number;
  readonly counter: number;
  readonly offset: number;
  /** Tag included. */
  readonly storedLength: number;
  readonly rawLength: number;
  readonly base: number;
  readonly packNumber: number;
}

export function writeChunkEntry(target: Buffer, at: number, entry: ChunkEntry): void {
  entry.id.copy(target, at);
  target[at + 32] = entry.type;
  target[at + 33] = entry.flags;
  target.writeUInt16LE(0, at + 34);
  target.writeUInt32LE(entry.counter, at + 36);
  target.writeUInt32LE(entry.offset, at + 40);
  target.writeUInt32LE(entry.storedLength, at + 44);
  target.writeUInt32LE(entry.rawLength, at + 48);
  target.writeUInt32LE(entry.base, at + 52);
  target.writeUInt32LE(entry.packNumber, at + 56);
  target.writeUInt32LE(0, at + 60);
}

/** The id is a view on `source`. */
export function readChunkEntry(source: Buffer, at: number): ChunkEntry {
  return {
    id: source.subarray(at, at + CHUNK_ID_BYTES),
    type: source.readUInt8(at + 32),
    flags: source.readUInt8(at + 33),
    counter: source.readUInt32LE(at + 36),
    offset: source.readUInt32LE(at + 40),
    storedLength: source.readUInt32LE(at + 44),
    rawLength: source.readUInt32LE(at + 48),
    base: source.readUInt32LE(at + 52),
    packNumber: source.readUInt32LE(at + 56),
  };
}

export const isDelta = ({ type }: Pick<ChunkEntry, 'type'>): boolean => type === CHUNK_TYPES.delta;

/** Whether each delta among the entries has its base in a table of so many. */
export function haveBases(entries: Buffer, bases: number): boolean {
  for (let at = 0; at < entries.length; at += CHUNK_ENTRY_BYTES) {
    if (entries[at + 32] === CHUNK_TYPES.delta && entries.readUInt32LE(at + 52) >= bases) return false;
  }
  return true;
}

/** Whether each of the entries lies in one of so many packs. */
export function havePacks(entries: Buffer, packs: number): boolean {
  for (let at = 56; at < entries.length; at += CHUNK_ENTRY_BYTES) if (entries.readUInt32LE(at) >= packs) return false;
  return true;
}

/** The id of a delta's base, from the table that its entry points into. Null for a full chunk. */
export function baseIdOf({ type, base }: Pick<ChunkEntry, 'type' | 'base'>, table: Buffer | undefined): Buffer | null {
  return isDelta({ type }) && table !== undefined ? table.subarray(base * CHUNK_ID_BYTES, (base + 1) * CHUNK_ID_BYTES) : null;
}
