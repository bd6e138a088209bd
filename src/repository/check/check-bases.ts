// Deltas in a check: what they rest on is read with them, and a base that is damaged is blamed itself.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import { packName } from '../format/names.ts';
import { rangeOfOne } from '../read/chunk-range.ts';
import { openRange, type Bases } from '../read/open-range.ts';
import type { ListCheck } from './check-list.ts';
import type { PackCheck } from './check-packs.ts';
import type { Finding } from './problems.ts';

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
    if (copy.baseId !== null || bad.of(copy) !== null) continue;
    const [result] = await openRange(context, rangeOfOne(copy)).catch((error: unknown) => [error]);
    if (Buffer.isBuffer(result)) continue;
    if (!isLeafvaultError(result) || !result.code.startsWith('REPOSITORY_')) throw result;
    // Told as a fault of its own by whoever reads its pack; else where it costs something.
    bad.addChunk(copy.packId, baseId, problems.find(result.code, `${packName(copy.packId)} chunk ${baseId.toString('hex')}`, result.message, true));
  }
}

/** Why a delta that is sound itself can't be read: one finding that names it and its base, and counts where it costs something. Null: it can. */
export async function baseFaultOf({ index, loader, problems, bad, condemned }: ListCheck, delta: ChunkLocation): Promise<Finding | null> {
  if (delta.baseId === null) return null;
  const [id, base] = [delta.id.toString('hex'), delta.baseId.toString('hex')];
  const copies = await index.find(delta.baseId);
  const [first] = copies;
  if (first === undefined) {
    return problems.find('REPOSITORY_CHUNK_MISSING', `${packName(delta.packId)} chunk ${id}`, `The chunk ${id} is a delta, and its base ${base} is in no pack`, true);
  }
  if (copies.some((copy) => copy.baseId === null && bad.of(copy) === null)) return null;
  // A prune beside us may have given the base another place; or it is left as a delta itself.
  if (copies.some((copy) => copy.baseId !== null || condemned.has(copy.packId)) && (await loads(loader, delta.id))) return null;
  return problems.find('REPOSITORY_CHUNK_DAMAGED', `${packName(first.packId)} chunk ${base} delta ${id}`,
    `The chunk ${id} of ${packName(delta.packId)} is a delta, and its base ${base} of ${packName(first.packId)} can not be read`, true);
}

/** Whether the chunk can be read somehow. */
export function loads(loader: ListCheck['loader'], id: Buffer): Promise<boolean> {
  return loader.load(id).then(() => true, (error: unknown) => {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    return false;
  });
}
