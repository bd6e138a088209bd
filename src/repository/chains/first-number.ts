// With which number a chain begins: the largest that somebody wrote down when its front was pruned.
import type { Storage } from '../../storage/index.ts';
import { chainPrefix, partsOfChainName } from '../format/names.ts';

/** 1 for a chain of which nothing was pruned. */
export async function firstNumber(storage: Pick<Storage, 'list'>, chainId: string): Promise<number> {
  let first = 1;
  for await (const { name } of storage.list(`${chainPrefix(chainId)}from-`)) {
    const parts = partsOfChainName(name);
    if (parts?.part === 'from') first = Math.max(first, parts.first);
  }
  return first;
}
