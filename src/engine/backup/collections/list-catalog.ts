// Lists databases, collections, options and finished indexes of the member that is read, raw.
import type { Document } from 'mongodb';
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { throwIfAborted } from '../../../foundation/abort.ts';
import { rawChild, rawField, rawText } from '../../bson/index.ts';
import { documentsOfBatch, joinNamespace, showNamespace, toTimestamp } from '../../mongo/index.ts';
import type { CaptureContext } from '../capture-context.ts';
import { readUuid } from '../oplog/oplog-entry.ts';
import { runAtOnce } from '../run-at-once.ts';
import { uuidBinary } from '../scan/scan-collection.ts';
import { asReadError, isPrivilegeMissing, serverCode } from '../source.ts';
import { isCapturable } from './choose-collections.ts';
import { EMPTY_DOCUMENT, type Catalog, type CatalogCollection } from './catalog.ts';

/** Databases of the servers' own business. */
const INTERNAL_DATABASES = new Set(['local', 'config']);
const NAMESPACE_NOT_FOUND = 26;
const AT_ONCE = 8;

/** @param since a time that the listing has to be after; null where there is no oplog */
export async function listCatalog(context: CaptureContext, since: ClusterTime | null): Promise<Catalog> {
  const catalog: Catalog = new Map();
  const readConcern = since === null ? {} : { readConcern: { level: 'local', afterClusterTime: toTimestamp(since) } };
  for (const db of await listDatabases(context)) {
    for (const collection of await listCollections(context, db, readConcern)) catalog.set(collection.uuid, collection);
    context.watch.beat();
  }
  await runAtOnce([...catalog.values()].filter(isCapturable), AT_ONCE, async (collection) => {
    throwIfAborted(context.signal);
    if (!(await listIndexes(context, collection, readConcern))) catalog.delete(collection.uuid);
    context.watch.beat();
  });
  return catalog;
}

async function listDatabases({ source }: CaptureContext): Promise<readonly string[]> {
  try {
    const reply = await source.command('admin', { listDatabases: 1, nameOnly: true });
    const names = (reply.databases as readonly { readonly name: string }[]).map(({ name }) => name);
    return names.filter((name) => !INTERNAL_DATABASES.has(name));
  } catch (error) {
    throw asReadError(error, 'Listing databases', source.member);
  }
}

async function listCollections(context: CaptureContext, db: string, readConcern: Document): Promise<readonly CatalogCollection[]> {
  const collections: CatalogCollection[] = [];
  for (const entry of await readWhole(context, db, { command: { listCollections: 1, ...readConcern }, what: `Listing collections of ${db}` })) {
    const type = rawText(entry, 'type');
    if (type === 'view' || type === 'timeseries') continue;
    const info = rawChild(entry, 'info');
    const uuidField = info === null ? null : rawField(info, 'uuid');
    const name = rawText(entry, 'name') ?? '';
    const uuid = info === null || uuidField === null ? null : readUuid(info, uuidField);
    collections.push({ uuid: uuid ?? joinNamespace(db, name), db, name, options: Buffer.from(rawChild(entry, 'options') ?? EMPTY_DOCUMENT), indexes: new Map(), bornAt: null });
  }
  return collections;
}

/** False when the collection is gone. Builds that are not finished carry a `buildUUID` and are left out. */
async function listIndexes(context: CaptureContext, collection: CatalogCollection, readConcern: Document): Promise<boolean> {
  const uuid = uuidOf(collection);
  const command = { listIndexes: uuid === null ? collection.name : uuidBinary(uuid), ...(uuid === null ? {} : { includeBuildUUIDs: true }), ...readConcern };
  try {
    for (const entry of await readWhole(context, collection.db, { command, what: `Listing indexes of ${showNamespace(joinNamespace(collection.db, collection.name))}` })) {
      if (rawField(entry, 'buildUUID') !== null) continue;
      const specification = rawChild(entry, 'spec') ?? entry;
      collection.indexes.set(rawText(specification, 'name') ?? '', Buffer.from(specification));
    }
    return true;
  } catch (error) {
    if (serverCode((error as Error).cause) === NAMESPACE_NOT_FOUND) return false;
    // Users and roles that the account may not read are left out by the scan, which says so.
    if (isPrivilegeMissing(error) && collection.db === 'admin' && collection.name.startsWith('system.')) return true;
    throw error;
  }
}

async function readWhole({ source }: CaptureContext, db: string, read: { readonly command: Document; readonly what: string }): Promise<readonly Buffer[]> {
  try {
    const documents: Buffer[] = [];
    let reply = await source.open(db, read.command);
    const cursor = { id: reply.cursorId, collection: reply.namespace.slice(reply.namespace.indexOf('.') + 1) };
    for (;;) {
      documents.push(...documentsOfBatch(reply.batch));
      if (reply.cursorId === 0n) return documents;
      reply = await source.more(db, cursor);
    }
  } catch (error) {
    throw asReadError(error, read.what, source.member);
  }
}

/** The server's UUID, null where it gave none. */
export function uuidOf(collection: CatalogCollection): string | null {
  return collection.uuid.includes('.') ? null : collection.uuid;
}
