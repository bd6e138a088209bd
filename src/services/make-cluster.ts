// A new cluster with its schedule, however it came to be known; what the compliance policy of its project asks for it has from the start.
import type { CatalogAggregates, NewCluster } from '../catalog/index.ts';
import { raised, requiresContinuous, type CompliancePolicy } from '../domain/compliance.ts';
import { freshProgress } from '../domain/plan-run.ts';
import type { Cluster } from '../domain/records.ts';
import { defaultSchedule, emptySchedule } from '../domain/schedule.ts';
import type { Clock } from '../foundation/clock.ts';
import { newId } from '../foundation/ids.ts';

export interface Beginning {
  /** Held to the end of the transaction. */
  readonly policy: CompliancePolicy | null;
  /** False: nothing is taken of it by itself, unless the policy asks for it. */
  readonly scheduled: boolean;
}

/** @throws CATALOG_DUPLICATE */
export async function makeCluster(
  { catalog, clock }: { readonly catalog: Pick<CatalogAggregates, 'clusters' | 'schedules'>; readonly clock: Clock }, row: NewCluster, beginning: Beginning,
): Promise<Cluster> {
  const made = await catalog.clusters.insert(requiresContinuous(beginning.policy) ? { ...row, continuousBackup: true } : row);
  await firstSchedule({ catalog, clock }, made.id, beginning);
  return made;
}

/** The vendor's default items, raised to the policy's, from now on. */
export async function firstSchedule(
  { catalog, clock }: { readonly catalog: Pick<CatalogAggregates, 'schedules'>; readonly clock: Clock }, clusterId: string, { policy, scheduled }: Beginning,
): Promise<void> {
  if (!scheduled && policy === null) return;
  const now = clock.now();
  const schedule = scheduled ? defaultSchedule(clusterId, now, () => newId(now)) : emptySchedule(clusterId, now);
  await catalog.schedules.save({ schedule: policy === null ? schedule : raised(policy, schedule, () => newId(now)), progress: freshProgress(now) });
}
