// `leafvault rescue`: brings an installation back from a store and a key; `--list` and `--dry-run` only look.
import { findDumps, masterKeyFrom, planRescue, rescue, type FoundDump, type RescuePlan, type RescueReport } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { createLogger } from '../foundation/logger.ts';
import { askSecret } from './ask-secret.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

export interface RescueFlags {
  /** File, or `-`: asked for. null: the file that a start reads. */
  readonly key: string | null;
  readonly list: boolean;
  readonly dryRun: boolean;
  readonly dumpId: string | null;
  readonly withoutDump: boolean;
  readonly json: boolean;
}

export async function runRescue(world: CliWorld, config: Config, flags: RescueFlags): Promise<number> {
  const { dumpId, withoutDump, json } = flags;
  const parts = { config, masterKey: await readKey(world, config, flags.key), clock: systemClock, log: createLogger(config.logLevel) };
  const choice = { dumpId, withoutDump, signal: world.stop, onStep: (words: string) => void (json ? null : world.err(`${words}\n`)) };
  if (flags.list) {
    const found = await findDumps(parts);
    world.out(json ? `${JSON.stringify(found, null, 2)}\n` : listOf(found.dumps));
    for (const reason of found.unreadable) world.err(`WARNING: ${reason}\n`);
    return found.unreadable.length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.damaged.code;
  }
  if (flags.dryRun) {
    const plan = await planRescue(parts, choice);
    world.out(json ? `${JSON.stringify(plan, null, 2)}\n` : describePlan(plan));
    return plan.inTheWay.length > 0 ? EXIT_CODES.catalog.code : EXIT_CODES.ok.code;
  }
  const report = await rescue(parts, choice);
  world.out(json ? `${JSON.stringify(report, null, 2)}\n` : describe(report, config));
  return EXIT_CODES.ok.code;
}

async function readKey(world: CliWorld, config: Config, key: string | null): Promise<Uint8Array> {
  if (key === '-') return masterKeyFrom(await askSecret(world, 'Recovery key (LV1-…): ', 'recovery key'));
  const path = key ?? config.masterKeyFile;
  let text: string;
  try {
    text = world.readFile(path);
  } catch (cause) {
    throw new LeafvaultError('CLI_KEY_UNREADABLE', `Reading the master key ${path} failed`, { cause, hint: 'Name the file with --key, or give the recovery key from paper with --key -' });
  }
  return masterKeyFrom(text);
}

function listOf(dumps: readonly FoundDump[]): string {
  if (dumps.length === 0) return 'There is no dump of the catalog in this repository; `leafvault rescue` rebuilds from the snapshots.\n';
  const rows = dumps.map(({ id, createdAt, storedBytes, body }) => [id, createdAt.replace(/\.\d+Z$/, 'Z'), `${(storedBytes / 1024).toFixed(1)} KiB`, body?.migrations.at(-1) ?? 'unknown', body?.reason ?? 'unknown']);
  return table([['ID', 'WHEN', 'SIZE', 'TABLES', 'WHY'], ...rows]);
}

function describePlan({ dump, inTheWay, snapshotsInStore, chainsInStore, unreadable }: RescuePlan): string {
  const tables = Object.entries(dump?.body?.tables ?? {}).filter(([, rows]) => rows > 0).map(([name, rows]) => [`  ${name.replaceAll('_', ' ')}`, String(rows)]);
  return [
    dump === null ? 'There is no dump to use: it would be rebuilt from the snapshots.\n' : `The dump ${dump.id} of ${dump.createdAt} opens and adds up. It holds:\n${table(tables)}`,
    `The store holds ${snapshotsInStore} snapshots and ${chainsInStore} chains of oplog, which count where the dump says otherwise.\n`,
    ...unreadable.map((reason) => `Cannot be read: ${reason}\n`),
    inTheWay.length === 0 ? 'Nothing is in the way. Nothing was changed.\n' : `It would be refused: the catalog holds ${inTheWay.join(', ')}. Nothing was changed.\n`,
  ].join('');
}

function describe(report: RescueReport, config: Config): string {
  const { dump, totals, added, gone, deleted, moved, chains, failedJobs, waiting, freshKeys, notes, loaded } = report;
  const came = [
    ['organizations', totals.organizations], ['projects', totals.projects], ['clusters', totals.clusters], ['API keys', totals.apiKeys], ['users', totals.users],
    ['service accounts', loaded['service_accounts'] ?? 0], ['snapshots', totals.snapshots], ['chains of oplog', chains.total], ['restores', loaded['restores'] ?? 0],
  ] as const;
  const differs = [
    ...counted(added, 'snapshots are newer than the dump and were added from the store'), ...counted(deleted, 'snapshots had been deleted since'),
    ...counted(gone, 'snapshots are no longer in the store and are marked as deleted'), ...counted(moved, 'snapshots have another expiry since'),
    ...(failedJobs === 0 ? [] : [`${failedJobs} jobs that were queued or running have failed with the cause JOBS_CATALOG_RESCUED`]),
  ];
  return [
    '', dump === null ? 'Rebuilt from the snapshots, without a dump of the catalog.' : `Rescued from the dump ${dump.id} of ${dump.createdAt}.`, '',
    table(came.map(([name, count]) => [`  ${name}`, String(count)])),
    ...(dump === null || differs.length === 0 ? [] : ['Since the dump:', ...differs.map((line) => `  ${line}`), '']),
    ...(dump === null ? ['Not to be had without a dump: users, API keys, roles, connection strings, restores and jobs.', ''] : []),
    ...(notes.length === 0 ? [] : ['What is left:', ...notes.map((note) => `  ${note}`), '']),
    ...freshKeys.flatMap(({ organization, publicKey, privateKey }) => [`API key of ${organization.name}, shown once:`, '', `  public key    ${publicKey}`, `  private key   ${privateKey}`, '']),
    'Next:',
    ...(waiting.length === 0 ? [] : [
      ...waiting.map((name) => `  - give the connection string of ${name} again`), `    (uri below its name and project in leafvault.yaml, with its id; or LEAFVAULT_SOURCE_URI for the only one)`,
    ]),
    '  - see to it that the old machine does not run any more',
    `  - start: leafvault serve${config.file === null ? '' : ` --config ${config.file}`} --home ${config.home} --repository-store '${config.repositoryStore}'`,
    '  - restore a snapshot to a scratch name, to see that it works', '', '',
  ].join('\n');
}

function counted(ids: readonly string[], words: string): string[] {
  return ids.length === 0 ? [] : [`${ids.length} ${words}`];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
}
