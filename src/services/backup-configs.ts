// Whether a cluster is backed up, and what of it: states and filters as docs/design/backup-states.md has them.
import type { CatalogStore, CatalogTransaction, ScheduleRecord } from '../catalog/index.ts';
import { shownState, type BackupState } from '../domain/backup-state.ts';
import { forbidFilter, forbidStopping } from '../domain/compliance.ts';
import { takesEverything, type NamespaceFilter } from '../domain/namespace-selection.ts';
import { freshProgress } from '../domain/plan-run.ts';
import type { Cluster } from '../domain/records.ts';
import { emptySchedule } from '../domain/schedule.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { FoundServer } from './administration-contracts.ts';
import type { BackupConfig, BackupConfigs } from './backup-config-contracts.ts';
import { loginOf } from './cluster-address.ts';
import type { Snapshots } from './contracts.ts';
import { deleteSnapshots } from './delete-snapshots.ts';
import { holdCluster } from './hold-cluster.ts';
import { firstSchedule } from './make-cluster.ts';
import { checkSelection } from './restore-selection.ts';

export interface BackupConfigsOptions {
  readonly catalog: Pick<CatalogStore, 'clusters' | 'schedules' | 'snapshots' | 'transaction'>;
  readonly clock: Clock;
  readonly snapshots: Pick<Snapshots, 'delete'>;
  readonly probe: (uri: string) => Promise<FoundServer>;
}

type Wanted = NonNullable<Parameters<BackupConfigs['change']>[0]['state']>;

/** From where each can be asked for. Terminating goes on where it broke off. */
const FROM: Readonly<Record<Wanted, readonly BackupState[]>> = { started: ['inactive', 'stopped'], stopped: ['started'], terminating: ['stopped', 'terminating'] };

export function createBackupConfigs(options: BackupConfigsOptions): BackupConfigs {
  const { catalog, clock } = options;
  const stateOf = async (cluster: Cluster): Promise<BackupState> => shownState(cluster, await isScheduled(catalog, cluster));
  const get = async (cluster: Cluster): Promise<BackupConfig> => {
    const [state, uri] = [await stateOf(cluster), await catalog.clusters.uriOf(cluster.id)];
    return { cluster, state, filter: cluster.namespaceFilter, connection: uri === null ? null : loginOf(uri) };
  };
  return {
    get, stateOf,
    requireStep: async (cluster, to) => requireStep(cluster, await stateOf(cluster), to),
    async change({ cluster, principal, state, filter }) {
      const checked = filter == null ? filter : checkedFilter(filter);
      if (state === 'started' && cluster.mongodbVersion === null) await learn(options, cluster);
      await catalog.transaction(async (tx) => {
        const policy = await tx.compliance.hold(cluster.projectId);
        // First the schedule, then the cluster, like whoever follows or changes the one: nothing is asked for by what was there before.
        if (state === 'started') await tx.schedules.insert({ schedule: emptySchedule(cluster.id, cluster.createdAt), progress: freshProgress(clock.now()) });
        const schedule = await tx.schedules.hold(cluster.id, { wait: true });
        const held = await holdCluster(tx, cluster);
        if (checked !== undefined) {
          if (checked !== null) forbidFilter(policy, held.name);
          await tx.clusters.setNamespaceFilter(held.id, checked);
        }
        if (state === undefined) return;
        requireStep(held, shownState(held, await isScheduled(tx, held)), state);
        if (state !== 'started') forbidStopping(policy, held.name);
        else await begin(tx, clock, held, schedule);
        await tx.clusters.setBackupState(held.id, state);
      });
      if (state === 'terminating') await terminate(options, cluster, principal);
      return get((await catalog.clusters.get(cluster.id)) ?? cluster);
    },
  };
}

/** Whether there is an oplog to follow is not known of a cluster that nobody has asked yet. One that does not answer is started all the same. */
async function learn({ catalog, probe }: BackupConfigsOptions, { id }: Cluster): Promise<void> {
  const uri = await catalog.clusters.uriOf(id);
  const found = uri === null ? null : await probe(uri).catch(() => null);
  if (found !== null) await catalog.clusters.learn(id, { replicaSetName: found.replicaSetName, mongodbVersion: found.version });
}

/** From now on; due times of before are nobody's any more. */
async function begin(tx: CatalogTransaction, clock: Clock, cluster: Cluster, record: ScheduleRecord | null): Promise<void> {
  const isInactive = cluster.backupState !== 'stopped';
  if (record !== null && (record.schedule.items.length > 0 || !isInactive)) await tx.schedules.save({ schedule: record.schedule, progress: freshProgress(clock.now()) });
  else await firstSchedule({ catalog: tx, clock }, cluster.id, { policy: await tx.compliance.hold(cluster.projectId), scheduled: true });
  // What is no replica set has no oplog to follow.
  if (cluster.replicaSetName !== null) await tx.clusters.setContinuousBackup(cluster.id, true);
}

async function terminate(options: BackupConfigsOptions, cluster: Cluster, principal: Parameters<BackupConfigs['change']>[0]['principal']): Promise<void> {
  await deleteSnapshots(options, { cluster, unfinishedOnly: false, principal });
  await options.catalog.transaction(async (tx) => {
    const held = await holdCluster(tx, cluster);
    // Somebody may have started it again, or made a policy that does.
    if (held.backupState === 'terminating') await tx.clusters.setBackupState(held.id, 'inactive');
  });
}

function requireStep({ name }: Cluster, from: BackupState, to: Wanted): void {
  if (FROM[to].includes(from)) return;
  throw new LeafvaultError('BACKUP_STATE_INVALID', `Changing the backups of cluster ${name} to ${to} was refused: they are ${from}`, { details: { from, to, name }, hint: `From ${from} they can't become ${to}` });
}

async function isScheduled({ schedules }: Pick<CatalogTransaction, 'schedules'>, { id }: Cluster): Promise<Parameters<typeof shownState>[1]> {
  return { isScheduled: ((await schedules.get(id))?.schedule.items.length ?? 0) > 0 };
}

/** Each name once; a filter that names nothing is none. @throws SELECTION_INVALID */
function checkedFilter({ kind, ...lists }: NamespaceFilter): NamespaceFilter | null {
  const { databases, collections } = checkSelection({ ...lists, renames: [] });
  const filter = { kind, databases: [...new Set(databases)], collections: [...new Set(collections)] };
  return takesEverything(filter) ? null : filter;
}
