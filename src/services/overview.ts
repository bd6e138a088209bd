// What metrics tell: every cluster with its last success and proof, what it holds, and jobs by state.
import type { CatalogAggregates, CatalogStore, ChainTotals, ClusterTotals, JobCount, Tailer } from '../catalog/index.ts';
import { DRILLS_COUNTED } from '../domain/recovery-time.ts';
import { shownState } from '../domain/backup-state.ts';
import type { CheckState } from '../domain/check-state.ts';
import type { Cluster, Project } from '../domain/records.ts';
import { COPY_STATES, readCopyStates } from '../domain/copy-state.ts';
import type { LockState } from '../domain/lock-state.ts';
import type { PruneState } from '../domain/prune-state.ts';
import type { Clock } from '../foundation/clock.ts';
import { headroomOf, lagOf, stateOf } from './continuous-state.ts';
import { recoveryOf } from './drills.ts';
import type { CheckOverview, ClusterContinuous, ClusterOverview, LockOverview, Overview, PruneOverview } from './contracts.ts';

const PROJECTS_AT_ONCE = 500;

export function createOverview(
  { catalog, clock, check, locks, prune }: {
    readonly catalog: Pick<CatalogAggregates, 'overview' | 'clusters' | 'projects' | 'tailers' | 'chains' | 'snapshots' | 'drills' | 'schedules'> & Pick<CatalogStore, 'settings'>; readonly clock: Clock;
    /** What stands in the catalog of the checks that run by themselves. */
    readonly check?: () => Promise<CheckState | null>;
    /** And of holding its objects. */
    readonly locks?: () => Promise<LockState | null>;
    /** And of the daily prune. */
    readonly prune?: () => Promise<PruneState | null>;
  },
): Overview {
  return {
    async read() {
      const [clusters, totals, jobs, projects, tailers, chains, copies, drills, scheduled] = await Promise.all([
        catalog.clusters.ofProjects(null), catalog.overview.clusterTotals(), catalog.overview.jobCounts(), allProjects(catalog), catalog.tailers.list(),
        catalog.chains.totals(), catalog.settings.get(COPY_STATES), catalog.drills.newest(null, DRILLS_COUNTED), catalog.schedules.withItems(),
      ]);
      const totalsOf = new Map(totals.map((each) => [each.clusterId, each]));
      const tailerOf = new Map(tailers.map((each) => [each.clusterId, each]));
      const chainsOf = new Map(chains.map((each) => [each.clusterId, each]));
      const drillsOf = Map.groupBy(drills, ({ clusterId }) => clusterId);
      const isScheduled = new Set(scheduled);
      const filtered = await filteredSizes(catalog, clusters);
      const now = clock.now();
      const nameOf = new Map(projects.map(({ id, name }) => [id, name]));
      return {
        clusters: clusters.map((cluster) => {
          const kept = chainsOf.get(cluster.id);
          const told = overviewOf(cluster, nameOf.get(cluster.projectId) ?? '', totalsOf.get(cluster.id), kept);
          const dataSizeBytes = cluster.namespaceFilter === null ? told.dataSizeBytes : filtered.get(cluster.id) ?? null;
          return {
            ...told, dataSizeBytes,
            backupState: shownState(cluster, { isScheduled: isScheduled.has(cluster.id) }),
            recovery: recoveryOf(drillsOf.get(cluster.id) ?? [], dataSizeBytes),
            continuous: continuousOf(cluster, tailerOf.get(cluster.id) ?? null, kept, now),
          };
        }),
        jobs: jobs satisfies readonly JobCount[],
        check: await checkOverview(catalog, (await check?.()) ?? null),
        prune: pruneOverview((await prune?.()) ?? null),
        locks: lockOverview((await locks?.()) ?? null),
        copies: readCopyStates(copies).map(({ number, succeededAt, problems, rotted }) => ({ number, rotted: rotted?.objects ?? 0, succeededAt: succeededAt === null ? null : new Date(succeededAt), problems })),
      };
    },
  };
}

function pruneOverview(state: PruneState | null): PruneOverview | null {
  return state === null ? null : { endedAt: state.last === null ? null : new Date(state.last.endedAt), failed: state.failure !== null };
}

async function checkOverview(catalog: Pick<CatalogAggregates, 'snapshots'>, state: CheckState | null): Promise<CheckOverview | null> {
  if (state === null) return null;
  const damagedSnapshots = new Map<string, number>();
  for (const { snapshotId } of state.last?.damaged ?? []) {
    const snapshot = await catalog.snapshots.get(snapshotId);
    if (snapshot !== null && snapshot.deletedAt === null) damagedSnapshots.set(snapshot.clusterId, (damagedSnapshots.get(snapshot.clusterId) ?? 0) + 1);
  }
  return { endedAt: state.last === null ? null : new Date(state.last.endedAt), problems: state.last?.problems ?? null, mended: state.last?.mended ?? null, failed: state.failure !== null, damagedSnapshots };
}

function lockOverview(state: LockState | null): LockOverview | null {
  if (state === null) return null;
  const { succeededAt, last } = state;
  return { succeededAt: succeededAt === null ? null : new Date(succeededAt), failed: last?.failed ?? null, hiddenBytes: last?.hiddenBytes ?? null };
}

function continuousOf(cluster: Cluster, tailer: Tailer | null, kept: ChainTotals | undefined, now: Date): ClusterContinuous | null {
  if (!cluster.continuousBackup && tailer === null && kept === undefined) return null;
  return {
    state: stateOf({ cluster, tailer, now, hasBase: kept?.openHasBase ?? false }).state,
    lagSeconds: lagOf(kept?.recoveryPoint ?? null, now),
    headroomSeconds: headroomOf(tailer),
    slices: kept?.slices ?? 0, rawBytes: kept?.rawBytes ?? 0, storedBytes: kept?.storedBytes ?? 0,
  };
}

function overviewOf(cluster: Cluster, projectName: string, totals: ClusterTotals | undefined, kept: ChainTotals | undefined): Omit<ClusterOverview, 'continuous' | 'backupState'> {
  const instants = [totals?.newestCapturedAt ?? null, kept?.recoveryPoint == null ? null : new Date(kept.recoveryPoint.t * 1000)].filter((each) => each !== null);
  return {
    cluster,
    projectName,
    snapshots: totals?.snapshots ?? 0,
    storageSizeBytes: totals?.storageSizeBytes ?? null,
    dataSizeBytes: totals?.dataSizeBytes ?? null,
    recoveryPointAt: instants.length === 0 ? null : new Date(Math.max(...instants.map((each) => each.getTime()))),
  };
}

/** The newest snapshot of everything is not what a restore would bring back there. */
async function filteredSizes(catalog: Pick<CatalogAggregates, 'snapshots'>, clusters: readonly Cluster[]): Promise<ReadonlyMap<string, number | null>> {
  const filtered = clusters.filter(({ namespaceFilter }) => namespaceFilter !== null);
  return new Map(await Promise.all(filtered.map(async ({ id }) => [id, (await catalog.snapshots.newestUsual(id))?.dataSizeBytes ?? null] as const)));
}

async function allProjects(catalog: Pick<CatalogAggregates, 'projects'>): Promise<Project[]> {
  const found: Project[] = [];
  for (let pageNumber = 1; ; pageNumber += 1) {
    const { items, totalCount } = await catalog.projects.list({ orgIds: null, ids: null }, { pageNumber, itemsPerPage: PROJECTS_AT_ONCE });
    found.push(...items);
    if (items.length === 0 || found.length >= totalCount) return found;
  }
}
