// `leafvault clusters`: whether each cluster is backed up, what of it, and up to when it could be brought back.
import { createOverview, openCatalogOf } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { clustersNamed } from './clusters-named.ts';
import { EXIT_CODES } from './errors.ts';
import { secondsText, tableText } from './text-table.ts';
import type { CliWorld } from './world.ts';

export interface ClustersFlags {
  /** Only those of this name; null: all. */
  readonly cluster: string | null;
  readonly json: boolean;
}

type Told = Awaited<ReturnType<ReturnType<typeof createOverview>['read']>>['clusters'][number];
type Filter = Told['cluster']['namespaceFilter'];

const TITLES = ['ID', 'CLUSTER', 'PROJECT', 'BACKUPS', 'NAMESPACES', 'CONTINUOUS', 'SNAPSHOTS', 'RECOVERY POINT'];
const NAMES_SHOWN = 20;

/** @throws CLI_CLUSTER_UNKNOWN, what keeps the catalog from being opened */
export async function runClusters(world: CliWorld, config: Config, { cluster, json }: ClustersFlags): Promise<number> {
  const catalog = await openCatalogOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    const chosen = new Set((await clustersNamed(catalog, cluster, 'Listing the clusters')).map(({ id }) => id));
    const told = (await createOverview({ catalog, clock: systemClock }).read()).clusters.filter((each) => chosen.has(each.cluster.id));
    if (json) world.out(`${JSON.stringify(told.map(jsonOf), null, 2)}\n`);
    else world.out(told.length === 0 ? 'There is no cluster yet.\n' : tableText([TITLES, ...told.map(rowOf)], (at) => namesOf(told[at]?.cluster.namespaceFilter ?? null)));
    return EXIT_CODES.ok.code;
  } finally {
    await catalog.close();
  }
}

function jsonOf({ cluster, projectName, backupState, continuous, snapshots, storageSizeBytes, dataSizeBytes, recoveryPointAt }: Told): object {
  const { id, projectId, name, hosts, replicaSetName, mongodbVersion, namespaceFilter, continuousBackup, lastSuccessAt, lastProvenAt } = cluster;
  return {
    id, name, projectId, projectName, hosts, replicaSetName, mongodbVersion, backups: { state: backupState, filter: namespaceFilter },
    continuous: { isOn: continuousBackup, state: continuous?.state ?? 'off' }, snapshots, storageSizeBytes, dataSizeBytes, recoveryPointAt, lastSuccessAt, lastProvenAt,
  };
}

function rowOf({ cluster, projectName, backupState, continuous, snapshots, recoveryPointAt }: Told): readonly string[] {
  return [
    cluster.id, cluster.name, projectName, backupState, takenText(cluster.namespaceFilter), continuous?.state ?? 'off', String(snapshots), recoveryPointAt === null ? '' : secondsText(recoveryPointAt),
  ];
}

function takenText(filter: Filter): string {
  if (filter === null) return 'everything';
  const count = filter.databases.length + filter.collections.length;
  return `${filter.kind === 'included' ? 'only' : 'all but'} ${count} ${count === 1 ? 'name' : 'names'}`;
}

/** A line below a cluster that has a filter. */
function namesOf(filter: Filter): readonly string[] {
  if (filter === null) return [];
  const names = [...filter.databases, ...filter.collections];
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return [`  ${filter.kind === 'included' ? 'only' : 'not'} ${names.slice(0, NAMES_SHOWN).join(', ')}${more}`];
}
