// Several things that are asked for at once: all of them, or none.
import type { CatalogStore } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { createContinuous } from './continuous.ts';
import type { InsideTogether, Together } from './contracts.ts';
import { createJobs } from './jobs.ts';
import { createRestores, type RestoresOptions } from './restores.ts';
import { createSchedules, type SchedulesOptions } from './schedules.ts';
import { createSnapshots } from './snapshots.ts';

export interface TogetherOptions {
  readonly catalog: CatalogStore;
  readonly clock: Clock;
  readonly restoring: RestoresOptions;
  readonly catchUp: SchedulesOptions['catchUp'];
}

/** Services over one transaction of the catalog; jobs are seen by workers when it ends. */
export function createTogether({ catalog, clock, restoring, catchUp }: TogetherOptions): Together {
  const { queue } = restoring;
  return (work) => catalog.transaction((tx) => {
    const inside: CatalogStore = { ...catalog, ...tx, transaction: (each) => each(tx) };
    const snapshots = createSnapshots({ catalog: inside, queue, clock });
    // Nobody hears inside of a transaction that something is waited for.
    const restores = createRestores({ ...restoring, catalog: inside, continuous: createContinuous({ catalog: inside, clock, patienceMs: 0 }) });
    const hold: InsideTogether['hold'] = async (clusters) => {
      // Projects come first, as wherever one cluster is changed.
      for (const projectId of inOrder(clusters.map((cluster) => cluster.projectId))) await tx.compliance.hold(projectId);
      for (const id of inOrder(clusters.map((cluster) => cluster.id))) await tx.clusters.hold(id);
    };
    return work({ hold, snapshots, restores, schedules: createSchedules({ catalog: inside, clock, catchUp }), jobs: createJobs({ catalog: inside, queue, snapshots, restores }), numbers: tx.numbers });
  });
}

/** Each once, in the one order that all keep. */
function inOrder(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)].sort();
}
