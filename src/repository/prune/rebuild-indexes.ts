// Index objects that are damaged: what they named is named anew from the packs themselves, and they are moved aside.
import { unnamedPacks } from '../chunk-index/unnamed-packs.ts';
import { quarantineObject } from '../quarantine/quarantine.ts';
import type { OpenSession } from '../repository.ts';
import { createJoiner } from './join-indexes.ts';
import { mayBeNamedYet } from './plan-prune.ts';
import type { Prune } from './prune-run.ts';

/**
 * First a new index for every pack that none of the readable ones names (leavings among them do no harm: no snapshot needs them), then
 * the damaged object goes to the quarantine: nothing that was damaged is thrown away. A pack without a readable directory stays unnamed,
 * and so does one that a writer at work may still name; then the damaged objects stay, too, and the prune is refused until that writer is through.
 * @returns the objects that were moved
 */
export async function rebuildIndexes({ context, index, indexes, parts: { signal } }: Prune, writers: readonly OpenSession[]): Promise<readonly string[]> {
  const names = [...indexes.unreadable].filter(([, error]) => error.code === 'REPOSITORY_OBJECT_DAMAGED').map(([name]) => name);
  if (names.length === 0) return [];
  const joiner = createJoiner(context, () => Promise.resolve());
  let isWhole = true;
  for await (const pack of unnamedPacks(context, index.packs.ids())) {
    signal?.throwIfAborted();
    if (mayBeNamedYet(pack.packId, writers)) {
      isWhole = false;
      continue;
    }
    if ('error' in pack) context.log.warn({ pack: pack.packId, reason: pack.error.message }, 'a pack that no index names can not be read; it stays');
    else await joiner.add(pack.index, new Set());
  }
  await joiner.flush();
  // What was passed over may have been named by one of them: they stay until it is named.
  for (const name of isWhole ? names : []) {
    const aside = await quarantineObject(context, name);
    context.log.warn({ object: name, aside }, 'a damaged index was built anew from its packs, and moved aside');
  }
  await indexes.refresh();
  return isWhole ? names : [];
}
