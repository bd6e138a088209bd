// Writers of the catalog: every kind of change of collections, indexes and views, with a journal of what should be there.
import { MongoServerError, type Db, type Document, type MongoClient } from 'mongodb';
import type { Random } from './random.ts';

export const CATALOG_KINDS = [
  'create', 'drop', 'drop and create again', 'rename', 'rename over another', 'rename across databases', 'build an index', 'fail to build an index', 'drop an index', 'modify a collection',
  'modify an index', 'create a view', 'modify a view', 'drop a view', 'convert to capped', 'change the limits of a capped collection', 'drop a database', 'write with $out', 'write with $merge', 'create in a transaction',
] as const;

export type CatalogKind = (typeof CATALOG_KINDS)[number];

/** What the journal says of a name. */
export interface Expected {
  readonly kind: 'collection' | 'view' | 'timeseries';
  readonly indexes: ReadonlySet<string>;
  readonly capped: boolean;
  readonly viewOn: string | null;
}

export interface CatalogWorld {
  readonly client: MongoClient;
  readonly db: Db;
  readonly other: Db;
  readonly random: Random;
  /** `db.collection` to what should be there. */
  readonly journal: Map<string, Expected>;
  /** Collections that nobody minds losing, those in question first. */
  readonly victims: () => readonly string[];
}

const plain = (indexes: readonly string[] = []): Expected => ({ kind: 'collection', indexes: new Set(['_id_', ...indexes]), capped: false, viewOn: null });
const VICTIM_DOCUMENTS = 150;
const DUPLICATE_KEY = 11_000;
let names = 0;

export async function prepareCatalog(world: CatalogWorld): Promise<void> {
  await Promise.all(Array.from({ length: 9 }, (_, i) => createVictim(world, world.db, `victim${i}`)));
  await createVictim(world, world.other, 'guest');
  await world.db.createCollection('view0', { viewOn: 'c0', pipeline: [{ $match: { k: 1 } }] });
  record(world, world.db, 'view0', { kind: 'view', indexes: new Set(), capped: false, viewOn: 'c0' });
}

/** Runs one operation; the name of the collection that it met, as it was called before. */
export async function runCatalogOperation(world: CatalogWorld, kind: CatalogKind): Promise<string | null> {
  const { db, other, random, journal, client } = world;
  const [victim, second] = world.victims();
  const namespace = (name: string): string => `${db.databaseName}.${name}`;
  if (victim === undefined || second === undefined) return null;
  switch (kind) {
    case 'create':
      await createVictim(world, db, freshName());
      return null;
    case 'drop':
      await db.dropCollection(victim);
      journal.delete(namespace(victim));
      return victim;
    case 'drop and create again':
      await db.dropCollection(victim);
      await createVictim(world, db, victim);
      return victim;
    case 'rename': {
      const to = freshName();
      await db.renameCollection(victim, to);
      move(world, namespace(victim), namespace(to));
      return victim;
    }
    case 'rename over another':
      await db.renameCollection(victim, second, { dropTarget: true });
      move(world, namespace(victim), namespace(second));
      return victim;
    case 'rename across databases': {
      const to = `${other.databaseName}.${freshName()}`;
      await client.db('admin').command({ renameCollection: namespace(victim), to });
      move(world, namespace(victim), to);
      return victim;
    }
    case 'build an index': {
      const name = await db.collection(victim).createIndex({ [random.pick(['k', 'n', 'nested.a.b', '2', 'pad'])]: random.pick([1, -1]), [`x${names++}`]: 1 });
      change(world, namespace(victim), (before) => ({ ...before, indexes: new Set([...before.indexes, name]) }));
      return victim;
    }
    case 'fail to build an index': {
      const failed = await db.collection(victim).createIndex({ k: 1 }, { unique: true, name: 'twice' }).then(() => false, (error: unknown) => {
        if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return true;
        throw error;
      });
      if (!failed) change(world, namespace(victim), (before) => ({ ...before, indexes: new Set([...before.indexes, 'twice']) }));
      return victim;
    }
    case 'drop an index': {
      const indexOf = (name: string): string | undefined => [...(journal.get(namespace(name))?.indexes ?? [])].find((index) => index !== '_id_');
      const found = world.victims().find((name) => indexOf(name) !== undefined);
      if (found === undefined) {
        await runCatalogOperation(world, 'build an index');
        return runCatalogOperation(world, kind);
      }
      const index = indexOf(found)!;
      await db.collection(found).dropIndex(index);
      change(world, namespace(found), (before) => ({ ...before, indexes: new Set([...before.indexes].filter((name) => name !== index)) }));
      return found;
    }
    case 'modify a collection':
      await db.command({ collMod: victim, ...random.pick<Document>([
        { validator: { n: { $gte: random.below(5) } }, validationLevel: 'moderate' }, { validator: { $jsonSchema: { bsonType: 'object' } }, validationAction: 'warn' },
        { validator: {} }, { validationLevel: 'off' }, { changeStreamPreAndPostImages: { enabled: true } }, { changeStreamPreAndPostImages: { enabled: false } },
      ]) });
      return victim;
    case 'modify an index':
      await db.command({ collMod: victim, index: { name: 'ttl', ...random.pick([{ expireAfterSeconds: 100_000 + random.below(1e6) }, { hidden: true }, { hidden: false }]) } });
      return victim;
    case 'create a view':
      return createView(world, freshName());
    case 'modify a view':
      await db.command({ collMod: 'view0', viewOn: victim, pipeline: [{ $match: { k: random.below(50) } }] });
      record(world, db, 'view0', { kind: 'view', indexes: new Set(), capped: false, viewOn: victim });
      return null;
    case 'drop a view': {
      const view = [...journal].find(([name, { kind: is }]) => is === 'view' && !name.endsWith('.view0'))?.[0];
      if (view === undefined) return createView(world, freshName());
      await db.dropCollection(view.slice(db.databaseName.length + 1));
      journal.delete(view);
      return null;
    }
    case 'convert to capped':
      await db.command({ convertToCapped: victim, size: 200_000 });
      record(world, db, victim, { ...plain(), capped: true });
      return victim;
    case 'change the limits of a capped collection': {
      const capped = [...journal].find(([name, { capped: is }]) => is && name.startsWith(namespace('')))?.[0];
      if (capped === undefined) {
        await runCatalogOperation(world, 'convert to capped');
        return runCatalogOperation(world, kind);
      }
      await db.command({ collMod: capped.slice(db.databaseName.length + 1), cappedSize: 4_096 + random.below(400_000), cappedMax: 20 + random.below(1_000) });
      return null;
    }
    case 'drop a database':
      await other.dropDatabase();
      for (const name of [...journal.keys()]) if (name.startsWith(`${other.databaseName}.`)) journal.delete(name);
      await createVictim(world, other, freshName());
      return null;
    case 'write with $out': {
      await db.collection(victim).aggregate([{ $match: {} }, { $out: second }]).toArray();
      // $out keeps the indexes and options of what it replaces.
      return second;
    }
    case 'write with $merge':
      await db.collection(victim).aggregate([{ $match: { k: { $lt: 10 } } }, { $set: { merged: random.below(1e6) } }, { $merge: { into: second, whenMatched: 'merge' } }]).toArray();
      return second;
    case 'create in a transaction': {
      const name = freshName();
      await client.withSession((session) => session.withTransaction(async () => {
        await other.createCollection(name, { session });
        await other.collection(name).createIndex({ n: 1 }, { session, name: 'early' });
        await other.collection(name).insertOne({ n: 1 }, { session });
      }));
      record(world, other, name, plain(['early']));
      return null;
    }
  }
}

async function createView(world: CatalogWorld, name: string): Promise<null> {
  await world.db.createCollection(name, { viewOn: 'c1', pipeline: [{ $project: { '2': 1, '1': 1 } }], collation: { locale: 'fr' } });
  record(world, world.db, name, { kind: 'view', indexes: new Set(), capped: false, viewOn: 'c1' });
  return null;
}

async function createVictim(world: CatalogWorld, db: Db, name: string): Promise<void> {
  await db.createCollection(name, world.random.pick<Document>([{}, { validator: { n: { $exists: true } } }, { collation: { locale: 'de', strength: 2 } }, { idIndex: { v: 1, key: { _id: 1 }, name: '_id_' } }]));
  record(world, db, name, plain());
  await db.collection(name).createIndex({ at: 1 }, { name: 'ttl', expireAfterSeconds: 90_000_000 });
  record(world, db, name, plain(['ttl']));
  await db.collection<Document>(name).insertMany(Array.from({ length: VICTIM_DOCUMENTS }, (_, n) => ({ _id: n as never, n, k: n % 50, pad: `${name}-`.repeat(150) })));
}

function record(world: CatalogWorld, db: Db, name: string, expected: Expected): void {
  world.journal.set(`${db.databaseName}.${name}`, expected);
}

function change(world: CatalogWorld, namespace: string, to: (before: Expected) => Expected): void {
  const before = world.journal.get(namespace);
  if (before !== undefined) world.journal.set(namespace, to(before));
}

function move(world: CatalogWorld, from: string, to: string): void {
  const moved = world.journal.get(from);
  world.journal.delete(from);
  if (moved !== undefined) world.journal.set(to, moved);
}

function freshName(): string {
  names += 1;
  return `fresh${names}`;
}
