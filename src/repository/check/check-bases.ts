// Deltas in a check: what they rest on is read with them, and a base that is damaged is blamed itself.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import { isDelta } from '../format/chunk-entry.ts';
import { INDEXES, packName } from '../format/names.ts';
import { rangeOfOne } from '../read/chunk-range.ts';
import { openRange, type Bases } from '../read/open-range.ts';
import type { ListCheck } from './check-list.ts';
import type { PackCheck } from './check-packs.ts';
import type { Finding, Problems } from './problems.ts';

/** A base that is nowhere is no fault of a delta that nobody needs: a prune takes both, one before the other. Its delta is verified by its tag. */
export async function basesToCheck({ context, loader }: PackCheck, chunks: readonly ChunkLocation[]): Promise<Bases> {
  const nowhere = new Map<string, null>();
  const there: ChunkLocation[] = [];
  for (const chunk of chunks) {
    if (chunk.baseId === null) continue;
    if ((await context.index.find(chunk.baseId)).length > 0) there.push(chunk);
    else nowhere.set(chunk.baseId.toString('hex'), null);
  }
  return new Map([...nowhere, ...(await loader.loadBases(there))]);
}

/** Finds which copies of the base are bad; they may lie in packs that are not read this time. */
export async function blameBase({ context, problems, bad }: PackCheck, baseId: Buffer): Promise<void> {
  for (const copy of await context.index.find(baseId)) {
    if (isDelta(copy) || bad.of(copy) !== null) continue;
    const [result] = await openRange(context, rangeOfOne(copy)).catch((error: unknown) => [error]);
    if (Buffer.isBuffer(result)) continue;
    if (!isLeafvaultError(result) || !result.code.startsWith('REPOSITORY_')) throw result;
    // Told as a fault of its own by whoever reads its pack; else where it costs something.
    bad.addChunk(copy.packId, baseId, problems.find(result.code, `${packName(copy.packId)} chunk ${baseId.toString('hex')}`, result.message, true));
  }
}

/**
 * Why a delta that is sound itself can't be read; null: it can. One finding for each base, and for each pack of bases that is bad as a whole, which names
 * the first delta: a lost pack must not drown all others in findings. It counts where it costs something.
 */
export async function baseFaultOf(check: ListCheck, delta: ChunkLocation): Promise<Finding | null> {
  if (!isDelta(delta)) return null;
  const { index, loader, problems, bad, condemned, namedPacks } = check;
  const [id, base, name] = [delta.id.toString('hex'), delta.baseId?.toString('hex') ?? 'of which nothing is known', packName(delta.packId)];
  const copies = delta.baseId === null ? [] : await index.find(delta.baseId);
  const [first] = copies;
  if (first === undefined) {
    return problems.find('REPOSITORY_CHUNK_MISSING', `${name} deltas`, `The chunk ${id} is a delta, and its base ${base} is in no pack`, true);
  }
  // A prune is refused for it, and nothing new rests on it.
  if (!copies.some(({ packId }) => namedPacks.has(packId))) tellUnnamed(problems);
  if (copies.some((copy) => !isDelta(copy) && bad.of(copy) === null)) return null;
  // A prune beside us may have given the base another place; or it is left as a delta itself.
  if (copies.some((copy) => isDelta(copy) || condemned.has(copy.packId)) && (await loads(loader, delta.id))) return null;
  const object = bad.ofPack(first.packId) === null ? `${packName(first.packId)} chunk ${base} deltas` : `${packName(first.packId)} bases`;
  return problems.find('REPOSITORY_CHUNK_DAMAGED', object, `The chunk ${id} of ${name} is a delta, and its base ${base} of ${packName(first.packId)} can not be read`, true);
}

/** Once for all chunks that are found through the directories of their packs alone. */
export function tellUnnamed(problems: Problems): void {
  problems.find('REPOSITORY_OBJECT_MISSING', INDEXES, 'Chunks of snapshots are named by no index that can be read; they are found through the directories of their packs. `leafvault prune` builds damaged indexes anew');
}

/** Whether the chunk can be read somehow. */
export function loads(loader: ListCheck['loader'], id: Buffer): Promise<boolean> {
  return loader.load(id).then(() => true, (error: unknown) => {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    return false;
  });
}
