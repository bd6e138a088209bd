// A new cluster with its schedule, however it came to be known.
import type { CatalogAggregates, NewCluster } from '../catalog/index.ts';
import { freshProgress } from '../domain/plan-run.ts';
import type { Cluster } from '../domain/records.ts';
import { defaultSchedule } from '../domain/schedule.ts';
import type { Clock } from '../foundation/clock.ts';
import { newId } from '../foundation/ids.ts';

/** @param scheduled false: nothing is taken of it by itself @throws CATALOG_DUPLICATE */
export async function makeCluster(
  { catalog, clock }: { readonly catalog: Pick<CatalogAggregates, 'clusters' | 'schedules'>; readonly clock: Clock }, row: NewCluster, scheduled: boolean,
): Promise<Cluster> {
  const made = await catalog.clusters.insert(row);
  if (scheduled) await scheduleByDefault({ catalog, clock }, made.id);
  return made;
}

/** The vendor's default items, from now on. */
export async function scheduleByDefault({ catalog, clock }: { readonly catalog: Pick<CatalogAggregates, 'schedules'>; readonly clock: Clock }, clusterId: string): Promise<void> {
  const now = clock.now();
  await catalog.schedules.save({ schedule: defaultSchedule(clusterId, now, () => newId(now)), progress: freshProgress(now) });
}
