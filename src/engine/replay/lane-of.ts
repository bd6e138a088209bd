// Which lane an operation runs in: operations of one document share one, so that their order is kept. Ids that are equal to
// a server must meet here, whatever their bytes are.
import { equalityKey } from '../mongo/equality-key.ts';

/**
 * @param collection number of the collection
 * @param id type byte and value; null for a collection that is replayed strictly in order
 */
export function laneOf(lanes: number, collection: number, id: Buffer | null): number {
  let hash = mix(0x811c9dc5, collection);
  if (id === null) return hash % lanes;
  const key = equalityKey(id);
  // FNV-1a: cheap, and spreads ids that differ in their last byte.
  for (let at = 0; at < key.length; at += 1) hash = mix(hash, key.charCodeAt(at));
  return hash % lanes;
}

function mix(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193) >>> 0;
}
