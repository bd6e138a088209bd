// The objects of a chain, read and opened one by one; what is damaged or gone breaks the chain, by name.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { openChainEnd, type ChainEndRecord } from '../format/chain-end.ts';
import { openChainHead } from '../format/chain-head.ts';
import { openChainStart, type ChainStart } from '../format/chain-start.ts';
import { chainEndName, chainHeadName, chainStartName, sliceName } from '../format/names.ts';
import { digestOf, openNumberedObject, type NumberedObject } from '../format/numbered-object.ts';
import { readObjectIfAny } from '../read-object.ts';
import { asPartOfChain, brokenChain } from './chain-errors.ts';
import type { ChainHead } from './chains.ts';
import { firstNumber } from './first-number.ts';

export type ChainContext = Pick<RepositoryContext, 'storage' | 'keys'>;

export interface OpenedHead {
  readonly head: ChainHead;
  readonly digest: string;
}

/** null where there is none. @throws REPOSITORY_CHAIN_BROKEN, REPOSITORY_FORMAT_NEWER */
export async function readHead({ storage, keys }: ChainContext, chainId: string): Promise<OpenedHead | null> {
  const name = chainHeadName(chainId);
  const bytes = await readObjectIfAny(storage, name);
  if (bytes === null) return null;
  const head = await asPartOfChain(chainId, 0, name, () => openChainHead(keys, chainId, bytes));
  return { head, digest: digestOf(bytes) };
}

/** null where there is none. @throws REPOSITORY_CHAIN_BROKEN, REPOSITORY_FORMAT_NEWER */
export async function readEnd({ storage, keys }: ChainContext, chainId: string): Promise<ChainEndRecord | null> {
  const name = chainEndName(chainId);
  const bytes = await readObjectIfAny(storage, name);
  return bytes === null ? null : asPartOfChain(chainId, null, name, () => openChainEnd(keys, chainId, bytes));
}

/** Where the chain begins since its front was pruned; null: with its head. @throws REPOSITORY_CHAIN_BROKEN, REPOSITORY_FORMAT_NEWER */
export async function readStart({ storage, keys }: ChainContext, chainId: string): Promise<ChainStart | null> {
  for (;;) {
    const first = await firstNumber(storage, chainId);
    if (first === 1) return null;
    const name = chainStartName(chainId, first);
    const bytes = await readObjectIfAny(storage, name);
    // One that went has a later one behind it.
    if (bytes !== null) return asPartOfChain(chainId, first, name, () => openChainStart(keys, chainId, first, bytes));
  }
}

/** A slice or a close. @throws REPOSITORY_CHAIN_BROKEN, also where it is gone; REPOSITORY_FORMAT_NEWER */
export async function readNumbered({ storage, keys }: ChainContext, chainId: string, sequence: number, signal?: AbortSignal): Promise<NumberedObject> {
  const name = sliceName(chainId, sequence);
  let bytes: Buffer;
  try {
    bytes = await storage.get(name, undefined, { signal });
  } catch (cause) {
    if (!isLeafvaultError(cause, 'STORAGE_OBJECT_MISSING')) throw cause;
    throw brokenChain(chainId, sequence, name, 'the store has no such object', cause);
  }
  return asPartOfChain(chainId, sequence, name, () => openNumberedObject(keys, chainId, sequence, bytes));
}
