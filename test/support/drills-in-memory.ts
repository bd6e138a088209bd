// Drills for tests of the doors: rows in memory, nothing is restored.
import { drillOrderOf, type Drill } from '../../src/domain/drill.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { Services } from '../../src/services/contracts.ts';

const DEFAULTS = { everyHours: null, at: null, where: null, mongod: null };

export function drillsInMemory({ now, nextId }: { readonly now: () => Date; readonly nextId: () => string }): Services['drills'] {
  const rows = new Map<string, Drill>();
  const find = (clusterId: string, id: string): Drill => {
    const found = rows.get(id);
    if (found?.clusterId !== clusterId) throw new LeafvaultError('DRILL_NOT_FOUND', 'In memory: DRILL_NOT_FOUND', { details: { id, clusterId } });
    return found;
  };
  return {
    async ask({ cluster, namespaces = [], place = 'scratch' }) {
      const drill: Drill = {
        id: nextId(), projectId: cluster.projectId, clusterId: cluster.id, snapshotId: nextId(), jobId: nextId(), trigger: 'asked', place, targetClusterId: place === 'scratch' ? cluster.id : null,
        namespaces, state: 'queued', createdAt: now(), startedAt: null, finishedAt: null, phases: [], documents: null, bytes: null, collections: null, indexes: null, warnings: [],
        errorCode: null, errorMessage: null, errorHint: null,
      };
      rows.set(drill.id, drill);
      return drill;
    },
    async list(clusterId) {
      const items = [...rows.values()].filter((each) => each.clusterId === clusterId).reverse();
      return { items, totalCount: items.length };
    },
    get: async (clusterId, id) => find(clusterId, id),
    async cancel({ cluster, id }) {
      const drill = find(cluster.id, id);
      if (drill.state === 'cancelled') throw new LeafvaultError('JOB_NOT_CANCELLABLE', 'In memory: JOB_NOT_CANCELLABLE', { details: { id, state: drill.state } });
      rows.set(id, { ...drill, state: 'cancelled', finishedAt: now() });
    },
    recovery: async (cluster) => ({ lastProvenAt: cluster.lastProvenAt, order: drillOrderOf(DEFAULTS, null), nextDrillAt: null, lastDrill: null, lastProven: null, expected: null }),
  };
}
