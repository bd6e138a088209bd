// Fills the local index from the packs themselves, where index objects are lost.
import type { RepositoryContext } from '../context.ts';
import { unnamedPacks } from './unnamed-packs.ts';

const running = new WeakMap<object, Promise<void>>();

/** Takes in every pack that no index names; calls at the same time share one search. */
export function recoverIndex(context: Pick<RepositoryContext, 'storage' | 'packKeys' | 'index' | 'log'>): Promise<void> {
  let search = running.get(context);
  if (search === undefined) {
    search = searchPacks(context).finally(() => running.delete(context));
    running.set(context, search);
  }
  return search;
}

async function searchPacks({ storage, packKeys, index, log }: Pick<RepositoryContext, 'storage' | 'packKeys' | 'index' | 'log'>): Promise<void> {
  for await (const pack of unnamedPacks({ storage, packKeys }, index.packs.ids())) {
    if ('error' in pack) log.warn({ pack: pack.packId, reason: pack.error.message }, 'a pack that no index names cannot be read');
    else await index.add(pack.index, false);
  }
}
