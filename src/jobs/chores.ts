// Small duties of every worker that are no jobs.
import type { Catalog, PendingFact } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { newId } from '../foundation/ids.ts';
import { loadRoot } from './handlers/load-root.ts';
import type { JobQueue } from './queue.ts';
import type { RepositoryProvider } from './repository-provider.ts';
import type { Chore } from './worker.ts';

const FACTS_AT_ONCE = 100;
const KEPT_AT_ONCE = 20;
/** A target that is down is asked again. */
const DROP_AGAIN_MS = 3_600_000;

export interface ChoreParts {
  readonly catalog: Catalog;
  readonly repositories: RepositoryProvider;
  readonly queue: JobQueue;
  readonly clock: Clock;
}

/** Tells the repository what was decided about snapshots, forgets sessions and nonces that are over, ends the time for an undo. */
export function createChores({ catalog, repositories, queue, clock }: ChoreParts): readonly Chore[] {
  return [
    { name: 'telling the repository', everyMs: 5000, run: (signal) => tellRepository(catalog, repositories, signal) },
    { name: 'dropping kept collections', everyMs: 60_000, run: () => askToDropKept(catalog, queue, clock) },
    { name: 'forgetting old sessions', everyMs: 300_000, run: async () => void (await catalog.sessions.sweep()) },
  ];
}

async function tellRepository(catalog: Catalog, repositories: RepositoryProvider, signal: AbortSignal): Promise<void> {
  let facts: readonly PendingFact[];
  do {
    facts = await catalog.snapshots.pendingFacts(FACTS_AT_ONCE);
    for (const fact of facts) {
      if (signal.aborted) return;
      await tell(catalog, repositories, fact);
    }
  } while (facts.length === FACTS_AT_ONCE);
}

/** One job for each restore whose kept collections are due; if it fails, the next is asked for later. */
async function askToDropKept(catalog: Catalog, queue: JobQueue, clock: Clock): Promise<void> {
  await catalog.transaction(async (tx) => {
    for (const restoreId of await tx.restorePlans.due(KEPT_AT_ONCE)) {
      const restore = await tx.restores.get(restoreId);
      await tx.restorePlans.keep(restoreId, restore?.targetClusterId == null ? null : new Date(clock.now().getTime() + DROP_AGAIN_MS));
      if (restore?.targetClusterId == null) continue;
      const { projectId, clusterId, snapshotId, targetClusterId } = restore;
      await queue.enqueue(tx, {
        id: newId(clock.now()), kind: 'dropKept', payload: { restoreId }, projectId, clusterId, snapshotId, restoreId, targetClusterId, requestedBy: 'leafvault',
      });
    }
  });
}

/** Told before it is forgotten: after a crash in between it is told twice, which says the same. */
async function tell(catalog: Catalog, repositories: RepositoryProvider, { id, snapshotId, kind, body, createdAt }: PendingFact): Promise<void> {
  const snapshot = await catalog.snapshots.get(snapshotId);
  if (snapshot !== null) {
    const repository = await repositories.forProject(snapshot.projectId);
    // A capture that failed has no root, and so nothing to say about it.
    if ((await loadRoot(repository, snapshotId)) !== null) {
      await repository.addFact({ snapshotId, kind, body, createdAt: createdAt.toISOString() });
    }
  }
  await catalog.snapshots.forgetFact(id);
}
