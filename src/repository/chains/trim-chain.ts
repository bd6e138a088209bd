// Takes the front of a chain away: first it is written down where the chain begins, then what is in front of that goes.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { deleteOrLeave } from '../delete-or-leave.ts';
import { sealChainStart, type ChainStart } from '../format/chain-start.ts';
import { chainPrefix, chainStartName, partsOfChainName, sliceName } from '../format/names.ts';
import { listChainNames } from './chain-names.ts';
import type { WriterContext } from './open-chain-writer.ts';
import { readEnd, readNumbered, readStart } from './read-chain-objects.ts';

type TrimContext = WriterContext & Pick<RepositoryContext, 'log'>;

export interface Trimmed {
  /** Objects that went. */
  readonly slices: number;
  readonly storedBytes: number;
}

/**
 * Slices that end at or before `position` go; of a chain that goes on the newest stays.
 * @throws REPOSITORY_CHAIN_MISSING, REPOSITORY_CHAIN_BROKEN
 */
export async function trimChain(context: TrimContext, chainId: string, position: string, signal?: AbortSignal): Promise<Trimmed> {
  const { newest } = await listChainNames(context, chainId);
  const end = await readEnd(context, chainId);
  const start = await readStart(context, chainId);
  // The close of a chain that ended takes the place of its newest slice.
  const last = end?.lastSequence ?? newest - 1;
  const gone = await lastBefore(context, chainId, { low: (start?.first ?? 1) - 1, high: last, position, signal });
  if (gone !== null) await putStart(context, chainId, gone);
  const first = gone?.first ?? start?.first ?? 1;
  return first === 1 ? { slices: 0, storedBytes: 0 } : sweep(context, chainId, first, signal);
}

/** By halves, since each step reads a slice. @returns null when none goes */
async function lastBefore(
  context: WriterContext, chainId: string, search: { readonly low: number; readonly high: number; readonly position: string; readonly signal: AbortSignal | undefined },
): Promise<ChainStart | null> {
  let { low, high } = search;
  let found: ChainStart | null = null;
  while (low < high) {
    throwIfAborted(search.signal);
    const middle = Math.ceil((low + high) / 2);
    const object = await readNumbered(context, chainId, middle, search.signal);
    if ('slice' in object && object.slice.to <= search.position) {
      found = { first: middle + 1, previous: object.slice.digest, at: object.slice.to };
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return found;
}

async function putStart({ storage, keys, clock }: WriterContext, chainId: string, start: ChainStart): Promise<void> {
  try {
    await storage.put(chainStartName(chainId, start.first), sealChainStart(keys, chainId, start, clock.now().toISOString()));
  } catch (error) {
    // Somebody else found the same place.
    if (!isLeafvaultError(error, 'STORAGE_OBJECT_EXISTS')) throw error;
  }
}

/** Also what an earlier try left. */
async function sweep({ storage, log }: Pick<TrimContext, 'storage' | 'log'>, chainId: string, first: number, signal: AbortSignal | undefined): Promise<Trimmed> {
  let [slices, storedBytes] = [0, 0];
  const starts: string[] = [];
  const sizes = new Map<number, number>();
  for await (const { name, sizeBytes } of storage.list(chainPrefix(chainId))) {
    const parts = partsOfChainName(name);
    if (parts?.part === 'from' && parts.first < first) starts.push(name);
    if (typeof parts?.part !== 'number' || parts.part >= first) continue;
    sizes.set(parts.part, sizeBytes);
  }
  for (const [sequence, sizeBytes] of [...sizes].sort(([a], [b]) => a - b)) {
    throwIfAborted(signal);
    if (!(await deleteOrLeave({ storage, log }, sliceName(chainId, sequence)))) continue;
    slices += 1;
    storedBytes += sizeBytes;
  }
  for (const name of starts) await deleteOrLeave({ storage, log }, name);
  return { slices, storedBytes };
}
