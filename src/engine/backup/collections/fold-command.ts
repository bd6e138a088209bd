// Folds one command of the oplog into the catalog. Every command sets what it says absolutely and is keyed by UUID,
// so that commands the listing has already seen may be folded again (docs/design/consistency.md, "The catalog").
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { BSON_TYPE, filterFields, rawChild, rawDocument, rawField, rawFields, rawText } from '../../bson/index.ts';
import { joinNamespace, splitNamespace } from '../../mongo/index.ts';
import { isTrue, readUuid, unknownOperation, type CommandOp } from '../oplog/oplog-entry.ts';
import { EMPTY_DOCUMENT, withField, type Catalog, type CatalogCollection } from './catalog.ts';
import { foldCollMod } from './fold-coll-mod.ts';

type Fold = (catalog: Catalog, op: CommandOp, time: ClusterTime) => void;

const ignore: Fold = () => undefined;

const FOLDS: Readonly<Record<string, Fold>> = {
  create: foldCreate,
  drop: (catalog, op) => void catalog.delete(op.uuid ?? ''),
  dropDatabase: foldDropDatabase,
  renameCollection: foldRename,
  collMod: (catalog, op, time) => withCollection(catalog, op, (collection) => foldCollMod(collection, op, time)),
  createIndexes: foldCreateIndexes,
  // The build counts when it commits; what an aborted one leaves is nothing.
  startIndexBuild: ignore,
  abortIndexBuild: ignore,
  commitIndexBuild: foldCommitIndexBuild,
  dropIndexes: foldDropIndexes,
  deleteIndexes: foldDropIndexes,
  deleteIndex: foldDropIndexes,
  // Since 4.2 it is logged as a temporary collection, inserts and a rename; this entry adds nothing.
  convertToCapped: ignore,
  // A check of consistency between members; it changes no data.
  dbCheck: ignore,
};

/** True for a command that `foldCommand` takes. */
export function isFoldable(name: string): boolean {
  return Object.hasOwn(FOLDS, name);
}

/** @throws LeafvaultError CAPTURE_OPERATION_UNKNOWN */
export function foldCommand(catalog: Catalog, op: CommandOp, time: ClusterTime): void {
  const fold = isFoldable(op.name) ? FOLDS[op.name] : undefined;
  if (fold === undefined) throw unknownOperation(`"${op.name}"`, op.db, time);
  fold(catalog, op, time);
}

function foldCreate(catalog: Catalog, op: CommandOp, time: ClusterTime): void {
  if (op.uuid === null) throw unknownOperation('"create" without a UUID', op.db, time);
  const name = rawText(op.object, 'create') ?? '';
  const options = filterFields(op.object, (field) => field.name !== 'create' && field.name !== 'idIndex');
  const indexes = new Map<string, Buffer>();
  const collection = { uuid: op.uuid, db: op.db, name, options, indexes, bornAt: time };
  const idIndex = rawChild(op.object, 'idIndex') ?? (rawField(options, 'clusteredIndex') === null ? OLD_ID_INDEX : clusteredIdIndex(options));
  if (idIndex !== null) addIndex(collection, idIndex);
  catalog.set(op.uuid, collection);
}

/**
 * An index on `_id` of version 1 is not stated: one that was asked for, as mongorestore does where the source had one, or
 * that came of an `applyOps` of a `create` without any (checked on 6.0.5).
 */
const OLD_ID_INDEX = rawDocument([
  { name: 'v', type: BSON_TYPE.int, value: Buffer.of(1, 0, 0, 0) },
  { name: 'key', type: BSON_TYPE.document, value: rawDocument([{ name: '_id', type: BSON_TYPE.int, value: Buffer.of(1, 0, 0, 0) }]) },
  { name: 'name', type: BSON_TYPE.string, value: Buffer.from('\x05\0\0\0_id_\0', 'latin1') },
]);

/** A clustered collection lists its key as an index with `clustered: true`; buckets (`clusteredIndex: true`) list none. */
function clusteredIdIndex(options: Buffer): Buffer | null {
  const clustered = rawChild(options, 'clusteredIndex');
  return clustered === null ? null : withField(clustered, 'clustered', BSON_TYPE.bool, Buffer.of(1));
}

function foldDropDatabase(catalog: Catalog, op: CommandOp): void {
  for (const collection of catalog.values()) if (collection.db === op.db) catalog.delete(collection.uuid);
}

function foldRename(catalog: Catalog, op: CommandOp): void {
  const target = rawField(op.object, 'dropTarget');
  const dropped = target === null ? null : readUuid(op.object, target);
  if (dropped !== null && dropped !== op.uuid) catalog.delete(dropped);
  withCollection(catalog, op, (collection) => {
    const to = splitNamespace(rawText(op.object, 'to') ?? joinNamespace(collection.db, collection.name));
    collection.db = to.db;
    collection.name = to.name;
    if (!isTrue(op.object, 'stayTemp')) collection.options = withField(collection.options, 'temp', BSON_TYPE.bool, null);
  });
}

function foldCreateIndexes(catalog: Catalog, op: CommandOp): void {
  withCollection(catalog, op, (collection) => addIndex(collection, filterFields(op.object, (field) => field.name !== 'createIndexes')));
}

function foldCommitIndexBuild(catalog: Catalog, op: CommandOp): void {
  const list = rawChild(op.object, 'indexes') ?? EMPTY_DOCUMENT;
  withCollection(catalog, op, (collection) => {
    for (const field of rawFields(list)) addIndex(collection, list.subarray(field.valueAt, field.end));
  });
}

function addIndex(collection: CatalogCollection, specification: Buffer): void {
  collection.indexes.set(rawText(specification, 'name') ?? '', Buffer.from(specification));
}

function foldDropIndexes(catalog: Catalog, op: CommandOp): void {
  const name = rawText(op.object, 'index');
  withCollection(catalog, op, (collection) => {
    for (const each of collection.indexes.keys()) if (each === name || (name === '*' && each !== '_id_')) collection.indexes.delete(each);
  });
}

/** A collection that is not in the catalog was dropped before it was listed. */
function withCollection(catalog: Catalog, op: CommandOp, change: (collection: CatalogCollection) => void): void {
  const collection = catalog.get(op.uuid ?? '');
  if (collection !== undefined) change(collection);
}
