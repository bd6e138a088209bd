// Prometheus metrics, read from the catalog when they are asked for: any process of an installation tells the same.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Clock } from '../../foundation/clock.ts';
import { BACKUP_STATES } from '../../domain/backup-state.ts';
import type { ClusterOverview, ContinuousState, CopyOverview, LockOverview, Overview, PruneOverview } from '../../services/contracts.ts';

export interface Metrics {
  readonly contentType: string;
  /** The exposition text. @throws what the catalog fails with */
  read(): Promise<string>;
}

/** Names only, no addresses: labels go to systems that anybody may read. */
const CLUSTER_LABELS = ['project', 'project_id', 'cluster', 'cluster_id'] as const;
type ClusterLabel = (typeof CLUSTER_LABELS)[number];

/** Gauge by gauge: what it is, and its value for a cluster; null leaves it out (never is not zero). */
const CLUSTER_GAUGES: readonly { readonly name: string; readonly help: string; value(cluster: ClusterOverview, now: Date): number | null }[] = [
  { name: 'leafvault_last_success_timestamp_seconds', help: 'When a snapshot of the cluster last became whole', value: ({ cluster }) => secondsOf(cluster.lastSuccessAt) },
  { name: 'leafvault_last_proven_timestamp_seconds', help: 'When data of the cluster was last read back and compared with what was captured', value: ({ cluster }) => secondsOf(cluster.lastProvenAt) },
  { name: 'leafvault_drill_last_timestamp_seconds', help: 'When the newest restore drill of the cluster ended, proven or failed', value: ({ recovery }) => secondsOf(recovery?.lastDrill?.finishedAt ?? null) },
  { name: 'leafvault_drill_last_proven_timestamp_seconds', help: 'When the newest restore drill of the cluster that proved its snapshot ended', value: ({ recovery }) => secondsOf(recovery?.lastProven?.finishedAt ?? null) },
  { name: 'leafvault_drill_failed', help: '1 where the newest restore drill of the cluster failed, 0 where it proved its snapshot', value: ({ recovery }) => (recovery?.lastDrill == null ? null : Number(recovery.lastDrill.state === 'failed')) },
  { name: 'leafvault_expected_recovery_seconds', help: 'How long a whole restore of the newest snapshot would take, by the rates of the last drills', value: ({ recovery }) => (recovery?.expected == null ? null : recovery.expected.milliseconds / 1000) },
  { name: 'leafvault_recovery_point_timestamp_seconds', help: 'The newest instant of the cluster that can be restored', value: ({ recoveryPointAt }) => secondsOf(recoveryPointAt) },
  {
    name: 'leafvault_recovery_point_age_seconds',
    help: 'How much work a loss of the cluster would cost now (RPO)',
    value: ({ recoveryPointAt }, now) => (recoveryPointAt === null ? null : Math.max(0, (now.getTime() - recoveryPointAt.getTime()) / 1000)),
  },
  { name: 'leafvault_backup_filtered', help: '1 where a filter leaves namespaces of the cluster out of its backups, 0 where everything is taken', value: ({ cluster }) => Number(cluster.namespaceFilter !== null) },
  { name: 'leafvault_snapshots', help: 'Whole snapshots that are kept', value: ({ snapshots }) => snapshots },
  { name: 'leafvault_snapshot_data_bytes', help: 'Raw BSON bytes of the newest whole snapshot, under a filter of namespaces of the newest one of what that takes', value: ({ dataSizeBytes }) => dataSizeBytes },
  { name: 'leafvault_snapshot_storage_bytes', help: 'Bytes that the kept snapshots added to the repository', value: ({ storageSizeBytes }) => storageSizeBytes },
  { name: 'leafvault_continuous_lag_seconds', help: 'From the newest instant that continuous backup can restore to now', value: ({ continuous }) => continuous?.lagSeconds ?? null },
  { name: 'leafvault_continuous_headroom_seconds', help: 'Oplog that the cluster can still drop before continuous backup loses something', value: ({ continuous }) => continuous?.headroomSeconds ?? null },
  { name: 'leafvault_continuous_slices', help: 'Slices of oplog that are kept', value: ({ continuous }) => continuous?.slices ?? null },
  { name: 'leafvault_continuous_raw_bytes', help: 'Bytes of oplog in these slices', value: ({ continuous }) => continuous?.rawBytes ?? null },
  { name: 'leafvault_continuous_stored_bytes', help: 'Bytes that these slices take in the repository', value: ({ continuous }) => continuous?.storedBytes ?? null },
];
/** `copy`: its place in `repository.copies`. */
const COPY_GAUGES: readonly { readonly name: string; readonly help: string; value(copy: CopyOverview, now: Date): number | null }[] = [
  { name: 'leafvault_copy_last_success_timestamp_seconds', help: 'When a second copy of the repository was last brought up to date', value: ({ succeededAt }) => secondsOf(succeededAt) },
  { name: 'leafvault_copy_age_seconds', help: 'How far a second copy of the repository is behind', value: ({ succeededAt }, now) => (succeededAt === null ? null : Math.max(0, (now.getTime() - succeededAt.getTime()) / 1000)) },
  { name: 'leafvault_copy_problems', help: 'Objects that the last run of a copier found damaged or gone, and snapshots that it withheld for them', value: ({ problems }) => problems },
  { name: 'leafvault_copy_rotted_objects', help: 'Objects that had rotted in a second copy and were put there anew, since it is there', value: ({ rotted }) => rotted },
];
const LOCK_GAUGES: readonly { readonly name: string; readonly help: string; value(locks: LockOverview): number | null }[] = [
  { name: 'leafvault_lock_last_success_timestamp_seconds', help: 'When everything that snapshots need was last found held against deletion, or was held longer', value: ({ succeededAt }) => secondsOf(succeededAt) },
  { name: 'leafvault_lock_failed_objects', help: 'Objects that snapshots need and that are not held as they should be, or not there', value: ({ failed }) => failed },
  { name: 'leafvault_lock_hidden_bytes', help: 'Bytes that were deleted and are still there, and paid for', value: ({ hiddenBytes }) => hiddenBytes },
];
const PRUNE_GAUGES: readonly { readonly name: string; readonly help: string; value(prune: PruneOverview): number | null }[] = [
  { name: 'leafvault_prune_last_timestamp_seconds', help: 'When the repository was last pruned by itself, to the end', value: ({ endedAt }) => secondsOf(endedAt) },
  { name: 'leafvault_prune_failed', help: '1 where the newest prune could not be brought to its end: what no snapshot needs stays, and is paid for', value: ({ failed }) => Number(failed) },
];
const STATES: readonly ContinuousState[] = ['off', 'starting', 'running', 'warning', 'failed'];

export function createMetrics({ overview, clock, version }: { readonly overview: Overview; readonly clock: Clock; readonly version: string }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'leafvault_info', help: 'The running version', labelNames: ['version'], registers: [registry] }).set({ version }, 1);
  const jobs = new Gauge({ name: 'leafvault_jobs', help: 'Jobs by kind and state', labelNames: ['kind', 'state'], registers: [registry] });
  const gauges = CLUSTER_GAUGES.map(({ name, help, value }) => ({
    value, gauge: new Gauge<ClusterLabel>({ name, help, labelNames: [...CLUSTER_LABELS], registers: [registry] }),
  }));
  const states = new Gauge({
    name: 'leafvault_continuous_state', help: '1 for the state that continuous backup of the cluster is in, 0 for the others', labelNames: [...CLUSTER_LABELS, 'state'], registers: [registry],
  });
  const backups = new Gauge({ name: 'leafvault_backup_state', help: '1 for the state that the backups of the cluster are in, 0 for the others', labelNames: [...CLUSTER_LABELS, 'state'], registers: [registry] });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [registry] });
  const checked = {
    endedAt: gauge('leafvault_check_last_timestamp_seconds', 'When the repository was last checked by itself, to the end'),
    problems: gauge('leafvault_check_problems', 'What that check found; 0: the repository is sound'),
    mended: gauge('leafvault_check_mended_objects', 'Damaged objects that this check found and fetched again from a second copy; leafvault_check_problems are those that are left'),
    failed: gauge('leafvault_check_failed', '1 where the newest check could not be brought to its end'),
  };
  const damaged = new Gauge<ClusterLabel>({
    name: 'leafvault_damaged_snapshots', help: 'Kept snapshots of the cluster that the last check found damaged', labelNames: [...CLUSTER_LABELS], registers: [registry],
  });
  const tellCheck = ({ check, clusters }: Awaited<ReturnType<Overview['read']>>): void => {
    for (const each of [...Object.values(checked), damaged]) each.reset();
    // A gauge without labels starts at zero, and never is not zero.
    for (const each of Object.values(checked)) each.remove();
    if (check == null) return;
    checked.failed.set(check.failed ? 1 : 0);
    if (check.endedAt === null) return;
    checked.endedAt.set(check.endedAt.getTime() / 1000);
    checked.problems.set(check.problems ?? 0);
    checked.mended.set(check.mended ?? 0);
    for (const cluster of clusters) damaged.set(labelsOf(cluster), check.damagedSnapshots.get(cluster.cluster.id) ?? 0);
  };
  const copies = COPY_GAUGES.map(({ name, help, value }) => ({ value, gauge: new Gauge({ name, help, labelNames: ['copy'], registers: [registry] }) }));
  const locks = LOCK_GAUGES.map(({ name, help, value }) => ({ value, gauge: gauge(name, help) }));
  const prunes = PRUNE_GAUGES.map(({ name, help, value }) => ({ value, gauge: gauge(name, help) }));
  const tellAll = <T>(each: readonly { readonly gauge: Gauge; value(of: T): number | null }[], of: T | null | undefined): void => {
    for (const { gauge: one, value } of each) {
      // A gauge without labels starts at zero, and never is not zero.
      one.reset();
      one.remove();
      const read = of == null ? null : value(of);
      if (read !== null) one.set(read);
    }
  };
  const refresh = async (): Promise<void> => {
    const found = await overview.read();
    const now = clock.now();
    jobs.reset();
    for (const { kind, state, count } of found.jobs) jobs.set({ kind, state }, count);
    for (const { gauge, value } of gauges) {
      gauge.reset();
      for (const cluster of found.clusters) setUnlessNull(gauge, cluster, value(cluster, now));
    }
    tellCheck(found);
    tellAll(locks, found.locks);
    tellAll(prunes, found.prune);
    for (const { gauge, value } of copies) {
      gauge.reset();
      for (const copy of found.copies ?? []) {
        const read = value(copy, now);
        if (read !== null) gauge.set({ copy: String(copy.number) }, read);
      }
    }
    backups.reset();
    for (const cluster of found.clusters) for (const state of BACKUP_STATES) backups.set({ ...labelsOf(cluster), state }, cluster.backupState === state ? 1 : 0);
    states.reset();
    for (const cluster of found.clusters.filter(({ continuous }) => continuous !== null)) {
      for (const state of STATES) states.set({ ...labelsOf(cluster), state }, cluster.continuous?.state === state ? 1 : 0);
    }
  };
  return {
    contentType: registry.contentType,
    async read() {
      await refresh();
      return registry.metrics();
    },
  };
}

function setUnlessNull(gauge: Gauge<ClusterLabel>, cluster: ClusterOverview, value: number | null): void {
  if (value !== null) gauge.set(labelsOf(cluster), value);
}

function labelsOf({ cluster, projectName }: ClusterOverview): Record<ClusterLabel, string> {
  return { project: projectName, project_id: cluster.projectId, cluster: cluster.name, cluster_id: cluster.id };
}

function secondsOf(date: Date | null): number | null {
  return date === null ? null : date.getTime() / 1000;
}
