// Runs the writers beside a capture, and counts which operations met a collection that was partly scanned.
import { setTimeout as delay } from 'node:timers/promises';
import type { Binary, Document, MongoClient } from 'mongodb';
import { createRandom } from './random.ts';
import type { ScanWatcher, Tally } from './scan-watcher.ts';
import { CATALOG_KINDS, prepareCatalog, runCatalogOperation, type CatalogWorld, type Expected } from './workload-catalog.ts';
import { DOCUMENT_KINDS, prepareDocuments, runDocumentOperation, type DocumentKind, type DocumentWorld } from './workload-documents.ts';

export interface Workload {
  prepare(): Promise<void>;
  start(): void;
  /** Stops changes of the catalog and of capped collections; resolves when the last one is over. */
  pauseCatalog(): Promise<void>;
  stop(): Promise<void>;
  /** The catalog as the workload believes it to be. */
  readonly journal: ReadonlyMap<string, Expected>;
  readonly databases: readonly string[];
  cleanUp(): Promise<void>;
}

export interface WorkloadOptions {
  readonly client: MongoClient;
  readonly seed: number;
  readonly user: string;
  readonly watcher: ScanWatcher;
  readonly tally: Tally;
  readonly largeTransaction: boolean;
}

export function createWorkload(options: WorkloadOptions): Workload {
  const { client, seed, watcher, tally } = options;
  const random = createRandom(seed);
  const db = client.db(`work${seed}`);
  const other = client.db(`other${seed}`);
  const journal = new Map<string, Expected>();
  const uuids = new Map<string, string>();
  let documentsOn = true;
  let catalogOn = true;
  let running: Promise<unknown> = Promise.resolve();
  let catalogRun: Promise<unknown> = Promise.resolve();
  let cappedUnderWay = 0;

  const learn = async (): Promise<void> => {
    for (const each of [db, other, client.db('admin')]) {
      for (const { name, info } of (await each.listCollections().toArray()) as { name: string; info?: { uuid?: Binary } }[]) {
        if (info?.uuid !== undefined) uuids.set(`${each.databaseName}.${name}`, Buffer.from(info.uuid.buffer).toString('hex'));
      }
    }
  };
  // Users are so few that one reply holds them all: for them read is enough.
  const isPartly = (name: string): boolean =>
    name.startsWith('admin.') ? watcher.wasRead(uuids.get(name)) : watcher.isPartlyScanned(uuids.get(`${db.databaseName}.${name}`));
  const victims = (): readonly string[] => {
    const names = [...journal].filter(([name, { kind, capped }]) => kind === 'collection' && !capped && name.startsWith(`${db.databaseName}.`) && !KEPT.has(name.slice(db.databaseName.length + 1)))
      .map(([name]) => name.slice(db.databaseName.length + 1));
    return shuffle(names, random.next).sort((a, b) => Number(isPartly(b)) - Number(isPartly(a)));
  };
  const documents: DocumentWorld = { client, db, random, user: options.user };
  const catalog: CatalogWorld = { client, db, other, random, journal, victims };

  const writeDocuments = async (writer: number): Promise<void> => {
    let large = options.largeTransaction && writer === 0;
    const kinds = rotated(DOCUMENT_KINDS.filter((kind) => kind !== 'transaction above 16 MB'), seed + writer * 5);
    while (!watcher.scanning && documentsOn) await delay(5);
    for (let i = 0; documentsOn; i += 1) {
      const kind: DocumentKind = large && isPartly('c3') ? 'transaction above 16 MB' : kinds[i % kinds.length]!;
      if (kind === 'transaction above 16 MB') large = false;
      if (kind === 'insert into capped' && !catalogOn) continue;
      cappedUnderWay += kind === 'insert into capped' ? 1 : 0;
      const partly = new Set([...KEPT, 'system.buckets.series', 'admin.system.users'].filter(isPartly));
      const names = await tolerate(() => runDocumentOperation(documents, kind));
      cappedUnderWay -= kind === 'insert into capped' ? 1 : 0;
      // It counts when the scan had begun before it, and it was over before T1.
      if (catalogOn && names?.some((name) => partly.has(name))) tally.count(kind);
      await delay(2);
    }
  };
  const changeCatalog = async (): Promise<void> => {
    // Another kind comes first in every run: under load few operations fit into one scan.
    const kinds = rotated(CATALOG_KINDS, seed * 3);
    while (!(watcher.scanning && victims().some(isPartly)) && catalogOn) await delay(5);
    for (let i = 0; catalogOn; i += 1) {
      const kind = kinds[i % kinds.length]!;
      const before = [...journal];
      const partly = new Set(victims().filter(isPartly));
      const met = await runCatalogOperation(catalog, kind).catch(async (error: unknown) => {
        if (!isExpected(error)) throw error;
        journal.clear();
        for (const [name, expected] of before) journal.set(name, expected);
        await resync();
        return undefined;
      });
      if (met === undefined) continue;
      if (met === null ? watcher.scanning : partly.has(met)) tally.count(kind);
      await tolerate(learn);
    }
  };
  /** A build whose client was cut off by an election goes on at the new primary, which lists its index before it is known whether it succeeds. */
  const buildsOver = async (): Promise<void> => {
    while ((await tolerate(() => hasUnfinishedBuilds([db, other]))) !== false) await delay(20);
  };
  /** After an interrupted operation nobody knows whether it took place: the server is asked. */
  const resync = async (): Promise<void> => {
    for (;;) {
      await buildsOver();
      const known = await tolerate(() => listExpected([db, other]));
      if (known === null) continue;
      journal.clear();
      for (const [name, expected] of known) journal.set(name, expected);
      return;
    }
  };

  return {
    journal,
    databases: [db.databaseName, other.databaseName],
    async prepare() {
      await prepareDocuments(documents);
      await prepareCatalog(catalog);
      for (const [name, expected] of await listExpected([db, other])) if (!journal.has(name)) journal.set(name, expected);
      await learn();
    },
    start() {
      running = Promise.all([0, 1, 2].map(writeDocuments));
      catalogRun = changeCatalog();
      for (const each of [running, catalogRun]) each.catch(() => undefined);
    },
    async pauseCatalog() {
      catalogOn = false;
      await catalogRun;
      while (cappedUnderWay > 0) await delay(5);
      await buildsOver();
    },
    async stop() {
      documentsOn = false;
      catalogOn = false;
      await Promise.all([running, catalogRun]);
    },
    async cleanUp() {
      for (const each of [db, other]) await each.dropDatabase();
    },
  };
}

const KEPT = new Set(['c0', 'c1', 'c2', 'c3', 'unique', 'capped', 'series']);

async function listExpected(databases: readonly ReturnType<MongoClient['db']>[]): Promise<Map<string, Expected>> {
  const found = new Map<string, Expected>();
  for (const db of databases) {
    for (const { name, type, options } of (await db.listCollections().toArray()) as { name: string; type: string; options: Document }[]) {
      if (name.startsWith('system.') || options.temp === true) continue;
      const kind = type === 'view' || type === 'timeseries' ? type : 'collection';
      const indexes = kind === 'view' ? [] : (await db.collection(name).indexes()).map((index) => index.name!);
      found.set(`${db.databaseName}.${name}`, { kind, indexes: new Set(indexes), capped: options.capped === true, viewOn: kind === 'view' ? String(options.viewOn) : null });
    }
  }
  return found;
}

async function hasUnfinishedBuilds(databases: readonly ReturnType<MongoClient['db']>[]): Promise<boolean> {
  for (const db of databases) {
    for (const { name, type } of await db.listCollections({}, { nameOnly: true }).toArray()) {
      if (type === 'view' || name.startsWith('system.')) continue;
      const { cursor } = await db.command({ listIndexes: name, includeBuildUUIDs: true });
      if ((cursor.firstBatch as Document[]).some(({ buildUUID }) => buildUUID !== undefined)) return true;
    }
  }
  return false;
}

/** Elections, conflicts and names that another writer took make operations fail; a failed one is just not counted. */
async function tolerate<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (!isExpected(error)) throw error;
    await delay(20);
    return null;
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('Mongo') && !['MongoInvalidArgumentError', 'MongoAPIError', 'MongoClientClosedError'].includes(error.name);
}

function shuffle<T>(items: readonly T[], next: () => number): T[] {
  return items.map((item) => ({ item, at: next() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

function rotated<T>(items: readonly T[], by: number): T[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}
