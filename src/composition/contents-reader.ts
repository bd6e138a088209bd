// What a snapshot holds, as the services ask for it. A snapshot never changes, so the newest lists are kept.
import { listNamespaces } from '../engine/index.ts';
import type { Repository } from '../repository/index.ts';
import type { ReadContents, SnapshotNamespace } from '../services/index.ts';

/** Lists that are kept, and names in all of them. */
const MOST_LISTS = 8;
const MOST_NAMES = 50_000;

export function contentsReader({ repository }: { readonly repository: Pick<Repository, 'openReader' | 'loadSnapshot'> }): ReadContents {
  const kept = new Map<string, readonly SnapshotNamespace[]>();
  const underWay = new Map<string, Promise<readonly SnapshotNamespace[]>>();
  const read = async (snapshotId: string): Promise<readonly SnapshotNamespace[]> => {
    const reader = await repository.openReader();
    try {
      const found = await listNamespaces({ reader, root: await repository.loadSnapshot(snapshotId) });
      kept.set(snapshotId, found);
      const names = (): number => [...kept.values()].reduce((sum, each) => sum + each.length, 0);
      while (kept.size > 1 && (kept.size > MOST_LISTS || names() > MOST_NAMES)) kept.delete([...kept.keys()][0] ?? '');
      return found;
    } finally {
      await reader.close();
    }
  };
  return async (snapshotId) => {
    const known = kept.get(snapshotId) ?? underWay.get(snapshotId);
    if (known !== undefined) return known;
    const reading = read(snapshotId).finally(() => underWay.delete(snapshotId));
    underWay.set(snapshotId, reading);
    return reading;
  };
}
