// Chunks that differ little, and what indexes say of deltas.
import { CHUNK_TYPES, readChunkEntry } from '../../src/repository/format/chunk-entry.ts';
import { readIndexObject } from '../../src/repository/chunk-index/load-indexes.ts';
import { INDEXES } from '../../src/repository/format/names.ts';
import { unlock } from '../../src/repository/unlock.ts';
import type { Storage } from '../../src/storage/index.ts';
import { collect, MASTER_KEY, nearTo, type Near } from './repository-fixture.ts';

/** The same but for some bytes. */
export function changed(chunk: Buffer, ...places: readonly number[]): Buffer<ArrayBuffer> {
  const copy = Buffer.from(chunk);
  for (const at of places) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ 0x55;
  return copy;
}

/** Makes chunks that are near to others, and remembers to which. */
export function createVariants(): { readonly near: Near; vary(chunk: Buffer, at?: number): Buffer } {
  const origins = new Map<string, Buffer>();
  return {
    near: nearTo((chunk) => origins.get(chunk.toString('latin1')) ?? null),
    vary(chunk, at = 11) {
      const variant = changed(chunk, at, at * 7);
      origins.set(variant.toString('latin1'), chunk);
      return variant;
    },
  };
}

export interface NamedChunk {
  readonly pack: string;
  readonly id: string;
  readonly type: number;
  readonly offset: number;
  readonly storedLength: number;
  /** Of a delta. */
  readonly base: string | null;
}

/** All that indexes name, ids in hex. */
export async function named(storage: Storage): Promise<NamedChunk[]> {
  const { keys } = await unlock(storage, MASTER_KEY);
  const all: NamedChunk[] = [];
  for (const { name } of await collect(storage.list(INDEXES))) {
    const { packs, entries, bases } = await readIndexObject({ storage, keys }, name);
    for (let at = 0; at < entries.length; at += 64) {
      const { id, type, base, packNumber, offset, storedLength } = readChunkEntry(entries, at);
      const baseId = type === CHUNK_TYPES.delta ? (bases?.toString('hex', base * 32, base * 32 + 32) ?? '') : null;
      all.push({ pack: packs[packNumber]?.id ?? '', id: id.toString('hex'), type, offset, storedLength, base: baseId });
    }
  }
  return all;
}

export async function deltasIn(storage: Storage): Promise<NamedChunk[]> {
  return (await named(storage)).filter(({ base }) => base !== null);
}
