// Every setting that is a single value, each with type, default, help and where it may come from.
// docs/reference/settings.md, `--help` and the loader are made from this table.
import { z } from 'zod';
import { DRILL_PLACES } from '../domain/drill.ts';
import { CATCH_UP_CHOICES } from '../domain/plan-run.ts';
import { TIME_SERIES_CHOICES } from '../domain/records.ts';
import { LOCK_MODES, withStoreOptions } from './store-address.ts';

export interface Setting<T = unknown> {
  /** Place in leafvault.yaml, dotted. */
  readonly path: string;
  readonly type: z.ZodType<T>;
  /** Used when no source names the setting; a function gets the values that are known already. */
  readonly default: T;
  /** How the default reads in the reference when the value itself says little. */
  readonly defaultText?: string;
  readonly help: string;
  readonly env: string;
  /** `--home <folder>` as the command line shows it. */
  readonly flag: string;
  /** Never printed, and may be `{ env: NAME }` or `{ file: path }` in the file. */
  readonly secret?: true;
}

const url = (schemes: readonly string[]): z.ZodType<string> =>
  z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)), {
    error: `expected a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  });

const portNumber = z.coerce.number().int().min(0).max(65_535);
const list = z.preprocess((value) => (typeof value === 'string' ? value.split(',').map((each) => each.trim()).filter(Boolean) : value), z.array(z.string().min(1)));

export const MONGO_URI: z.ZodType<string, string> = z.string().regex(/^mongodb(\+srv)?:\/\/./, { error: 'expected a connection string that begins with mongodb:// or mongodb+srv://' });

/** `HH:MM`, 24 hours. */
export const TIME_OF_DAY: z.ZodType<string, string> = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'expected a time such as "03:00" (UTC, in quotes)' });
/** An interval that comes by itself; below an hour one would hardly end before the next. */
export const HOURS_BETWEEN: z.ZodType<number> = z.coerce.number().max(8760).refine((hours) => hours === 0 || hours >= 1, { error: 'expected 0 (never), or at least 1 hour' });

const DATABASE = z.string().superRefine((text, context) => {
  if (text === 'embedded' || /^postgres(ql)?:\/\/./.test(text)) return;
  context.addIssue({ code: 'custom', message: 'expected "embedded" or a URL that begins with postgres://' });
});

/** `true` and `false` of a file are taken, too. */
const ON_OR_OFF = z.preprocess((value) => (typeof value === 'boolean' ? (value ? 'on' : 'off') : value), z.enum(['on', 'off']));

const STORE = z.string().superRefine((text, context) => {
  if (/^(file:|s3:\/\/)./.test(text)) return;
  context.addIssue({ code: 'custom', message: 'expected an address that begins with file: or s3://' });
});

/** An address, or `{ store, profile, objectLock }`; it becomes the address that says all of it. */
const COPY = z.preprocess((value) => (typeof value === 'string' ? { store: value } : value), z.strictObject({
  store: STORE,
  profile: z.string().min(1).max(128).optional(),
  objectLock: z.strictObject({ mode: z.enum(LOCK_MODES), days: z.coerce.number().int().min(1).max(3_650) }).optional(),
})).transform(({ store, ...options }, context): string => {
  const made = withStoreOptions(store, options);
  if ('address' in made) return made.address;
  context.addIssue({ code: 'custom', message: made.problem });
  return z.NEVER;
});

export const SETTINGS = {
  home: {
    path: 'home', type: z.string().min(1), default: './leafvault-data', env: 'LEAFVAULT_HOME', flag: '--home <folder>',
    help: 'Folder of this Leafvault: embedded PostgreSQL, local repository, master key. Relative to the settings file, else to the current folder',
  },
  listenHost: {
    path: 'listen.host', type: z.string().min(1), default: '127.0.0.1', env: 'LEAFVAULT_LISTEN_HOST', flag: '--listen-host <address>',
    help: 'Address to listen on; 0.0.0.0 for every network',
  },
  listenPort: {
    path: 'listen.port', type: portNumber, default: 27080, env: 'LEAFVAULT_LISTEN_PORT', flag: '--listen-port <number>',
    help: 'Port to listen on; 0 takes a free one',
  },
  publicUrl: {
    path: 'listen.publicUrl', type: url(['http', 'https']).nullable(), default: null, defaultText: 'the address that it listens on',
    env: 'LEAFVAULT_PUBLIC_URL', flag: '--public-url <url>',
    help: 'Origin that clients are told in links and download URLs',
  },
  trustProxy: {
    path: 'listen.trustProxy', type: list, default: [], defaultText: 'nobody', env: 'LEAFVAULT_TRUST_PROXY', flag: '--trust-proxy <addresses>',
    help: 'Addresses or CIDR blocks of proxies whose X-Forwarded-For is believed, separated by commas',
  },
  database: {
    path: 'database', type: DATABASE, default: 'embedded', env: 'LEAFVAULT_DATABASE_URL', flag: '--database <url>', secret: true,
    help: '"embedded" runs PostgreSQL in the home folder; postgres://… uses a server of yours (14 or newer) that several machines can share',
  },
  repositoryStore: {
    path: 'repository.store', type: STORE.nullable(), default: null, defaultText: 'file:<home>/repository',
    env: 'LEAFVAULT_REPOSITORY_STORE', flag: '--repository-store <address>',
    help: 'Where snapshots are kept: file:<folder>, or s3://<bucket>/<prefix>?endpoint=<url>&region=<region>; the key of S3 comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or an instance role',
  },
  objectLockMode: {
    path: 'repository.objectLock.mode', type: z.enum(['off', ...LOCK_MODES]), default: 'off', env: 'LEAFVAULT_REPOSITORY_OBJECT_LOCK_MODE', flag: '--object-lock-mode <mode>',
    help: 'Object lock of the bucket in repository.store: `governance` holds what snapshots need against everybody without a right of its own, `compliance` against everybody; `off` leaves that to the address (`objectLock=compliance:30`)',
  },
  objectLockDays: {
    path: 'repository.objectLock.days', type: z.coerce.number().int().min(1).max(3_650), default: 30, env: 'LEAFVAULT_REPOSITORY_OBJECT_LOCK_DAYS', flag: '--object-lock-days <days>',
    help: 'How long a new object is held; what snapshots need is held for at least half of that from now on. What was deleted is paid for as long',
  },
  repositoryCopies: {
    path: 'repository.copies', type: z.preprocess((value) => (typeof value === 'string' ? value.split(',').map((each) => each.trim()).filter(Boolean) : value), z.array(COPY)), default: [], defaultText: 'none',
    env: 'LEAFVAULT_REPOSITORY_COPIES', flag: '--repository-copies <addresses>',
    help: 'Second copies: addresses as of repository.store, separated by commas; in the file also `{ store, profile, objectLock }`. Each is brought up to date every day and after snapshots, at most once an hour, and is read from where the first store fails',
  },
  copiesKeepDays: {
    path: 'repository.copiesKeepDays', type: z.coerce.number().min(0).max(3_650), default: 0, env: 'LEAFVAULT_REPOSITORY_COPIES_KEEP_DAYS', flag: '--copies-keep-days <days>',
    help: 'How long second copies keep, and show, what went from the repository; 0: until the next run',
  },
  copiesLimit: {
    path: 'repository.copiesLimit', type: z.coerce.number().min(0), default: 0, defaultText: 'none', env: 'LEAFVAULT_REPOSITORY_COPIES_LIMIT', flag: '--copies-limit <megabytes>',
    help: 'Most megabytes (10^6 bytes) that a worker sends to all second copies in a second, on average; 0: no limit',
  },
  repositoryDeltas: {
    path: 'repository.deltas', type: ON_OR_OFF, default: 'on', env: 'LEAFVAULT_REPOSITORY_DELTAS', flag: '--repository-deltas <choice>',
    help: 'Whether snapshots store a chunk of which little changed as its difference from the one before: `on`, or `off` for chunks that each stand for themselves, at many times the bytes where changes are spread. What is stored stays as it is',
  },
  masterKeyFile: {
    path: 'masterKeyFile', type: z.string().min(1).nullable(), default: null, defaultText: '<home>/master.key',
    env: 'LEAFVAULT_MASTER_KEY_FILE', flag: '--master-key-file <path>',
    help: 'File of the master key (mode 0600), made at the first start. Keep it on another file system than the repository',
  },
  sourceUri: {
    path: 'source.uri', type: MONGO_URI.nullable(), default: null, defaultText: 'none', env: 'LEAFVAULT_SOURCE_URI', flag: '--source-uri <uri>', secret: true,
    help: 'The one MongoDB to back up where no organizations are declared: a first start makes organization, project, cluster and keys, and prints them once',
  },
  restoreTimeSeries: {
    path: 'restore.timeSeries', type: z.enum(TIME_SERIES_CHOICES), default: 'refuse', env: 'LEAFVAULT_RESTORE_TIME_SERIES', flag: '--restore-time-series <choice>',
    help: 'What a restore does with a time series that is still there, where the request does not say (header `Leafvault-Time-Series`): `refuse` the restore before it begins, leave the restored one `beside` it, or `replace` it',
  },
  restoreKeepHours: {
    path: 'restore.keepHours', type: z.coerce.number().min(0).max(8760), default: 24, env: 'LEAFVAULT_RESTORE_KEEP_HOURS', flag: '--restore-keep-hours <hours>',
    help: 'How long the collections that a restore replaced are kept beside, so that it can be undone; 0 drops them at once',
  },
  beforeMigration: {
    path: 'catalog.beforeMigration', type: z.enum(['dump', 'nothing']), default: 'dump', env: 'LEAFVAULT_CATALOG_BEFORE_MIGRATION', flag: '--catalog-before-migration <choice>',
    help: 'What has to be done before a new version changes the tables: `dump` the catalog into the repository, or refuse to start where that fails; `nothing` goes on without, for a repository that is away',
  },
  schedulesCatchUp: {
    path: 'schedules.catchUp', type: z.enum(CATCH_UP_CHOICES), default: 'once', env: 'LEAFVAULT_SCHEDULES_CATCH_UP', flag: '--schedules-catch-up <choice>',
    help: 'Times of backup schedules that went by while no worker ran: `once` takes one snapshot of the cluster for all of them, `skip` waits for the next time',
  },
  checkEveryHours: {
    path: 'check.everyHours', type: HOURS_BETWEEN, default: 24, env: 'LEAFVAULT_CHECK_EVERY_HOURS', flag: '--check-every-hours <hours>',
    help: 'How often the repository is checked: the structure of everything, and every byte of one part of it, the next part each time; 0 never does it by itself',
  },
  checkParts: {
    path: 'check.parts', type: z.coerce.number().int().min(1).max(9999), default: 30, env: 'LEAFVAULT_CHECK_PARTS', flag: '--check-parts <number>',
    help: 'Parts that the bytes of the repository are read in, one at each check; 1 reads everything each time',
  },
  drillsEveryHours: {
    path: 'drills.everyHours', type: HOURS_BETWEEN.nullable(), default: null, defaultText: 'never; 24 where drills.at is set', env: 'LEAFVAULT_DRILLS_EVERY_HOURS', flag: '--drills-every-hours <hours>',
    help: 'How often the newest snapshot of each cluster is restored for practice, proven and taken away again; 0 never does it by itself. `drills` of a declared cluster overrides it',
  },
  drillsAt: {
    path: 'drills.at', type: TIME_OF_DAY.nullable(), default: null, defaultText: 'any time', env: 'LEAFVAULT_DRILLS_AT', flag: '--drills-at <time>',
    help: 'Time of day (HH:MM, UTC) at which drills begin',
  },
  drillsWhere: {
    path: 'drills.where', type: z.enum(DRILL_PLACES).nullable(), default: null, defaultText: '`mongod` where drills.mongod is set, else `scratch`', env: 'LEAFVAULT_DRILLS_WHERE', flag: '--drills-where <place>',
    help: 'Where drills restore: into `scratch` databases on the cluster (or the one that its `drills.target` names), or into a throw-away `mongod` on the machine of the worker',
  },
  drillsMongod: {
    path: 'drills.mongod', type: z.string().min(1).nullable(), default: null, defaultText: 'none', env: 'LEAFVAULT_DRILLS_MONGOD', flag: '--drills-mongod <path>',
    help: 'Binary that throw-away servers of drills are started from (mongod 5.0 or newer); their data lies below the home folder as long as the drill runs',
  },
  jobsAtOnce: {
    path: 'worker.jobsAtOnce', type: z.coerce.number().int().min(1).max(64), default: 2, env: 'LEAFVAULT_WORKER_JOBS_AT_ONCE', flag: '--jobs-at-once <number>',
    help: 'Jobs that one worker process runs side by side',
  },
  logLevel: {
    path: 'log.level', type: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']), default: 'info', env: 'LEAFVAULT_LOG_LEVEL', flag: '--log-level <level>',
    help: 'Least severe log lines that are written (JSON, to standard error)',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;
export type SettingValues = { -readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['type']> };

/** Name of the flag without its value: `listen-port`. */
export function flagName(setting: Setting): string {
  return setting.flag.slice(2).split(' ')[0] ?? '';
}
