// The composition root: the only file that knows every room. Opens from the bottom up, closes in reverse.
import { openCatalog, type Catalog } from './catalog/index.ts';
import { archiveOpener } from './composition/archive-opener.ts';
import { describeFirstStart } from './composition/announce.ts';
import { askBeforePrune } from './composition/ask-before-prune.ts';
import { assertNoRescue } from './composition/assert-no-rescue.ts';
import { createClosers } from './composition/closers.ts';
import { contentsReader } from './composition/contents-reader.ts';
import { dumpBeforeMigration } from './composition/dump-before-migration.ts';
import { bucketOpener } from './composition/bucket-opener.ts';
import { openHome } from './composition/home.ts';
import { createInstallationKeys, type InstallationKeys } from './composition/installation-keys.ts';
import { warnOfRotation } from './composition/key-files.ts';
import { loadMasterKey, openWithMasterKey, type MasterKey } from './composition/master-key.ts';
import { openOneRepository, type OpenedRepository } from './composition/one-repository.ts';
import { onSameFileSystem } from './composition/same-file-system.ts';
import { prepareTenants } from './composition/tenants.ts';
import { timelineReader } from './composition/timeline-reader.ts';
import type { Config } from './config/index.ts';
import { checkKey, type CheckState } from './domain/check-state.ts';
import { pruneKey, type PruneState } from './domain/prune-state.ts';
import { locksKey, type LockState } from './domain/lock-state.ts';
import { captureSnapshot, dropKept, exportSnapshot, findRehearsals, probeServer, rehearseRestore, restoreSnapshot, settleRehearsal, settleRestore, slicesOfChain, standsElsewhere, startThrowaway, tailOplog, undoRestore } from './engine/index.ts';
import type { Clock } from './foundation/clock.ts';
import { LeafvaultError } from './foundation/errors.ts';
import type { Logger } from './foundation/logger.ts';
import { buildServer, consoleApi, consoleDoor, downloadsDoor, facades, oauthDoor, openApiDoor, type HttpServer } from './http/index.ts';
import {
  checkOnSchedule, createChores, createCopyChores, createLockChores, createMendingChore, createScheduleChores, createDumpChore, createHandlers, createLostDrillsChore, createRetentionChores, dumpCatalog, dumpedAtKey, createTailers, openPostgresQueue, scheduleDrills, sessionOwner, trimCatalogDumps,
  Worker, type JobQueue, type PostgresQueue,
} from './jobs/index.ts';
import { openRepository, type Dump, type Repository } from './repository/index.ts';
import { createAskForDrill, createDrills, createOverview, createServices, createUpkeep } from './services/index.ts';
import type { Services } from './services/contracts.ts';
import { openStorage } from './storage/index.ts';

export { roleCommands, standsElsewhere } from './engine/index.ts';
export { ownersThatAreGone, readNeededUntil, trimCatalogDumps, trimChains, type TrimmedChain } from './jobs/index.ts';
export { findDumps, planRescue, rescue, type FoundDump, type FoundDumps, type RescuePlan, type RescueReport } from './composition/rescue.ts';
export { KEEP_KINDS, type KeepKind } from './domain/keeps.ts';
export { abandonJob, cancelJob, createOverview, keepSnapshot, letGoOfSnapshot, masterKeyFrom, pauseJob, previewClusterSchedule, resumeJob } from './services/index.ts';
export type { UpkeepView } from './services/contracts.ts';
export type { InstallationKeys, KeysReport } from './composition/installation-keys.ts';
export type { RetiredSlot, RotationReport } from './composition/rotate-master-key.ts';
export type { CheckReport, CopyReport, Dump, KeySlotInfo, LockReport, OpenSession, PruneReport, ReadShare, Repository } from './repository/index.ts';
export { openStorage, withLimit } from './storage/index.ts';

/** `all`: door and worker; `door`: no jobs run here; `worker`: nothing else. */
export type AppRole = 'all' | 'door' | 'worker';

export interface AppOptions {
  readonly config: Config;
  readonly role: AppRole;
  readonly version: { readonly text: string; readonly gitHash: string };
  readonly clock: Clock;
  readonly log: Logger;
  /** Text for the person who started it; holds secrets at a first start. */
  readonly announce: (text: string) => void;
  readonly warn: (text: string) => void;
}

export interface App {
  /** Ready when it resolves. @throws what kept it from starting; `stop` then closes what was open */
  start(): Promise<void>;
  /** Safe to call twice, and when the start failed. */
  stop(): Promise<void>;
  /** Origin that clients are told; null for a worker. */
  address(): string | null;
}

/** Everything that is open while the app runs. */
interface Parts {
  readonly options: AppOptions;
  readonly masterKey: Uint8Array;
  readonly catalog: Catalog;
  readonly queue: PostgresQueue;
  readonly repositories: OpenedRepository;
  readonly tempRoot: string;
  readonly ownTemp: string;
}

export function buildApp(options: AppOptions): App {
  const closers = createClosers(options.log);
  let server: HttpServer | null = null;
  // Requests that come before the worker runs are taken; /readyz says that it is too early.
  let working = false;
  return {
    async start() {
      const { config, role } = options;
      const parts = await openParts(options, closers.add);
      const first = role === 'worker' ? null : await prepareTenants({ ...options, ...parts });
      // Before anything else can fail: it is told only once.
      if (first !== null) options.announce(describeFirstStart(first, { address: addressOf(config), masterKeyFile: config.masterKeyFile }));
      const worker = role === 'door' ? null : buildWorker(parts);
      if (role !== 'worker') {
        const reading = new AbortController();
        server = await buildDoor(parts, { isWorking: () => working, signal: reading.signal });
        closers.add('readers', async () => reading.abort(new Error('Leafvault stops')));
        closers.add('server', server.close);
        await listen(server, config);
      }
      if (worker !== null) {
        closers.add('worker', () => worker.stop());
        await worker.start();
        // Behind the worker, which has taken over what dead processes left.
        const tailers = createTailers({ ...parts, ...options, tail: tailOplog });
        closers.add('tailers', tailers.stop);
        await tailers.start();
      }
      working = true;
      await warnOfOneFileSystem(config, options.warn);
      await warnOfRotation(config.masterKeyFile, options.warn);
    },
    stop: closers.closeAll,
    address: () => server?.baseUrl() ?? null,
  };
}

async function openParts(options: AppOptions, opened: (name: string, close: () => Promise<void>) => void): Promise<Parts> {
  const { config, clock, log } = options;
  const home = await openHome(config.home);
  opened('home', home.close);
  const masterKey = await loadMasterKey(config.masterKeyFile);
  const catalog = await openCatalogBy(masterKey, options, home.own);
  opened('catalog', catalog.close);
  await assertNoRescue(catalog);
  const repositories = await openOneRepository({ catalog, address: config.repositoryStore, copies: config.repositoryCopies, copiesBytesPerSecond: config.copies.bytesPerSecond, masterKey: masterKey.bytes, tempDir: home.own, clock, log, owner: await sessionOwner() });
  opened('repository', repositories.close);
  const queue = await openPostgresQueue({ catalog, log });
  opened('queue', queue.close);
  return { options, masterKey: masterKey.bytes, catalog, queue, repositories, tempRoot: home.jobs, ownTemp: home.own };
}

function buildWorker({ options, catalog, queue, repositories, tempRoot }: Parts): Worker {
  const { clock, log, config } = options;
  const handlers = createHandlers({ catalog, repositories, clock, capture: captureSnapshot, restore: restoreSnapshot, settle: settleRestore, undo: undoRestore, dropKept, slicesOfChain, rehearse: rehearseRestore, settleRehearsal, startThrowaway, drillMongod: config.drills.mongod, exportSnapshot, openBucket: bucketOpener(config.exportTargets), deltas: config.repositoryDeltas });
  const chores = [
    ...createChores({ catalog, repositories, queue, clock }),
    ...createScheduleChores({ catalog, queue, clock, log, ...config.schedules }),
    ...createRetentionChores({ catalog, clock, log, repositories: () => Promise.resolve([repositories.repository]) }),
    createDumpChore({ catalog, clock, log, repositories: () => Promise.resolve([repositories.repository]) }),
    checkOnSchedule({ catalog, clock, log, repositories: () => Promise.resolve([repositories.repository]), ...config.check }),
    createMendingChore({ catalog, clock, log, repositories: () => Promise.resolve([repositories.repository]) }),
    createLostDrillsChore({ catalog, clock, log, find: findRehearsals }),
    scheduleDrills({ catalog, clock, log, defaults: config.drills, ask: createAskForDrill({ queue, clock }) }),
    ...createLockChores({ catalog, clock, log, repository: repositories.repository, terms: repositories.lockTerms }),
    ...createCopyChores({ catalog, clock, log, repository: repositories.repository, copies: repositories.copies, keepDays: config.copies.keepDays, check: config.check }),
  ];
  return new Worker({ catalog, queue, handlers, clock, log, tempRoot, concurrency: config.jobsAtOnce, chores });
}

interface DoorState {
  readonly isWorking: () => boolean;
  /** Ends what requests still read when the app stops. */
  readonly signal: AbortSignal;
}

async function buildDoor({ options, catalog, queue, repositories, ownTemp }: Parts, { isWorking, signal }: DoorState): Promise<HttpServer> {
  const { clock, log, config, version } = options;
  const openArchive = archiveOpener({ repository: repositories.repository, tempDir: ownTemp });
  // Download addresses are made long after the server listens.
  const baseUrl = (): string => server.baseUrl();
  const services = createServices({
    catalog, queue, clock, secret: catalog.secret, openArchive, timelineReader: timelineReader({ repositories, signal }), baseUrl, probe: probeServer, standsElsewhere, restoreDefaults: config.restore, drillDefaults: config.drills, openBucket: bucketOpener(config.exportTargets), readContents: contentsReader({ repository: repositories.repository }), ...config.schedules,
  });
  const console = consoleDoor({
    overview: createOverview({
      catalog, clock,
      check: async () => ((await catalog.settings.get(checkKey(repositories.repository.id))) as CheckState | undefined) ?? null,
      prune: async () => ((await catalog.settings.get(pruneKey(repositories.repository.id))) as PruneState | undefined) ?? null,
      locks: async () => ((await catalog.settings.get(locksKey(repositories.repository.id))) as LockState | undefined) ?? null,
    }), clock, version: version.text,
    readiness: async () => ({ catalog: await answers(catalog), repository: await repositories.isThere(), worker: isWorking() }),
  });
  const server: HttpServer = await buildServer({
    services, facades: [...facades, consoleApi], log, clock,
    plugins: [console, oauthDoor(services), downloadsDoor(services.downloads), openApiDoor(version.text)],
    publicUrl: config.listen.publicUrl,
    version: { gitHash: version.gitHash, versionString: version.text },
    ...(config.listen.trustProxy.length === 0 ? {} : { trustProxy: config.listen.trustProxy }),
  });
  return server;
}

function answers(catalog: Catalog): Promise<boolean> {
  return catalog.ping().then(() => true, () => false);
}

async function listen(server: HttpServer, { listen: { host, port } }: Config): Promise<void> {
  try {
    await server.listen({ host, port });
  } catch (cause) {
    throw new LeafvaultError('LISTEN_FAILED', `Listening on ${host}:${port} failed`, { cause, hint: 'Choose another port with --listen-port, or stop what uses this one' });
  }
}

function addressOf({ listen: { publicUrl, host, port } }: Config): string {
  return publicUrl ?? `http://${host}:${port}`;
}

async function warnOfOneFileSystem({ repositoryStore, masterKeyFile }: Config, warn: (text: string) => void): Promise<void> {
  if (!repositoryStore.startsWith('file:')) return;
  if (!(await onSameFileSystem(repositoryStore.replace(/^file:/, ''), masterKeyFile))) return;
  warn(`The repository and the master key ${masterKeyFile} are on one file system: one broken disk loses both. Keep the recovery key elsewhere, or set masterKeyFile`);
}

/**
 * Opens the repository alone, for offline commands. Closing it closes its store.
 * @param passphrase in the place of the master key; null: the key file
 * @throws REPOSITORY_MISSING, REPOSITORY_KEY_WRONG, MASTER_KEY_UNREADABLE
 */
export async function openRepositoryOf(config: Config, { clock, log }: Pick<AppOptions, 'clock' | 'log'>, passphrase: string | null = null): Promise<Repository> {
  const home = await openHome(config.home);
  const storage = openStorage(config.repositoryStore);
  const close = async (): Promise<void> => {
    await storage.close();
    await home.close();
  };
  try {
    const masterKey = passphrase === null ? (await loadMasterKey(config.masterKeyFile, { make: false })).bytes : { passphrase };
    const repository = await openRepository({ storage, masterKey, tempDir: home.own, clock, log, owner: await sessionOwner() });
    return { ...repository, close: () => repository.close().finally(close) };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Opens the catalog alone, for commands that only look; a server that runs on the same home keeps running. An installation that is not
 * there is not made. @throws MASTER_KEY_UNREADABLE, MASTER_KEY_OTHER, RESCUE_UNFINISHED, CATALOG_*
 */
export async function openCatalogOf(config: Config, { clock, log }: Pick<AppOptions, 'clock' | 'log'>): Promise<Catalog> {
  return openCatalogAlone(await loadMasterKey(config.masterKeyFile, { make: false }), { config, clock, log });
}

/** Asks the catalog, where there is one, whether a prune may take anything. @returns why it could not be asked; null: it was @throws JOBS_SNAPSHOTS_HIDDEN, and as `openCatalogOf` */
export async function mayPrune(config: Config, repository: Repository, options: Pick<AppOptions, 'clock' | 'log'>): Promise<string | null> {
  return askBeforePrune({ config, repository, openCatalog: () => openCatalogOf(config, options) });
}

/** What workers do with the repository by themselves, as the catalog has it. @throws as `openCatalogOf` */
export async function openUpkeepOf(config: Config, options: Pick<AppOptions, 'clock' | 'log'>): Promise<{ readonly upkeep: Services['upkeep']; close(): Promise<void> }> {
  const catalog = await openCatalogOf(config, options);
  return { upkeep: createUpkeep({ catalog, clock: options.clock }), close: () => catalog.close() };
}

/** What the commands of drills need. */
export interface OpenDrills {
  readonly catalog: Catalog;
  readonly drills: Services['drills'];
  close(): Promise<void>;
}

/** The catalog and its queue, beside a service that runs: a drill is put into the queue, its worker does it. @throws as `openCatalogOf` */
export async function openDrillsOf(config: Config, options: Pick<AppOptions, 'clock' | 'log'>): Promise<OpenDrills> {
  const catalog = await openCatalogOf(config, options);
  let opened: Promise<PostgresQueue> | undefined;
  // Whoever only looks needs none.
  const queue = (): Promise<PostgresQueue> => (opened ??= openPostgresQueue({ catalog, log: options.log }));
  const late: JobQueue = {
    enqueue: async (tx, request) => (await queue()).enqueue(tx, request),
    cancel: async (jobId, by) => (await queue()).cancel(jobId, by),
    pause: async (jobId) => (await queue()).pause(jobId),
    resume: async (jobId) => (await queue()).resume(jobId),
  };
  return {
    catalog, drills: createDrills({ catalog, queue: late, clock: options.clock, defaults: config.drills }),
    async close() {
      await opened?.then((each) => each.close(), () => undefined);
      await catalog.close();
    },
  };
}

/** Dumps the catalog into the repository now, beside a service that runs and without one. @throws what catalog and repository fail with */
export async function dumpCatalogOf(config: Config, options: Pick<AppOptions, 'clock' | 'log'> & { readonly signal: AbortSignal }): Promise<Dump> {
  const { clock, signal } = options;
  const catalog = await openCatalogOf(config, options);
  try {
    const repository = await openRepositoryOf(config, options);
    try {
      const known = await catalog.settings.get('repositoryId');
      if (known !== repository.id) throw new LeafvaultError('REPOSITORY_OTHER', `Dumping into the repository at ${config.repositoryStore} was refused: the catalog was made with another one`, { hint: 'Set repository.store to the repository of this catalog' });
      const key = dumpedAtKey(repository.id);
      const dump = await dumpCatalog({ dumps: catalog.dumps, repository }, { reason: 'asked', wait: true, signal, onDumped: () => catalog.settings.set(key, clock.now().toISOString()) });
      if (dump === null) throw new LeafvaultError('CATALOG_DUMP_FAILED', 'Dumping the catalog failed: another process was at it', { retryable: true });
      await trimCatalogDumps(repository, { signal });
      return dump;
    } finally {
      await repository.close();
    }
  } finally {
    await catalog.close();
  }
}

/** The keys of an installation, for `leafvault keys`: nothing is opened before it is needed. */
export function keysOf(config: Config, { clock, log }: Pick<AppOptions, 'clock' | 'log'>): InstallationKeys {
  return createInstallationKeys({ config, clock, openCatalog: (key) => openCatalogAlone(key, { config, clock, log }) });
}

type CatalogParts = Pick<AppOptions, 'config' | 'clock' | 'log'>;

/** Without the rest of an installation. */
async function openCatalogAlone(masterKey: MasterKey, parts: CatalogParts): Promise<Catalog> {
  const home = await openHome(parts.config.home);
  try {
    const catalog = await openCatalogBy(masterKey, parts, home.own);
    try {
      await assertNoRescue(catalog);
      return catalog;
    } catch (error) {
      await catalog.close();
      throw error;
    }
  } finally {
    await home.close();
  }
}

/** @param tempDir for a dump before the tables change */
function openCatalogBy(masterKey: MasterKey, { config, clock, log }: CatalogParts, tempDir: string): Promise<Catalog> {
  const beforeMigration = dumpBeforeMigration({ config, masterKey, tempDir, clock, log });
  return openWithMasterKey(masterKey, config.masterKeyFile, (inHand) => openCatalog({ database: databaseOf(config), masterKey: inHand, log, clock, beforeMigration }));
}

function databaseOf({ databaseUrl, home }: Config): { readonly url: string } | { readonly home: string } {
  return databaseUrl === null ? { home } : { url: databaseUrl };
}
