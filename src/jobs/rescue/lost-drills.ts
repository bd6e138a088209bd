// Drills that were begun after the last dump of a catalog that was lost: no row speaks of them, but their plans lie on the clusters whose
// scratch databases they used. They get rows again, as failed drills, and every worker takes away what such ones left.
import type { Catalog, CatalogTransaction } from '../../catalog/index.ts';
import type { FindRehearsals } from '../../engine/contracts.ts';
import type { Clock } from '../../foundation/clock.ts';
import { describeError } from '../../foundation/errors.ts';
import { newId } from '../../foundation/ids.ts';
import type { Logger } from '../../foundation/logger.ts';
import { redactUri } from '../../foundation/redact.ts';
import type { Chore } from '../worker.ts';

/** Setting: ids of the clusters that have still to be asked. */
const TO_ASK = 'clustersToAskForLostDrills';
const LOST = {
  code: 'JOBS_CATALOG_RESCUED', message: 'The catalog was lost and rescued while this drill was running', hint: 'Nothing to do: what it left is taken away; ask for another drill if it is wanted',
};

/** Part of a rescue. */
export async function askAllForLostDrills(tx: Pick<CatalogTransaction, 'settings' | 'clusters'>): Promise<void> {
  await tx.settings.set(TO_ASK, (await tx.clusters.ofProjects(null)).map(({ id }) => id));
}

export interface LostDrillsParts {
  readonly catalog: Pick<Catalog, 'settings' | 'clusters' | 'drills' | 'snapshots' | 'transaction'>;
  readonly find: FindRehearsals;
  readonly clock: Clock;
  readonly log: Logger;
}

/** In every worker, until each cluster has answered once. */
export function createLostDrillsChore(parts: LostDrillsParts): Chore {
  return { name: 'looking for drills that a rescue lost', everyMs: 60_000, run: (signal) => askClusters(parts, signal) };
}

async function askClusters({ catalog, find, clock, log }: LostDrillsParts, signal: AbortSignal): Promise<void> {
  const waiting = (await catalog.settings.get(TO_ASK)) as readonly string[] | undefined;
  if (waiting === undefined || waiting.length === 0) return;
  const unanswered: string[] = [];
  for (const clusterId of waiting) {
    if (signal.aborted) return;
    if ((await catalog.clusters.get(clusterId)) === null) continue;
    try {
      const uri = await catalog.clusters.uriOf(clusterId);
      if (uri === null) unanswered.push(clusterId);
      else for (const { restoreId, snapshotId } of await find({ target: { uri }, signal })) await bringBack({ catalog, clock, log }, clusterId, { drillId: restoreId, snapshotId });
    } catch (error) {
      log.info({ cluster: clusterId, reason: redactUri(describeError(error)) }, 'a cluster can not be asked for drills that a rescue lost; asking again');
      unanswered.push(clusterId);
    }
  }
  await catalog.settings.replace(TO_ASK, waiting, unanswered);
}

/** A snapshot that is ours says that the drill was; others on the same cluster are left to whoever made them. */
async function bringBack({ catalog, clock, log }: Omit<LostDrillsParts, 'find'>, targetClusterId: string, { drillId, snapshotId }: { readonly drillId: string; readonly snapshotId: string }): Promise<void> {
  const snapshot = await catalog.snapshots.get(snapshotId);
  if (snapshot === null || (await catalog.drills.get(drillId)) !== null) return;
  const { projectId, clusterId } = snapshot;
  const jobId = newId(clock.now());
  await catalog.transaction((tx) => tx.rescues.saveLostDrill({ id: drillId, jobId, projectId, clusterId, snapshotId, targetClusterId }, LOST));
  log.warn({ drill: drillId, cluster: targetClusterId }, 'a drill that the catalog lost left something on its target; it is taken away');
}
