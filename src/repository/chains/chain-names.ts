// Which objects of a chain the store has, from their names alone.
import { isId } from '../../foundation/ids.ts';
import type { Storage } from '../../storage/index.ts';
import { chainHeadName, chainPrefix, partsOfChainName, sliceName, type ChainNameParts } from '../format/names.ts';
import { brokenChain, missingChain } from './chain-errors.ts';
import { firstNumber } from './first-number.ts';

/** Grows while names are listed; a chain of years has a million of them, so only sums are kept. */
export interface ChainNames {
  head: boolean;
  end: boolean;
  /** Number with which the chain begins: what is before it was pruned and does not count. */
  first: number;
  /** Largest number from `first` on, 0 without one. */
  newest: number;
  /** Numbered objects, from `first` on. */
  numbered: number;
}

export function noChainNames(first: number): ChainNames {
  return { head: false, end: false, first, newest: 0, numbered: 0 };
}

/** @returns false when the chain was found to begin later: what was counted up to now counts wrong */
export function noteChainName(names: ChainNames, parts: ChainNameParts): boolean {
  if (parts.part === 'from') return parts.first <= names.first;
  if (parts.part === 'head' || parts.part === 'end') {
    names[parts.part] = true;
  } else {
    // What is in front of the start does not count, also where nothing is behind it yet (a copier was struck there).
    if (parts.part < names.first) return true;
    names.newest = Math.max(names.newest, parts.part);
    names.numbered += 1;
  }
  return true;
}

/** @throws REPOSITORY_CHAIN_MISSING, REPOSITORY_CHAIN_BROKEN where a chain is without its head */
export async function listChainNames({ storage }: { readonly storage: Storage }, chainId: string): Promise<ChainNames> {
  if (!isId(chainId)) throw missingChain(chainId);
  for (;;) {
    const names = noChainNames(await firstNumber(storage, chainId));
    let stands = true;
    for await (const { name } of storage.list(chainPrefix(chainId))) {
      const parts = partsOfChainName(name);
      if (parts !== null) stands = noteChainName(names, parts) && stands;
    }
    if (!stands) continue;
    if (names.head) return names;
    if (names.end || names.newest > 0) throw brokenChain(chainId, 0, chainHeadName(chainId), 'the store has no such object');
    throw missingChain(chainId);
  }
}

/** Numbers of the chain up to `last` that the store lacks, in order. Asks for each by itself: a listing that others write into may pass some by. */
export async function* missingNumbers(storage: Storage, chainId: string, { first, last }: { readonly first: number; readonly last: number }): AsyncGenerator<number> {
  for (let sequence = first; sequence <= last; sequence += 1) {
    if ((await storage.stat(sliceName(chainId, sequence))) !== null) continue;
    // Pruned since the names were listed.
    if (sequence < (await firstNumber(storage, chainId))) continue;
    yield sequence;
  }
}
