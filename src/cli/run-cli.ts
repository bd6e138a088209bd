// `leafvault <command>`: parses, runs one command, turns a failure into a message and an exit code.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CONFIG_ERRORS, flagName, loadConfig, SETTINGS, type Config, type Setting, type SettingName } from '../config/index.ts';
import { describeError, isLeafvaultError } from '../foundation/errors.ts';
import { runChangeJob } from './change-job.ts';
import { runCheck } from './check.ts';
import { runClusters } from './clusters.ts';
import { runComplianceRelease } from './compliance.ts';
import { runCopy } from './copy.ts';
import { runDrill } from './drill.ts';
import { runDrills } from './drills.ts';
import { runDumpCatalog } from './dump-catalog.ts';
import { EXIT_CODES, exitCodeOf } from './errors.ts';
import { runJobs } from './jobs.ts';
import { addKeysCommands } from './keys-commands.ts';
import type { KeepKind, ReadShare } from '../app.ts';
import { runPrune } from './prune.ts';
import { runRescue } from './rescue.ts';
import { printRoles } from './roles.ts';
import { runSchedulePreview } from './schedule.ts';
import { runService } from './serve.ts';
import { runKeep, runLetGo, runSnapshots } from './snapshots.ts';
import { runStatus } from './status.ts';
import { leafvaultVersion } from './version.ts';
import type { CliWorld } from './world.ts';

const HELP_WIDTH = 100;

interface Flags extends Readonly<Record<string, string | boolean | number | ReadShare | undefined>> { readonly readData?: boolean | ReadShare }

const PASSPHRASE_HELP = 'open the repository with a passphrase, asked without echo, in the place of the master key file; environment: LEAFVAULT_PASSPHRASE_FILE names a file that holds it';
const JOBS_SHOWN = 20;
const MOST_JOBS = 1_000;
const DRILLS_SHOWN = 5;
const MOST_DAYS = 3_660;

/** Runs the command of `argv` to its end and gives the exit code. Never throws. */
export async function runCli(world: CliWorld): Promise<number> {
  const outcome = { code: EXIT_CODES.ok.code as number };
  const program = buildProgram(world, outcome);
  try {
    await program.parseAsync([...world.argv], { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
    world.err(failureText(error));
    return exitCodeOf(error);
  }
}

function buildProgram(world: CliWorld, outcome: { code: number }): Command {
  // The same width everywhere: docs/reference/cli.md is made of it.
  const output = { writeOut: world.out, writeErr: world.err, getOutHelpWidth: () => HELP_WIDTH, getErrHelpWidth: () => HELP_WIDTH };
  const program = new Command('leafvault')
    .description('Backup and restore for MongoDB that you run yourself, behind the backup APIs your tools already speak')
    .exitOverride()
    .configureOutput(output)
    .addHelpText('after', exitCodeHelp());
  const command = (name: string, description: string): Command =>
    program.command(name).description(description).exitOverride().configureOutput(output);
  const configured = (name: string, description: string): Command => withSettings(command(name, description));
  const run = (work: (config: Config, flags: Flags) => Promise<number>) => async (flags: Flags): Promise<void> => {
    outcome.code = await work(configOf(world, flags), flags);
  };

  configured('serve', 'answer the APIs, plan and run jobs; stops cleanly on SIGTERM')
    .option('--no-worker', 'answer and plan only; jobs run in `leafvault worker` processes')
    .action(run((config, flags) => runService(world, config, flags.worker === false ? 'door' : 'all')));
  configured('worker', 'run jobs only, beside any number of others on one PostgreSQL')
    .action(run((config) => runService(world, config, 'worker')));
  configured('check', 'prove that the repository is whole; needs the master key, not the catalog')
    .option('--read-data [share]', 'also read, decrypt and verify every stored byte; 3/30: the third of thirty parts, another one each day', readShare)
    .option('--passphrase', PASSPHRASE_HELP)
    .option('--quarantine', 'write down which copies of chunks are damaged, so that the next snapshot stores them anew; else nothing is changed')
    .option('--repair-from <address>', 'move damaged objects to quarantine, and fetch them and missing ones from this second copy')
    .option('--json', 'as a JSON object, with all fields')
    .addHelpText('after', '\nA service checks by itself, with quarantine: see the settings check.everyHours and check.parts; `leafvault status` shows what it found.\n')
    .action(run((config, flags) => runCheck(world, config, {
      readData: flags.readData ?? false, quarantine: flags.quarantine === true, passphrase: flags.passphrase === true, json: flags.json === true,
      repairFrom: typeof flags.repairFrom === 'string' ? flags.repairFrom : null,
    })));
  configured('copy', 'bring second copies of the repository up to date; beside a running service and without one')
    .option('--to <address>', 'file:<folder> or s3://…, empty or a copy of this repository (default: all of repository.copies)')
    .option('--dry-run', 'change nothing, tell what would be copied and taken away')
    .option('--read-data [share]', 'also read back what is in the copy, and put anew what rotted there; 3/30: the third of thirty parts', readShare)
    .option('--promote', 'take the copy in repository.store into use: from then on it is a repository like any other')
    .option('--allow-empty-source', 'go on where the repository has no snapshots and the copy has some')
    .option('--end-sessions-after <hours>', 'also end sessions in the copy of processes on other machines that were opened longer ago', hours)
    .option('--keep-days <days>', 'what went from the repository stays in the copy for so many days (default: repository.copiesKeepDays)', number)
    .option('--limit <megabytes>', 'most megabytes (10^6 bytes) that are sent in a second, on average; 0: no limit (default: repository.copiesLimit)', number)
    .option('--json', 'as a JSON object for each copy, with all fields')
    .addHelpText('after', '\nA service does it by itself. `leafvault check --repository-store <copy>` proves that the copy is whole.\n')
    .action(run((config, flags) => runCopy(world, config, {
      to: typeof flags.to === 'string' ? flags.to : null, dryRun: flags.dryRun === true, promote: flags.promote === true, allowEmptySource: flags.allowEmptySource === true, readData: flags.readData ?? false,
      keepDays: typeof flags.keepDays === 'number' ? flags.keepDays : config.copies.keepDays,
      bytesPerSecond: typeof flags.limit === 'number' ? flags.limit * 1_000_000 : config.copies.bytesPerSecond,
      endSessionsAfterHours: typeof flags.endSessionsAfter === 'number' ? flags.endSessionsAfter : null, json: flags.json === true,
    })));
  withSettings(command('status', 'what workers do with the repository by themselves: checks, prunes, second copies, object lock; how far they are and what they found; changes whose outcome nobody knows'), CATALOG_SETTINGS)
    .option('--json', 'as a JSON object, with all fields')
    .addHelpText('after', '\nIt reads the catalog with the master key and changes nothing. Exit code 3 where something was found.\n')
    .action(run((config, flags) => runStatus(world, config, { json: flags.json === true })));
  configured('prune', 'take away what no snapshot needs any more; beside a running service and without one')
    .option('--dry-run', 'change nothing, tell what would be freed')
    .option('--passphrase', PASSPHRASE_HELP)
    .option('--end-sessions-after <hours>', 'also end sessions of processes on other machines that were opened longer ago', hours)
    .option('--without-catalog', 'do not ask the catalog whether snapshots lost their roots, where it is gone or can not be reached')
    .option('--json', 'as a JSON object, with all fields')
    .addHelpText('after', '\nSessions of dead processes of this machine are ended in any case. A service prunes once a day by itself.\n')
    .action(run((config, flags) => runPrune(world, config, {
      dryRun: flags.dryRun === true, endSessionsAfterHours: typeof flags.endSessionsAfter === 'number' ? flags.endSessionsAfter : null, withoutCatalog: flags.withoutCatalog === true, json: flags.json === true, passphrase: flags.passphrase === true,
    })));
  withSettings(command('clusters', 'the clusters: whether each is backed up, which namespaces of it, and the newest instant that can be restored'), CATALOG_SETTINGS)
    .option('--cluster <name>', 'only those of this name')
    .option('--json', 'as a JSON array, with all fields')
    .addHelpText('after', '\nIt reads the catalog with the master key and changes nothing.\n')
    .action(run((config, flags) => runClusters(world, config, { cluster: text(flags.cluster), json: flags.json === true })));
  const jobs = configured('jobs', 'list the newest jobs: state, progress, why one failed, what a restore kept and warned of')
    .option('--limit <number>', `how many, 1 to ${MOST_JOBS}`, jobLimit, JOBS_SHOWN)
    .option('--cluster <name>', 'only of the clusters of this name')
    .option('--failed', 'only those that failed')
    .option('--json', 'as a JSON array, with all fields')
    .addHelpText('after', '\nWorks beside a running service and without one. It reads the catalog with the master key and changes nothing.\n')
    .action(run((config, flags) => runJobs(world, config, {
      limit: Number(flags.limit), cluster: typeof flags.cluster === 'string' ? flags.cluster : null, failedOnly: flags.failed === true, json: flags.json === true,
    })));
  for (const [change, does] of [
    ['cancel', 'end a job, whatever it is; what it left on a target is cleaned up'],
    ['pause', 'let a snapshot or a restore rest: its worker is free within moments, and nobody takes it until it is resumed'],
    ['resume', 'let a job that rests go on'],
  ] as const) {
    withSettings(jobs.command(change).description(does).exitOverride().configureOutput(output), CATALOG_SETTINGS)
      .argument('<id>', 'as `leafvault jobs` shows it')
      .option('--json', 'the job as a JSON object')
      .action((id: string, _: Flags, asked: Command) => run((config, flags) => runChangeJob(world, config, { id, change, json: flags.json === true }))(asked.optsWithGlobals()));
  }
  withSettings(jobs.command('abandon').description('give up what a restore, or its undo, left on servers that are gone for good').exitOverride().configureOutput(output), CATALOG_SETTINGS)
    .argument('<id>', 'of the job, as `leafvault jobs` shows it')
    .requiredOption('--servers-are-gone', 'say that the servers which it was at work on will never be back: nothing is put back or dropped there by Leafvault any more')
    .option('--json', 'the job as a JSON object')
    .addHelpText('after', '\nFor a cluster that was built anew while a restore was half done, or kept what it had replaced: its end is tried each minute, and the cluster can not be deleted.\nThe cluster has to have the connection string of other servers by now; where the old ones answer, or nobody does, it is refused.\n')
    .action((id: string, _: Flags, asked: Command) => run((config, flags) => runChangeJob(world, config, { id, change: 'abandon', json: flags.json === true }))(asked.optsWithGlobals()));
  configured('drill', 'restore the newest snapshot of a cluster for practice, prove it, take it away again, and tell how long it took')
    .argument('<cluster>', 'its name or id')
    .option('--namespaces <names>', 'only these databases or db.collection, separated by commas (default: as declared for the cluster, else everything)')
    .addOption(new Option('--where <place>', 'scratch databases, or a throw-away mongod (default: as declared for the cluster, else drills.where)').choices(['scratch', 'mongod']))
    .option('--no-wait', 'only ask for it')
    .option('--json', 'as a JSON object, with all fields')
    .addHelpText('after', '\nA running service or worker does it; exit code 0 says that the snapshot was proven. Ctrl-C ends the waiting, not the drill.\nA service drills by itself: see the settings drills.everyHours and drills.at, and docs/guides/drills.md\n')
    .action((cluster: string, flags: Flags) => run((config) => runDrill(world, config, {
      cluster, namespaces: text(flags.namespaces)?.split(',').map((each) => each.trim()).filter(Boolean) ?? null,
      where: flags.where === 'scratch' || flags.where === 'mongod' ? flags.where : null, wait: flags.wait !== false, json: flags.json === true,
    }))(flags));
  configured('drills', 'of each cluster: when it was last proven, the expected recovery time, the next drill, and the newest drills')
    .option('--limit <number>', `how many of each cluster, 1 to ${MOST_JOBS}`, jobLimit, DRILLS_SHOWN)
    .option('--cluster <name>', 'only of the clusters of this name')
    .option('--json', 'as a JSON array, with all fields')
    .action(run((config, flags) => runDrills(world, config, { limit: Number(flags.limit), cluster: text(flags.cluster), json: flags.json === true })));
  const schedule = command('schedule', 'backup schedules of the clusters');
  withSettings(schedule.command('preview').description('what the schedules would take from now on, and until when it is kept').exitOverride().configureOutput(output), CATALOG_SETTINGS)
    .option('--cluster <name>', 'only of the clusters of this name')
    .option('--days <number>', `how far, 1 to ${MOST_DAYS}`, previewDays, 30)
    .option('--limit <number>', `runs of each cluster, 1 to ${MOST_JOBS}`, jobLimit, 100)
    .option('--json', 'as a JSON array, with all fields')
    .addHelpText('after', '\nIt reads the catalog with the master key and changes nothing; the times are those that the workers keep.\n')
    .action(run((config, flags) => runSchedulePreview(world, config, { cluster: text(flags.cluster), days: Number(flags.days), limit: Number(flags.limit), json: flags.json === true })));
  const snapshots = command('snapshots', 'the snapshots of the clusters, and what keeps them beyond their retention');
  const onSnapshot = (name: string, description: string): Command => withSettings(snapshots.command(name).description(description).exitOverride().configureOutput(output), KEYS_SETTINGS)
    .argument('<id>', 'as `leafvault snapshots list` shows it').option('--json', 'the snapshot as a JSON object');
  const keep = (kind: KeepKind) => (id: string, flags: Flags): Promise<void> => run((config) => runKeep(world, config, { id, kind, reason: text(flags.reason), json: flags.json === true }))(flags);
  const letGo = (kind: KeepKind) => (id: string, flags: Flags): Promise<void> => run((config) => runLetGo(world, config, { id, kind, json: flags.json === true }))(flags);
  withSettings(snapshots.command('list').description('the newest snapshots of each cluster: state, end, pins and holds').exitOverride().configureOutput(output), KEYS_SETTINGS)
    .option('--limit <number>', `how many of each cluster, 1 to ${MOST_JOBS}`, jobLimit, JOBS_SHOWN)
    .option('--cluster <name>', 'only of the clusters of this name')
    .option('--json', 'as a JSON array, with all fields')
    .action(run((config, flags) => runSnapshots(world, config, { limit: Number(flags.limit), cluster: text(flags.cluster), json: flags.json === true })));
  onSnapshot('pin', 'keep a snapshot until it is unpinned, whatever its retention says').option('--reason <text>', 'why, for people').action(keep('pin'));
  onSnapshot('unpin', 'let the retention of a snapshot count again; a day is left at least').action(letGo('pin'));
  onSnapshot('hold', 'put a hold on a snapshot: nobody deletes it before an owner of the project releases it').requiredOption('--reason <text>', 'why').action(keep('hold'));
  onSnapshot('release', 'release the hold on a snapshot; a day is left at least').action(letGo('hold'));
  const compliance = command('compliance', 'backup compliance policies of the projects');
  withSettings(compliance.command('release').description('let an owner remove the policy of a project, which no API can').exitOverride().configureOutput(output), KEYS_SETTINGS)
    .argument('<project>', 'its id')
    .requiredOption('--email <address>', 'the authorizedEmail of the policy')
    .addHelpText('after', '\nWhile a project has a policy nothing of it is shortened or deleted: docs/guides/compliance.md\n')
    .action((project: string, flags: Flags) => run((config) => runComplianceRelease(world, config, { project, email: text(flags.email) ?? '' }))(flags));
  configured('rescue', 'bring an installation back on an empty machine, from the store and the master key')
    .option('--store <address>', 'the same as --repository-store')
    .option('--key <file>', 'file of the master key, or of the recovery key; - asks for it (default: the one of --master-key-file)')
    .option('--list', 'show the dumps of the catalog that the repository holds, and end')
    .option('--dump <id>', 'this dump instead of the newest')
    .option('--without-dump', 'rebuild from the snapshots alone')
    .option('--dry-run', 'change nothing, tell what would come back and what is in the way')
    .option('--json', 'as a JSON object, with all fields; a fresh API key is in it')
    .addHelpText('after', '\nHome and database have to be empty: nothing is written over. A rescue that was broken off is begun anew by the same command.\n')
    .action(run((config, flags) => runRescue(world, config, {
      key: text(flags.key), list: flags.list === true, dryRun: flags.dryRun === true, dumpId: text(flags.dump), withoutDump: flags.withoutDump === true, json: flags.json === true,
    })));
  configured('dump-catalog', 'put a sealed dump of the catalog into the repository now; a service does it once a day')
    .option('--json', 'as a JSON object')
    .action(run((config, flags) => runDumpCatalog(world, config, { json: flags.json === true })));
  addKeysCommands(world, command('keys', 'what opens the repository: list, test, rotate, passphrases, recovery kit'), {
    command: (parent, name, description) => withSettings(parent.command(name).description(description).exitOverride().configureOutput(output), KEYS_SETTINGS),
    configOf: (flags) => configOf(world, flags as Flags),
    setCode: (code) => { outcome.code = code; },
  });
  command('roles', 'print the two createRole commands that a backup and a restore need on a cluster')
    .option('--json', 'as a JSON array of command documents')
    .action((flags: Flags) => printRoles(world, { json: flags.json === true }));
  command('version', 'print the version').action(() => world.out(`leafvault ${leafvaultVersion().text}\n`));
  return program;
}

/** What the keys rest on; the rest would only fill their help. */
const KEYS_SETTINGS: readonly SettingName[] = ['home', 'database', 'repositoryStore', 'masterKeyFile', 'logLevel'];

/** What the catalog rests on, and what a preview asks of a schedule. */
const CATALOG_SETTINGS: readonly SettingName[] = ['home', 'database', 'repositoryStore', 'masterKeyFile', 'schedulesCatchUp', 'logLevel'];

function withSettings(command: Command, names: readonly SettingName[] = Object.keys(SETTINGS) as SettingName[]): Command {
  command.option('--config <path>', 'settings file (default: leafvault.yaml in the current folder where there is one; environment: LEAFVAULT_CONFIG)');
  for (const name of names) {
    const setting: Setting = SETTINGS[name];
    const refused = setting.secret === true ? '; a password is refused here, since flags show in the process list' : '';
    command.option(setting.flag, `${setting.help}${refused} (default: ${setting.defaultText ?? String(setting.default)}; environment: ${setting.env})`);
  }
  return command;
}

function configOf(world: CliWorld, flags: Flags): Config {
  const given: Partial<Record<SettingName, string>> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const value = flags[camelCase(flagName(setting))];
    if (typeof value === 'string') given[name] = value;
  }
  if (typeof flags.store === 'string') given.repositoryStore ??= flags.store;
  return loadConfig({ flags: given, env: world.env, cwd: world.cwd, configFile: typeof flags.config === 'string' ? flags.config : undefined, readFile: world.readFile });
}

function text(flag: Flags[string]): string | null {
  return typeof flag === 'string' ? flag : null;
}

function jobLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MOST_JOBS) throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_JOBS}.`);
  return limit;
}

function previewDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MOST_DAYS) throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_DAYS}.`);
  return days;
}

function readShare(text: string): ReadShare {
  const [, part = 0, of = 0] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (part < 1 || part > of) throw new InvalidArgumentError('It must be a part of parts, as 3/30: the third of thirty.');
  return { part, of };
}

function number(text: string): number {
  if (!/^\d{1,6}(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It must be a number.');
  return Number(text);
}

function hours(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of hours.');
  return Number(text);
}

/** As commander names an option's value: `listen-port` -> `listenPort`. */
function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function failureText(error: unknown): string {
  const hint = isLeafvaultError(error) && error.hint !== undefined ? `HINT: ${error.hint}\n` : '';
  const isForPeople = isLeafvaultError(error) && error.code in CONFIG_ERRORS;
  const unexpected = isLeafvaultError(error) || !(error instanceof Error) ? '' : `${error.stack ?? ''}\n`;
  return `${isForPeople && error.cause === undefined ? (error as Error).message : describeError(error)}\n${hint}${unexpected}`;
}

function exitCodeHelp(): string {
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`);
  return `\nExit codes:\n${rows.join('\n')}\n`;
}
