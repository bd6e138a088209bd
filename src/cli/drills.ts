// `leafvault drills`: whether each cluster could be brought back, how long it would take, and the newest drills.
import { openDrillsOf } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { causeOf, recoveryText, timeText } from './drill-text.ts';
import { clustersNamed } from './clusters-named.ts';
import { EXIT_CODES } from './errors.ts';
import { plain, secondsText, tableText } from './text-table.ts';
import type { CliWorld } from './world.ts';

export interface DrillsFlags {
  /** Of each cluster. */
  readonly limit: number;
  /** Only of the clusters of this name; null: of all. */
  readonly cluster: string | null;
  readonly json: boolean;
}

const TITLES = ['ID', 'STATE', 'WHERE', 'WHEN', 'SNAPSHOT', 'PHASES'];

/** @throws CLI_CLUSTER_UNKNOWN, what keeps the catalog from being opened */
export async function runDrills(world: CliWorld, config: Config, { limit, cluster, json }: DrillsFlags): Promise<number> {
  const { catalog, drills, close } = await openDrillsOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    const chosen = await clustersNamed(catalog, cluster, 'Listing the drills');
    const reports = [];
    for (const each of chosen) reports.push({ cluster: each, recovery: await drills.recovery(each), drills: (await drills.list(each.id, { pageNumber: 1, itemsPerPage: limit })).items });
    if (json) world.out(`${JSON.stringify(reports, null, 2)}\n`);
    else for (const report of reports) world.out(textOf(report));
    if (!json && reports.length === 0) world.out('There is no cluster yet\n');
    return EXIT_CODES.ok.code;
  } finally {
    await close();
  }
}

type Opened = Awaited<ReturnType<typeof openDrillsOf>>;
interface Report {
  readonly cluster: Awaited<ReturnType<Opened['catalog']['clusters']['ofProjects']>>[number];
  readonly recovery: Awaited<ReturnType<Opened['drills']['recovery']>>;
  readonly drills: readonly Awaited<ReturnType<Opened['drills']['get']>>[];
}

function textOf({ cluster, recovery, drills }: Report): string {
  const head = `${plain(cluster.name)}: ${recovery.lastDrill?.state === 'failed' ? 'THE LAST DRILL FAILED; ' : ''}${recoveryText(recovery)}\n`;
  if (drills.length === 0) return head;
  const rows = drills.map((each) => [
    each.id, each.state === 'completed' ? 'proven' : each.state, each.place, secondsText(each.startedAt ?? each.createdAt), each.snapshotId, each.phases.map(({ phase, ms }) => `${phase} ${timeText(ms)}`).join(', '),
  ]);
  return head + tableText([TITLES, ...rows], (at) => causeOf(drills[at] ?? raise()));
}

function raise(): never {
  throw new TypeError('A row without a drill');
}
