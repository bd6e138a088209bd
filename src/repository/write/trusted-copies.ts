// Which copies a writer may rest something new on (docs/design/deltas.md, "The closure").
import type { BadCopies } from '../bad-copies.ts';
import type { IsSafe } from '../chunk-index/resting.ts';
import type { RepositoryContext } from '../context.ts';
import { packName } from '../format/names.ts';

/** Named, in a pack that is not condemned and is there, and not found bad. */
export function createTrust({ storage }: Pick<RepositoryContext, 'storage'>, condemned: ReadonlySet<string>, bad: BadCopies): IsSafe {
  // An index may name a pack that is gone: lost, or put by somebody who was ended long ago and woke up.
  const there = new Map<string, Promise<boolean>>();
  const isThere = (packId: string): Promise<boolean> => {
    const known = there.get(packId) ?? storage.stat(packName(packId)).then((found) => found !== null);
    there.set(packId, known);
    return known;
  };
  return ({ packId, id, named }) => named && !condemned.has(packId) && !bad.has(packId, id) && isThere(packId);
}
