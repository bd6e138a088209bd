// `leafvault rescue`: a home and a catalog from a store and a master key (docs/design/rescue.md).
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openForRescue, type Catalog, type CatalogOptions, type CatalogRescue, type CatalogTransaction } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import { throwIfAborted } from '../foundation/abort.ts';
import type { Clock } from '../foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import { dumpBodyOf, linesOf, reconcile, sessionOwner, surveyStore, type DumpBody, type Reconciled } from '../jobs/index.ts';
import { openRepository, type Dump, type Repository } from '../repository/index.ts';
import { FIRST_CLUSTER, FIRST_START_MARK, makeFreshKeys, type FreshKey } from '../services/index.ts';
import { openStorage } from '../storage/index.ts';
import { openHome } from './home.ts';
import { masterKeyOf } from './master-key.ts';
import { placeMasterKey, refuseOtherKey } from './place-master-key.ts';

export interface RescueParts {
  readonly config: Config;
  /** 32 bytes that open the repository. */
  readonly masterKey: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RescueChoice {
  /** null: the newest whole one. */
  readonly dumpId: string | null;
  readonly withoutDump: boolean;
  /** Until the rows are loaded; after that it is brought to its end. */
  readonly signal?: AbortSignal;
  /** What is under way, for a person. */
  readonly onStep: (words: string) => void;
}

export interface FoundDump extends Omit<Dump, 'body'> {
  /** null: written in a way that this version does not know. */
  readonly body: DumpBody | null;
}

export interface FoundDumps {
  /** Newest first. */
  readonly dumps: readonly FoundDump[];
  /** Why others can't be read. */
  readonly unreadable: readonly string[];
}

/** What would come back. */
export interface RescuePlan {
  readonly dump: FoundDump | null;
  /** Why the catalog can't be rescued into; empty: it can. */
  readonly inTheWay: readonly string[];
  readonly snapshotsInStore: number;
  readonly chainsInStore: number;
  readonly unreadable: readonly string[];
}

export interface RescueReport extends Reconciled {
  readonly repositoryId: string;
  readonly dump: FoundDump | null;
  /** Rows of the dump by table; empty without one. */
  readonly loaded: Readonly<Record<string, number>>;
  /** Of the catalog as it is now. */
  readonly totals: { readonly organizations: number; readonly projects: number; readonly clusters: number; readonly apiKeys: number; readonly users: number; readonly snapshots: number };
  /** Names of clusters, with their project's, that wait for their connection string. */
  readonly waiting: readonly string[];
  readonly freshKeys: readonly FreshKey[];
  readonly masterKeyFile: string;
}

/** Settings of a dump that the new catalog has of its own. */
const OWN_SETTINGS: ReadonlySet<string> = new Set(['masterKeyFingerprint', 'repositoryId', 'rescue']);

/** @throws what opening the repository throws */
export async function findDumps(parts: RescueParts): Promise<FoundDumps> {
  return withRepository(parts, null, dumpsOf);
}

/** Reads everything that a rescue would, and writes nothing. */
export async function planRescue(parts: RescueParts, choice: RescueChoice): Promise<RescuePlan> {
  return withRepository(parts, null, async (repository) => {
    const { dump, unreadable } = await choose(repository, choice);
    const survey = await surveyStore(repository);
    let chainsInStore = 0;
    for await (const _ of repository.chains.list()) chainsInStore += 1;
    return { dump, inTheWay: await inTheWay(parts), snapshotsInStore: survey.roots.size, chainsInStore, unreadable: [...unreadable, ...survey.unreadable] };
  });
}

/** @throws CATALOG_NOT_EMPTY, RESCUE_NOTHING_THERE, RESCUE_KEY_OTHER, CATALOG_DUMP_DAMAGED, CATALOG_NEWER, what repository and catalog fail with */
export async function rescue(parts: RescueParts, choice: RescueChoice): Promise<RescueReport> {
  const { config, masterKey, clock } = parts;
  await refuseOtherKey(config.masterKeyFile, masterKey);
  const home = await openHome(config.home);
  try {
    return await withRepository(parts, home.own, async (repository) => {
      const { dump, unreadable } = await choose(repository, choice);
      const target = await openForRescue(catalogOptions(parts));
      try {
        await assertEmpty(target);
        throwIfAborted(choice.signal);
        await placeMasterKey(config.masterKeyFile, masterKey);
        choice.onStep(dump === null ? 'making empty tables' : `loading the dump of ${dump.createdAt}`);
        const loaded = await target.load(dump === null ? null : { migrations: dump.body?.migrations ?? [], lines: linesOf(repository.dumps.read(dump.id, choice.signal === undefined ? {} : { signal: choice.signal })) }, (name) => OWN_SETTINGS.has(name));
        const catalog = await target.open();
        choice.onStep('comparing with the store');
        const { freshKeys, ...found } = await settleWithStore({ catalog, repository, clock });
        return {
          ...found, ...(await standOf(catalog)), repositoryId: repository.id, dump, loaded, freshKeys, masterKeyFile: config.masterKeyFile,
          notes: [...unreadable, ...brokenWords(dump), ...found.notes],
        };
      } finally {
        await target.close();
      }
    });
  } finally {
    await home.close();
  }
}

async function settleWithStore({ catalog, repository, clock }: {
  readonly catalog: Catalog; readonly repository: Repository; readonly clock: Clock;
}): Promise<Reconciled & { readonly freshKeys: readonly FreshKey[] }> {
  let freshKeys: readonly FreshKey[] = [];
  const found = await reconcile({ catalog, repository, clock }, async (tx, made) => {
    await tx.settings.set('repositoryId', repository.id);
    await markFirstStart(tx);
    freshKeys = await makeFreshKeys(tx, clock, made.organizations);
  });
  return { ...found, freshKeys };
}

/** Where `LEAFVAULT_SOURCE_URI` belongs; a later start makes no first organization beside the rescued ones. */
async function markFirstStart(tx: CatalogTransaction): Promise<void> {
  const clusters = await tx.clusters.ofProjects(null);
  const [first] = [...clusters.filter(({ name }) => name === FIRST_CLUSTER), ...clusters];
  if (first !== undefined) await tx.settings.getOrSet(FIRST_START_MARK, first.projectId);
}

async function withRepository<T>({ config, masterKey, clock, log }: RescueParts, folder: string | null, work: (repository: Repository) => Promise<T>): Promise<T> {
  // Looking only: nothing is made in the home.
  const tempDir = folder ?? (await mkdtemp(join(tmpdir(), 'leafvault-rescue-')));
  const storage = openStorage(config.repositoryStore);
  try {
    const repository = await openRepository({ storage, masterKey, tempDir, clock, log, owner: await sessionOwner(), threads: 0 });
    try {
      return await work(repository);
    } finally {
      await repository.close();
    }
  } finally {
    await storage.close();
    if (folder === null) await rm(tempDir, { recursive: true, force: true });
  }
}

async function dumpsOf(repository: Repository): Promise<FoundDumps> {
  const unreadable: string[] = [];
  const dumps = await repository.dumps.list({ onUnreadable: (object, error) => void unreadable.push(error instanceof Error ? error.message : object) });
  return { dumps: dumps.map((dump) => ({ ...dump, body: dumpBodyOf(dump) })), unreadable };
}

interface Chosen { readonly dump: FoundDump | null; /** Why newer ones were passed over. */ readonly unreadable: readonly string[] }

async function choose(repository: Repository, { dumpId, withoutDump, onStep }: RescueChoice): Promise<Chosen> {
  const { dumps, unreadable } = await dumpsOf(repository);
  if (withoutDump) return { dump: await anythingElse(repository), unreadable: [] };
  if (dumpId !== null) return { dump: await named(repository, dumps.find(({ id }) => id === dumpId), dumpId), unreadable: [] };
  const passedOver = [...unreadable];
  for (const dump of dumps) {
    const reason = await whyNot(repository, dump);
    if (reason === null) return { dump, unreadable: passedOver };
    passedOver.push(`The dump ${dump.id} of ${dump.createdAt} was passed over: ${reason}`);
  }
  if (passedOver.length > 0) {
    throw new LeafvaultError('REPOSITORY_DUMP_MISSING', `Rescuing failed: no dump of the catalog can be read (${passedOver.join('; ')})`, {
      hint: 'Bring the objects below catalog/ back from a copy of the store; or rebuild from the snapshots alone with --without-dump',
    });
  }
  onStep('there is no dump of the catalog; rebuilding from the snapshots');
  return { dump: await anythingElse(repository), unreadable: [] };
}

async function named(repository: Repository, dump: FoundDump | undefined, dumpId: string): Promise<FoundDump> {
  const reason = dump === undefined ? 'the repository has no whole dump of that id' : await whyNot(repository, dump);
  if (dump !== undefined && reason === null) return dump;
  throw new LeafvaultError('REPOSITORY_DUMP_MISSING', `Rescuing from the dump ${dumpId} failed: ${reason}`, { details: { dumpId }, hint: '`leafvault rescue --list` shows those that are there' });
}

/** null: every part opens, and they add up. */
async function whyNot(repository: Repository, { id, body }: FoundDump): Promise<string | null> {
  if (body === null) return 'it was written in a way that this Leafvault does not know';
  try {
    for await (const _ of repository.dumps.read(id));
    return null;
  } catch (error) {
    if (isLeafvaultError(error) && error.code.startsWith('REPOSITORY_')) return error.message;
    throw error;
  }
}

/** null, unless there is nothing at all to rebuild from. */
async function anythingElse(repository: Repository): Promise<null> {
  const onUnreadable = (_object: string, error: unknown): void => {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
  };
  for await (const _ of repository.listSnapshots({ onUnreadable })) return null;
  throw new LeafvaultError('RESCUE_NOTHING_THERE', 'Rescuing failed: the repository holds neither a dump of the catalog nor a snapshot that can be read', {
    hint: 'Check the address of the store; a new installation is begun by `leafvault serve`',
  });
}

async function inTheWay(parts: RescueParts): Promise<readonly string[]> {
  const { config, masterKey } = parts;
  await refuseOtherKey(config.masterKeyFile, masterKey);
  const isThere = config.databaseUrl !== null || (await stat(join(config.home, 'postgres')).then(() => true, () => false));
  if (!isThere) return [];
  const target = await openForRescue(catalogOptions(parts));
  try {
    return await target.content();
  } finally {
    await target.close();
  }
}

async function assertEmpty(target: CatalogRescue): Promise<void> {
  const found = await target.content();
  if (found.length === 0) return;
  throw new LeafvaultError('CATALOG_NOT_EMPTY', `Rescuing into this catalog was refused: it holds ${found.join(', ')}`, {
    hint: 'Give an empty home with --home, or an empty database with LEAFVAULT_DATABASE_URL; nothing is written over',
  });
}

function catalogOptions({ config, masterKey, clock, log }: RescueParts): CatalogOptions {
  const { databaseUrl, home } = config;
  return { database: databaseUrl === null ? { home } : { url: databaseUrl }, masterKey: masterKeyOf(masterKey), log, clock };
}

async function standOf(catalog: Catalog): Promise<Pick<RescueReport, 'totals' | 'waiting'>> {
  const one = { pageNumber: 1, itemsPerPage: 1 };
  const clusters = await catalog.clusters.ofProjects(null);
  const waiting: string[] = [];
  let snapshots = 0;
  for (const cluster of clusters) {
    snapshots += (await catalog.snapshots.list(cluster.id, one, { completedOnly: true })).totalCount;
    if (await catalog.clusters.uriOf(cluster.id) === null) waiting.push(`${cluster.name} of project ${(await catalog.projects.get(cluster.projectId))?.name ?? cluster.projectId}`);
  }
  const [organizations, projects, apiKeys, users] = await Promise.all([
    catalog.organizations.list({ ids: null }, one), catalog.projects.list({ orgIds: null, ids: null }, one), catalog.apiKeys.count(), catalog.users.count(),
  ]);
  return { totals: { organizations: organizations.totalCount, projects: projects.totalCount, clusters: clusters.length, apiKeys, users, snapshots }, waiting };
}

function brokenWords(dump: FoundDump | null): string[] {
  const broken = dump?.body?.broken ?? 0;
  return broken === 0 ? [] : [`${broken} secrets did not open when the dump was taken: they were altered, or sealed with another master key, and came back as they were`];
}
