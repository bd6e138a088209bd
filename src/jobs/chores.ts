// Small duties of every worker that are no jobs.
import type { Catalog, PendingFact } from '../catalog/index.ts';
import { loadRoot } from './handlers/load-root.ts';
import type { RepositoryProvider } from './repository-provider.ts';
import type { Chore } from './worker.ts';

const FACTS_AT_ONCE = 100;

/** Tells the repository what was decided about snapshots, and forgets sessions and nonces that are over. */
export function createChores({ catalog, repositories }: { readonly catalog: Catalog; readonly repositories: RepositoryProvider }): readonly Chore[] {
  return [
    { name: 'telling the repository', everyMs: 5000, run: (signal) => tellRepository(catalog, repositories, signal) },
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
