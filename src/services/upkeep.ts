// What workers do with the repository by themselves: checks, prunes, second copies, holding its objects. How far they are, and what they found.
import type { CatalogStore } from '../catalog/index.ts';
import { checkKey, type CheckState } from '../domain/check-state.ts';
import { COPY_STATES, readCopyStates } from '../domain/copy-state.ts';
import { mendedKey, type MendedState } from '../domain/mended-state.ts';
import { pruneKey, type PruneState } from '../domain/prune-state.ts';
import { locksKey, type LockState } from '../domain/lock-state.ts';
import { storeKey, type StoreState } from '../domain/store-state.ts';
import { isHeld } from '../domain/running-chore.ts';
import type { Clock } from '../foundation/clock.ts';
import type { CheckView, DamagedSnapshot, Upkeep } from './contracts.ts';

interface UpkeepOptions {
  readonly catalog: Pick<CatalogStore, 'settings' | 'snapshots' | 'auditEvents'>;
  readonly clock: Clock;
}

/** No request and no command is under way for longer. */
const UNDER_WAY_MS = 3_600_000;

/** As the composition root writes it down at the first start. */
const REPOSITORY_ID = 'repositoryId';

export function createUpkeep({ catalog, clock }: UpkeepOptions): Upkeep {
  /** What a dead worker left says nothing about now. */
  const pruneView = (state: PruneState): PruneState => ({ ...state, running: alive(state.running) });
  const alive = <T extends { readonly beatAt: string }>(running: T | null | undefined): T | null => (isHeld(running, clock.now()) ? running ?? null : null);
  const repositoryId = async (): Promise<string> => String(await catalog.settings.get(REPOSITORY_ID));

  const damagedOf = async ({ last }: CheckState): Promise<DamagedSnapshot[]> => {
    const found: DamagedSnapshot[] = [];
    for (const { snapshotId, namespaces } of last?.damaged ?? []) {
      const snapshot = await catalog.snapshots.get(snapshotId);
      // What was deleted since costs nobody anything.
      if (snapshot !== null && snapshot.deletedAt === null) found.push({ snapshotId, namespaces, projectId: snapshot.projectId, clusterId: snapshot.clusterId, clusterName: snapshot.clusterName });
    }
    return found;
  };

  return {
    async read(projectId) {
      const id = await repositoryId();
      const [check, prune, copies, locks, mended, store] = await Promise.all(
        [checkKey(id), pruneKey(id), COPY_STATES, locksKey(id), mendedKey(id), storeKey(id)].map((key) => catalog.settings.get(key)),
      );
      return {
        check: check === undefined ? null : await viewOf(check as CheckState),
        copies: readCopyStates(copies).map(({ running, last = null, read = null, rotted = null, failure = null, ...rest }) => ({ ...rest, running: alive(running), last, read, rotted, failure })),
        prune: prune === undefined ? null : pruneView(prune as PruneState),
        locks: (locks as LockState | undefined) ?? null,
        mended: (mended as MendedState | undefined) ?? null,
        store: (store as StoreState | undefined) ?? null,
        ...(projectId === null ? { unknownChanges: await catalog.auditEvents.unknown(new Date(clock.now().getTime() - UNDER_WAY_MS)) } : {}),
      };

      async function viewOf(state: CheckState): Promise<CheckView> {
        const all = await damagedOf(state);
        const damaged = projectId === null ? all : all.filter((each) => each.projectId === projectId);
        return { ...state, running: alive(state.running), damaged, damagedElsewhere: all.length - damaged.length };
      }
    },
  };
}
