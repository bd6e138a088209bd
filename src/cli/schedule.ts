// `leafvault schedule preview`: what the backup schedules would do from now on, by the code that does it.
import { openCatalogOf, previewClusterSchedule } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { clustersNamed } from './clusters-named.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

export interface PreviewFlags {
  /** Of the clusters of this name, whatever their project; null: of all. */
  readonly cluster: string | null;
  /** From now on. */
  readonly days: number;
  /** Runs of each cluster at most. */
  readonly limit: number;
  readonly json: boolean;
}

const DAY_MS = 86_400_000;

/** @throws CLI_CLUSTER_UNKNOWN, what keeps the catalog from being opened */
export async function runSchedulePreview(world: CliWorld, config: Config, { cluster, days, limit, json }: PreviewFlags): Promise<number> {
  const catalog = await openCatalogOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    const chosen = await clustersNamed(catalog, cluster, 'Previewing the schedule');
    const until = new Date(systemClock.now().getTime() + days * DAY_MS);
    const range = { until, limit, clock: systemClock, ...config.schedules };
    const reports = await Promise.all(chosen.map(async (each) => ({ cluster: each.name, projectId: each.projectId, ...(await previewClusterSchedule(catalog, each, range)) })));
    world.out(json ? `${JSON.stringify(reports, null, 2)}\n` : reports.map(textOf).join('\n') || 'There is no cluster yet.\n');
    return EXIT_CODES.ok.code;
  } finally {
    await catalog.close();
  }
}

type Report = { readonly cluster: string } & Awaited<ReturnType<typeof previewClusterSchedule>>;

function textOf({ cluster, runs, isCut }: Report): string {
  if (runs.length === 0) return `${cluster}: nothing is taken in this time\n`;
  const lines = runs.map(({ at, frequencyType, expiresAt, missed }) => `  ${seconds(at)}  ${frequencyType.padEnd(7)}  kept until ${seconds(expiresAt)}${missed === 0 ? '' : `, stands for ${missed} missed times`}`);
  return [`${cluster}:`, ...lines, ...(isCut ? ['  … there are more: --limit'] : [])].map((line) => `${line}\n`).join('');
}

function seconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
