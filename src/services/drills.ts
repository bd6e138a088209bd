// Restore drills as every door sees them: asking for one, looking at them, and what they say of a cluster's recovery.
import type { CatalogStore, CatalogTransaction } from '../catalog/index.ts';
import { drillOrderOf, type Drill, type DrillDefaults, type DrillOrder, type DrillTrigger } from '../domain/drill.ts';
import { nextDrillAt } from '../domain/drill-schedule.ts';
import { DRILLS_COUNTED, recoveryTime } from '../domain/recovery-time.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId, newId } from '../foundation/ids.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { ClusterRecovery, Drills } from './contracts.ts';
import { checkSelection } from './restore-selection.ts';

export interface DrillsOptions {
  readonly catalog: Pick<CatalogStore, 'drills' | 'snapshots' | 'clusters' | 'transaction'>;
  readonly queue: JobQueue;
  readonly clock: Clock;
  /** What counts for a cluster that declares nothing else. */
  readonly defaults: DrillDefaults;
}

interface AskRequest {
  readonly cluster: { readonly id: string; readonly projectId: string };
  readonly order: DrillOrder;
  readonly trigger: DrillTrigger;
  readonly requestedBy: string;
}

/** Puts row and job of a drill of the newest snapshot of all that is taken of the cluster now into a transaction; null where there is none. */
export function createAskForDrill({ queue, clock }: Pick<DrillsOptions, 'queue' | 'clock'>): (tx: CatalogTransaction, request: AskRequest) => Promise<Drill | null> {
  return async (tx, { cluster, order: { place, target, namespaces }, trigger, requestedBy }) => {
    const snapshot = await tx.snapshots.newestUsual(cluster.id);
    if (snapshot === null) return null;
    const now = clock.now();
    const [id, jobId] = [newId(now), newId(now)];
    const where = { projectId: cluster.projectId, clusterId: cluster.id, snapshotId: snapshot.id };
    // A name that nobody has makes a drill that fails: what is planned and can't be done has to be seen.
    const found = place === 'scratch' && target !== null ? await tx.clusters.byName(cluster.projectId, target) : null;
    const targetClusterId = place === 'scratch' ? (target === null ? cluster.id : (found?.id ?? null)) : null;
    await queue.enqueue(tx, { ...where, id: jobId, kind: 'drill', payload: { drillId: id, target: place === 'scratch' ? target : null }, restoreId: null, requestedBy });
    return tx.drills.insert({ ...where, id, jobId, trigger, place, targetClusterId, namespaces });
  };
}

export function createDrills(options: DrillsOptions): Drills {
  const { catalog, queue, defaults } = options;
  const askForDrill = createAskForDrill(options);
  const find = async (clusterId: string, id: string): Promise<Drill> => {
    const drill = isId(id) ? await catalog.drills.get(id) : null;
    if (drill?.clusterId === clusterId) return drill;
    throw new LeafvaultError('DRILL_NOT_FOUND', `Reading drill ${id} of cluster ${clusterId} failed: there is none`, { details: { id, clusterId } });
  };
  return {
    async ask({ cluster, requestedBy, namespaces, place }) {
      const declared = drillOrderOf(defaults, (await catalog.drills.schedule(cluster.id))?.choices ?? null);
      const order = { ...declared, place: place ?? declared.place, namespaces: namespaces ?? declared.namespaces };
      checkSelection({ databases: order.namespaces.filter((name) => !name.includes('.')), collections: order.namespaces.filter((name) => name.includes('.')), renames: [] });
      const drill = await catalog.transaction((tx) => askForDrill(tx, { cluster, order, trigger: 'asked', requestedBy }));
      if (drill !== null) return drill;
      throw new LeafvaultError('DRILL_WITHOUT_SNAPSHOT', `Drilling cluster ${cluster.name} was refused: it has no snapshot of ${cluster.namespaceFilter === null ? 'everything' : 'what its filter says'}`, { details: { clusterId: cluster.id }, hint: 'Take a snapshot first' });
    },
    list: (clusterId, page) => catalog.drills.list(clusterId, page),
    get: find,
    async cancel({ cluster, id, requestedBy }) {
      const drill = await find(cluster.id, id);
      if ((await queue.cancel(drill.jobId, requestedBy)) !== 'over') return;
      const { state } = await find(cluster.id, id);
      throw new LeafvaultError('JOB_NOT_CANCELLABLE', `Cancelling drill ${id} failed: it is already ${state}`, { details: { id, state } });
    },
    async recovery(cluster) {
      const [schedule, drills, snapshot] = await Promise.all([
        catalog.drills.schedule(cluster.id), catalog.drills.newest([cluster.id], DRILLS_COUNTED), catalog.snapshots.newestUsual(cluster.id),
      ]);
      const order = drillOrderOf(defaults, schedule?.choices ?? null);
      return {
        lastProvenAt: cluster.lastProvenAt, order,
        nextDrillAt: schedule?.from == null ? null : nextDrillAt(order, schedule.from),
        ...recoveryOf(drills, snapshot?.dataSizeBytes ?? null),
      };
    },
  };
}

/**
 * @param drills of one cluster, proven or failed, newest first
 * @param bytes of its newest snapshot; null: there is none to be restored
 */
export function recoveryOf(drills: readonly Drill[], bytes: number | null): Pick<ClusterRecovery, 'lastDrill' | 'lastProven' | 'expected'> {
  const proven = drills.filter(({ state }) => state === 'completed');
  // One that somebody cancelled says nothing, and is not among them.
  return { lastDrill: drills[0] ?? null, lastProven: proven[0] ?? null, expected: bytes === null ? null : recoveryTime(bytes, proven) };
}
