// Which objects of a chain the store has, from their names alone.
import { isId } from '../../foundation/ids.ts';
import type { Storage } from '../../storage/index.ts';
import { chainHeadName, chainPrefix, partsOfChainName, sliceName } from '../format/names.ts';
import { brokenChain, missingChain } from './chain-errors.ts';

/** Grows while names are listed; a chain of years has a million of them, so only sums are kept. */
export interface ChainNames {
  head: boolean;
  end: boolean;
  /** Largest number, 0 without one. */
  newest: number;
  /** Numbered objects. */
  numbered: number;
}

export function noChainNames(): ChainNames {
  return { head: false, end: false, newest: 0, numbered: 0 };
}

export function noteChainName(names: ChainNames, part: 'head' | 'end' | number): void {
  if (part === 'head' || part === 'end') {
    names[part] = true;
  } else {
    names.newest = Math.max(names.newest, part);
    names.numbered += 1;
  }
}

/** @throws REPOSITORY_CHAIN_MISSING, REPOSITORY_CHAIN_BROKEN where a chain is without its head */
export async function listChainNames(storage: Storage, chainId: string): Promise<ChainNames> {
  if (!isId(chainId)) throw missingChain(chainId);
  const names = noChainNames();
  for await (const { name } of storage.list(chainPrefix(chainId))) {
    const parts = partsOfChainName(name);
    if (parts !== null) noteChainName(names, parts.part);
  }
  if (names.head) return names;
  if (names.end || names.newest > 0) throw brokenChain(chainId, 0, chainHeadName(chainId), 'the store has no such object');
  throw missingChain(chainId);
}

/** Numbers from 1 to `last` that the store lacks, in order. Asks for each by itself: a listing that others write into may pass some by. */
export async function* missingNumbers(storage: Storage, chainId: string, last: number): AsyncGenerator<number> {
  for (let sequence = 1; sequence <= last; sequence += 1) if ((await storage.stat(sliceName(chainId, sequence))) === null) yield sequence;
}
