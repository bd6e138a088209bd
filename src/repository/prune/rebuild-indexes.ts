// Index objects that are damaged: what they named is named anew from the packs themselves, and they are moved aside.
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { unnamedPacks } from '../chunk-index/unnamed-packs.ts';
import { quarantineName } from '../format/names.ts';
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
  const named = new Set(Array.from({ length: index.packs.count }, (_, number) => index.packs.idOf(number)));
  const joiner = createJoiner(context, () => Promise.resolve());
  let isWhole = true;
  for await (const pack of unnamedPacks(context, named)) {
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
  if (isWhole) for (const name of names) await moveAside(context, name);
  await indexes.refresh();
  return isWhole ? names : [];
}

async function moveAside({ storage, log }: Prune['context'], name: string): Promise<void> {
  const aside = quarantineName(name);
  const bytes = await storage.get(name);
  try {
    await storage.put(aside, bytes);
  } catch (error) {
    if (!isLeafvaultError(error, 'STORAGE_OBJECT_EXISTS') || !(await storage.get(aside)).equals(bytes)) throw notMoved(name, error);
  }
  await storage.delete(name);
  log.warn({ object: name, aside }, 'a damaged index was built anew from its packs, and moved aside');
}

function notMoved(name: string, cause: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_PRUNE_REFUSED', `Pruning was refused: the damaged ${name} could not be moved aside`, {
    cause, hint: 'See what the store says; the index was built anew already, so nothing is lost',
  });
}
