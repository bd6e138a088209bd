// Flags over LEAFVAULT_* environment over leafvault.yaml over defaults; all mistakes are told at once.
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { z } from 'zod';
import { LeafvaultError } from '../foundation/errors.ts';
import { deepFreeze, type Config } from './config.ts';
import { declaredSchema, type DeclaredOrganization } from './declared.ts';
import { exportTargetsSchema, type ExportTarget } from './export-targets.ts';
import { nearest } from './nearest.ts';
import { isSecretReference, secretReader, type SecretReader } from './secrets.ts';
import { parseSettingsFile, type SettingsFile } from './settings-file.ts';
import { withStoreOptions } from './store-address.ts';
import { SETTINGS, type Setting, type SettingName, type SettingValues } from './settings.ts';

export interface ConfigSources {
  /** Values of flags by setting name; absent: not given. */
  readonly flags: Readonly<Partial<Record<SettingName, string>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `--config`; without it LEAFVAULT_CONFIG, then leafvault.yaml in the current folder where there is one. */
  readonly configFile?: string | undefined;
  /** Text of a file. @throws with `code` ENOENT when there is none */
  readonly readFile: (path: string) => string;
}

export interface Mistake {
  /** `leafvault.yaml line 3`, `LEAFVAULT_LISTEN_PORT`, `--listen-port`. */
  readonly source: string;
  readonly path: string;
  readonly message: string;
}

const DEFAULT_FILE = 'leafvault.yaml';
/** Variables of the command line and of the tests, which are no settings. */
const FOREIGN_VARIABLES = ['LEAFVAULT_CONFIG', 'LEAFVAULT_PASSPHRASE_FILE', 'LEAFVAULT_MONGOD', 'LEAFVAULT_LONG_TESTS', 'LEAFVAULT_TEST_DATABASE_URL'];

/** @throws LeafvaultError CONFIG_INVALID with `details.mistakes`; CONFIG_FILE_UNREADABLE */
export function loadConfig(sources: ConfigSources): Config {
  const file = readSettingsFile(sources);
  const folder = file === null ? sources.cwd : dirname(file.path);
  const readFrom = secretReader({ env: sources.env, folder, readFile: sources.readFile });
  const referredTo = new Set<string>();
  const readSecret: SecretReader = (reference) => {
    if ('env' in reference) referredTo.add(reference.env);
    return readFrom(reference);
  };
  const mistakes: Mistake[] = [...fileMistakes(file)];
  const values = readValues(sources, file, readSecret, mistakes);
  mistakes.push(...lockMistakes(sources, file, values));
  const organizations = readPart(file, 'organizations', declaredSchema(readSecret), mistakes);
  const exportTargets = readPart(file, 'exportTargets', exportTargetsSchema(readSecret), mistakes);
  if (mistakes.length > 0) throw invalid(mistakes);
  const warnings = unknownVariables(sources.env, referredTo);
  return deepFreeze(assemble({ values, organizations, exportTargets, file, sources, warnings }));
}

function readSettingsFile({ configFile, env, cwd, readFile }: ConfigSources): SettingsFile | null {
  const asked = configFile ?? env.LEAFVAULT_CONFIG;
  const path = resolve(cwd, asked ?? DEFAULT_FILE);
  try {
    return parseSettingsFile(path, readFile(path));
  } catch (cause) {
    if (asked === undefined && (cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new LeafvaultError('CONFIG_FILE_UNREADABLE', `Reading the settings file ${path} failed`, { cause, hint: 'Name an existing file with --config' });
  }
}

function fileMistakes(file: SettingsFile | null): Mistake[] {
  if (file === null) return [];
  const known = Object.values(SETTINGS).map(({ path }) => path);
  const groups = new Set(known.map((path) => path.split('.')[0]));
  return [
    ...file.problems.map(({ line, message }) => ({ source: `${file.path} line ${line}`, path: '', message })),
    ...file.keys
      .filter((key) => !known.includes(key as never) && !(groups.has(key) && file.value(key) === null))
      .map((key) => ({ source: place(file, key.split('.')), path: key, message: `there is no such setting${suggestion(key, [...known, 'organizations', 'exportTargets'])}` })),
  ];
}

function readValues(sources: ConfigSources, file: SettingsFile | null, readSecret: SecretReader, mistakes: Mistake[]): SettingValues {
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const given = find(sources, file, name, setting);
    if (given === null) {
      values[name] = setting.default;
      continue;
    }
    if (setting.secret && sources.flags[name] === given.value && carriesSecret(String(given.value))) {
      mistakes.push({ source: given.source, path: setting.path, message: `a password in a flag shows in the process list: set ${setting.env}, or ${setting.path} in leafvault.yaml` });
      continue;
    }
    const value = setting.secret && isSecretReference(given.value) ? readSecret(given.value) : given.value;
    if (typeof value === 'object' && value !== null && 'problem' in value) {
      mistakes.push({ source: given.source, path: setting.path, message: String(value.problem) });
      continue;
    }
    const parsed = setting.type.safeParse(value);
    if (parsed.success) values[name] = parsed.data;
    else mistakes.push(...parsed.error.issues.map((issue) => ({ source: given.source, path: setting.path, message: plain(issue) })));
  }
  return values as SettingValues;
}

function lockMistakes(sources: ConfigSources, file: SettingsFile | null, values: SettingValues): Mistake[] {
  const made = withLock(values.repositoryStore ?? 'file:<home>/repository', { sources, file, values });
  const source = find(sources, file, 'objectLockMode', SETTINGS.objectLockMode)?.source ?? '';
  return 'problem' in made ? [{ source, path: SETTINGS.objectLockMode.path, message: made.problem }] : [];
}

interface Given { readonly sources: ConfigSources; readonly file: SettingsFile | null; readonly values: SettingValues }

/** What the file says of its store is not meant for one that a flag names in its place. */
function withLock(store: string, { sources, file, values: { repositoryStore, objectLockMode: mode, objectLockDays: days } }: Given): ReturnType<typeof withStoreOptions> {
  const isOfFile = (name: SettingName): boolean => find(sources, file, name, SETTINGS[name])?.source.startsWith(`${file?.path} line`) === true;
  const isMeant = mode !== 'off' && mode !== undefined && (!isOfFile('objectLockMode') || isOfFile('repositoryStore') || repositoryStore === null);
  return withStoreOptions(store, isMeant ? { objectLock: { mode, days } } : {});
}

/** A connection string with a password or another secret, in its login or among its options. */
function carriesSecret(text: string): boolean {
  return /:\/\/[^/?#@]*:[^@]*@/.test(text) || /[?&][a-z]*password=./i.test(text) || /AWS_SESSION_TOKEN:/i.test(text);
}

function find(sources: ConfigSources, file: SettingsFile | null, name: SettingName, setting: Setting): { readonly value: unknown; readonly source: string } | null {
  const flag = sources.flags[name];
  if (flag !== undefined) return { value: flag, source: setting.flag.split(' ')[0] ?? '' };
  const variable = sources.env[setting.env];
  if (variable !== undefined && variable !== '') return { value: variable, source: setting.env };
  const value = file?.value(setting.path);
  return file === null || value === undefined || value === null ? null : { value, source: place(file, setting.path.split('.')) };
}

/** A list of the file; none where it is absent. */
function readPart<T>(file: SettingsFile | null, part: 'organizations' | 'exportTargets', schema: z.ZodType<readonly T[]>, mistakes: Mistake[]): readonly T[] {
  const given = file?.[part];
  if (file === null || given === undefined || given === null) return [];
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const path = [part, ...issue.path];
    mistakes.push({ source: place(file, path), path: dotted(path), message: plain(issue) });
  }
  return [];
}

function assemble(parts: {
  readonly values: SettingValues; readonly organizations: readonly DeclaredOrganization[]; readonly exportTargets: readonly ExportTarget[]; readonly file: SettingsFile | null; readonly sources: ConfigSources; readonly warnings: readonly string[];
}): Config {
  const { values, file, sources } = parts;
  // A path in the file means the same wherever Leafvault was started.
  const from = (name: SettingName): string => (find(sources, file, name, SETTINGS[name])?.source.startsWith(`${file?.path} line`) ? dirname(file?.path ?? '') : sources.cwd);
  const absolute = (path: string, folder: string): string => (isAbsolute(path) ? path : resolve(folder, path));
  const home = absolute(values.home, from('home'));
  const addressOf = (text: string, name: SettingName): string => (text.startsWith('s3:') ? text : `file:${absolute(storePath(text), from(name))}`);
  const plainStore = values.repositoryStore === null ? `file:${join(home, 'repository')}` : addressOf(values.repositoryStore, 'repositoryStore');
  const locked = withLock(plainStore, { sources, file, values });
  return {
    home,
    listen: { host: values.listenHost, port: values.listenPort, publicUrl: values.publicUrl?.replace(/\/+$/, '') ?? null, trustProxy: values.trustProxy },
    databaseUrl: values.database === 'embedded' ? null : values.database,
    repositoryStore: 'address' in locked ? locked.address : plainStore,
    repositoryCopies: values.repositoryCopies.map((text) => addressOf(text, 'repositoryCopies')),
    repositoryDeltas: values.repositoryDeltas === 'on',
    copies: { keepDays: values.copiesKeepDays, bytesPerSecond: values.copiesLimit === 0 ? null : values.copiesLimit * 1_000_000 },
    masterKeyFile: values.masterKeyFile === null ? join(home, 'master.key') : absolute(values.masterKeyFile, from('masterKeyFile')),
    sourceUri: values.sourceUri,
    restore: { timeSeries: values.restoreTimeSeries, keepHours: values.restoreKeepHours },
    beforeMigration: values.beforeMigration,
    schedules: { catchUp: values.schedulesCatchUp },
    check: { everyHours: values.checkEveryHours, parts: values.checkParts },
    drills: {
      everyHours: values.drillsEveryHours, at: values.drillsAt, where: values.drillsWhere,
      mongod: values.drillsMongod === null ? null : absolute(values.drillsMongod, from('drillsMongod')),
    },
    jobsAtOnce: values.jobsAtOnce,
    logLevel: values.logLevel,
    organizations: [...parts.organizations],
    // Relative to the file, which alone names them.
    exportTargets: parts.exportTargets.map((target) => ('folder' in target ? { ...target, folder: absolute(target.folder, file === null ? sources.cwd : dirname(file.path)) } : target)),
    file: file?.path ?? null,
    warnings: [...parts.warnings, ...unreachableLinks(values)],
  };
}

/** Links are made of the address that is listened on, and this one leads nowhere on another machine. */
function unreachableLinks({ listenHost, publicUrl }: SettingValues): string[] {
  if (publicUrl !== null || !WILDCARDS.has(listenHost)) return [];
  return [`It listens on every address (${listenHost}) and no publicUrl is set: download addresses and links will name ${listenHost}, which other machines can't follow; set listen.publicUrl`];
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]', '']);

/** `file:relative`, `file:/absolute` and `file:///absolute`. */
function storePath(store: string): string {
  return store.replace(/^file:(\/\/(?=\/))?/, '');
}

/** `referredTo`: names that the file itself gives, by `{ env: NAME }`. */
function unknownVariables(env: ConfigSources['env'], referredTo: ReadonlySet<string>): string[] {
  const known = [...Object.values(SETTINGS).map((setting) => setting.env as string), ...FOREIGN_VARIABLES];
  return Object.keys(env)
    .filter((name) => name.startsWith('LEAFVAULT_') && !known.includes(name) && !referredTo.has(name))
    .map((name) => `The environment variable ${name} is not a setting of Leafvault${suggestion(name, known)}`);
}

function invalid(mistakes: readonly Mistake[]): LeafvaultError {
  const lines = mistakes.map(({ source, path, message }) => `  ${source}${path === '' ? '' : `: ${path}`}: ${message}`);
  return new LeafvaultError('CONFIG_INVALID', `${mistakes.length === 1 ? 'One setting is' : `${mistakes.length} settings are`} wrong:\n${lines.join('\n')}`, {
    details: { mistakes },
    hint: 'Every setting is explained in docs/reference/settings.md',
  });
}

function place(file: SettingsFile, path: readonly PropertyKey[]): string {
  return `${file.path} line ${file.lineOf(path) ?? 1}`;
}

/** `organizations[0].projects[1].name` */
function dotted(path: readonly PropertyKey[]): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`)).join('');
}

/** Words of the checker, made to read on after the path; they never hold the value, which may be secret. */
function plain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `there is no such setting: ${issue.keys.join(', ')}`;
  return issue.message.replace(/^Invalid (input|option): /, '');
}

function suggestion(word: string, known: readonly string[]): string {
  const found = nearest(word, known);
  return found === null ? '' : `; did you mean ${found}?`;
}
