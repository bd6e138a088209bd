// Chunk copies that a check found bad, to be met again when it walks through the snapshots.
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import type { Finding } from './problems.ts';

export interface BadChunks {
  addPack(packId: string, finding: Finding): void;
  addChunk(packId: string, chunkId: Buffer, finding: Finding): void;
  /** Why this copy is bad, or null. */
  of(copy: ChunkLocation): Finding | null;
  /** Why the pack is bad as a whole, or null. */
  ofPack(packId: string): Finding | null;
  /** Each bad pack with the hex ids of its bad chunks; null: all of them. */
  byPack(): ReadonlyMap<string, readonly string[] | null>;
}

/** From here on a pack counts as bad as a whole: the lists stay small. */
const MAX_CHUNKS = 50_000;

export function createBadChunks(): BadChunks {
  const packs = new Map<string, Finding>();
  const chunks = new Map<string, Finding>();
  return {
    addPack: (packId, finding) => void packs.set(packId, finding),
    addChunk(packId, chunkId, finding) {
      if (chunks.size < MAX_CHUNKS) chunks.set(`${packId} ${chunkId.toString('hex')}`, finding);
      else packs.set(packId, finding);
    },
    of(copy) {
      if (packs.size === 0 && chunks.size === 0) return null;
      return packs.get(copy.packId) ?? chunks.get(`${copy.packId} ${copy.id.toString('hex')}`) ?? null;
    },
    ofPack: (packId) => packs.get(packId) ?? null,
    byPack() {
      const found = new Map<string, string[] | null>([...packs.keys()].map((packId) => [packId, null]));
      for (const key of chunks.keys()) {
        const [packId = '', chunkId = ''] = key.split(' ');
        if (!found.has(packId)) found.set(packId, []);
        found.get(packId)?.push(chunkId);
      }
      return found;
    },
  };
}
