// `leafvault jobs`: what was done, what is being done, and why something failed, read from the catalog.
import { openCatalogOf } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { clustersNamed } from './clusters-named.ts';
import { EXIT_CODES } from './errors.ts';
import { plain, secondsText, tableText } from './text-table.ts';
import type { CliWorld } from './world.ts';

export interface JobsOptions {
  readonly limit: number;
  /** Only of the clusters of this name, whatever their project; null: of all. */
  readonly cluster: string | null;
  readonly failedOnly: boolean;
  readonly json: boolean;
}

type Catalog = Awaited<ReturnType<typeof openCatalogOf>>;
type Job = Awaited<ReturnType<Catalog['jobs']['newest']>>[number];

/** What `--json` prints of a job. */
interface JobReport extends Job {
  readonly cluster: string;
  /** Of a finished restore, else empty: what it moved aside and left on the target. */
  readonly kept: readonly string[];
  /** It is over, and what it left on its target is not: every worker tries to end that each minute. */
  readonly isLeftOpen: boolean;
}

/** Newest first. @throws CLI_CLUSTER_UNKNOWN, what keeps the catalog from being opened */
export async function runJobs(world: CliWorld, config: Config, options: JobsOptions): Promise<number> {
  const catalog = await openCatalogOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    const reports = await readReports(catalog, options);
    if (options.json) world.out(`${JSON.stringify(reports, null, 2)}\n`);
    else world.out(reports.length === 0 ? nothing(options) : tableOf(reports));
    return EXIT_CODES.ok.code;
  } finally {
    await catalog.close();
  }
}

async function readReports(catalog: Catalog, { limit, cluster, failedOnly }: JobsOptions): Promise<readonly JobReport[]> {
  const names = new Map((await catalog.clusters.ofProjects(null)).map(({ id, name }) => [id, name]));
  const chosen = cluster === null ? undefined : (await clustersNamed(catalog, cluster, 'Listing the jobs')).map(({ id }) => id);
  const jobs = await catalog.jobs.newest({ ...(chosen === undefined ? {} : { clusterIds: chosen }), failed: failedOnly }, limit);
  const open = await catalog.restorePlans.openAmong(jobs.flatMap(({ restoreId }) => restoreId ?? []));
  return Promise.all(jobs.map(async (job) => {
    const result = job.kind === 'restore' && job.restoreId !== null && job.state === 'completed' ? await catalog.restores.result(job.restoreId) : null;
    const isLeftOpen = !['queued', 'running'].includes(job.state) && open.has(job.restoreId ?? '');
    return { ...job, isLeftOpen, cluster: names.get(job.clusterId) ?? job.clusterId, kept: textsOf(result?.movedAside), warnings: [...(job.warnings.length > 0 ? job.warnings : textsOf(result?.warnings)), ...missingIndexes(result)] };
  }));
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Indexes that the target refused. */
function missingIndexes(result: Awaited<ReturnType<Catalog['restores']['result']>>): readonly string[] {
  const collections = (result?.collections ?? []) as readonly { readonly to: string; readonly failedIndexes?: readonly { readonly name: string; readonly reason: string }[] }[];
  return collections.flatMap(({ to, failedIndexes = [] }) => failedIndexes.map(({ name, reason }) => `index ${JSON.stringify(name)} of ${to} was not built: ${reason}`));
}

function nothing({ cluster, failedOnly }: JobsOptions): string {
  const of = cluster === null ? '' : ` of cluster ${plain(cluster)}`;
  if (failedOnly) return `No job${of} has failed.\n`;
  return `There are no jobs${of} yet. A snapshot or a restore that is asked for at one of the APIs is a job.\n`;
}

const TITLES = ['ID', 'KIND', 'CLUSTER', 'STATE', 'WHEN', 'PROGRESS'];

function tableOf(reports: readonly JobReport[]): string {
  const rows = [TITLES, ...reports.map((job) => [job.id, job.kind, job.cluster, job.state === 'queued' && job.pausedAt !== null ? 'paused' : job.state, whenOf(job), progressOf(job)])];
  return tableText(rows, (at) => notesOf(reports[at]));
}

/** Lines below a job: its cause, what can be done, what a restore left. */
function notesOf(job: JobReport | undefined): readonly string[] {
  if (job === undefined) return [];
  const cause = [job.errorCode, job.errorMessage].filter((each) => each !== null).join(': ');
  return [
    ...(cause === '' ? [] : [`  ${plain(cause)}`]),
    ...(job.errorHint === null ? [] : [`  HINT: ${plain(job.errorHint)}`]),
    ...(job.isLeftOpen ? ['  OPEN: what it left on its target is not ended yet; workers try it each minute, and their log says what keeps them from it'] : []),
    ...job.kept.map((name) => `  kept: ${plain(name)}`),
    ...job.warnings.map((warning) => `  WARNING: ${plain(warning)}`),
  ];
}

function whenOf({ createdAt, startedAt, finishedAt }: Job): string {
  const began = startedAt ?? createdAt;
  if (finishedAt === null) return secondsText(began);
  const seconds = Math.max(0, Math.round((finishedAt.getTime() - began.getTime()) / 1_000));
  return `${secondsText(began)}, ${seconds} s`;
}

function progressOf({ state, phase, documentsDone, bytesDone, bytesTotal }: Job): string {
  const done = `${documentsDone.toLocaleString('en')} documents, ${(bytesDone / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;
  if (state === 'completed') return done;
  if (phase === null) return '';
  const percent = bytesTotal !== null && bytesTotal > 0 ? ` ${Math.min(99, Math.floor((100 * bytesDone) / bytesTotal))} %,` : '';
  return `${phase}:${percent} ${done}`;
}
