// What the servers say the databases held at T1, read in a way that shares nothing with the capture's scan, and the
// comparison with a snapshot. A read at a past time by name answers nothing, without an error, where the name changed
// since: so the catalog must not have changed between T1 and here, and the caller sees to that.
import assert from 'node:assert/strict';
import { BSON, Timestamp, type Document, type MongoClient } from 'mongodb';
import { createRawReader, readAll, type RawReader } from '../../../src/engine/mongo/index.ts';
import { rawChild } from '../../../src/engine/bson/index.ts';
import type { ClusterTime } from '../../../src/domain/cluster-time.ts';
import { idText, show, type SettledEntry } from '../../support/settled.ts';

export interface OracleCollection {
  readonly name: string;
  readonly type: string;
  readonly documents: readonly Buffer[];
  readonly options: Document;
  readonly indexes: readonly Document[];
  readonly capped: boolean;
}

/**
 * @param client direct to one member
 * @param only `db.collection` of those to read; everything by default
 */
export async function readOracle(client: MongoClient, databases: readonly string[], time: ClusterTime, only?: readonly string[]): Promise<Map<string, OracleCollection>> {
  const reader = await createRawReader(client);
  const found = new Map<string, OracleCollection>();
  for (const db of databases) {
    for await (const raw of readAll(reader, db, { listCollections: 1 })) {
      const { name } = BSON.deserialize(raw) as unknown as { name: string };
      if (only !== undefined && !only.includes(`${db}.${name}`)) continue;
      const collection = await readCollection(reader, { db, raw: Buffer.from(raw), time });
      if (collection !== null) found.set(collection.name, collection);
    }
  }
  return found;
}

async function readCollection(reader: RawReader, at: { readonly db: string; readonly raw: Buffer; readonly time: ClusterTime }): Promise<OracleCollection | null> {
  const { name, type, options } = BSON.deserialize(at.raw) as unknown as { name: string; type: string; options: Document };
  if (name.startsWith('system.')) return null;
  const capped = options.capped === true;
  const find = type === 'timeseries' ? `system.buckets.${name}` : name;
  const readConcern = capped ? { level: 'majority' } : { level: 'snapshot', atClusterTime: new Timestamp({ t: at.time.t, i: at.time.i }) };
  const documents = type === 'view' ? [] : await collect(readAll(reader, at.db, { find, readConcern, ...(capped ? { hint: { $natural: 1 } } : {}) }));
  const indexes = type === 'view' ? [] : await collect(readAll(reader, at.db, { listIndexes: name }));
  return {
    name: `${at.db}.${name}`, type, documents, capped,
    options: decode(rawChild(at.raw, 'options')!),
    indexes: indexes.map(decode).sort(byName),
  };
}

/** Differences of documents, options and indexes between a snapshot and what the servers held; empty when equal. */
export function compareWithOracle(entries: ReadonlyMap<string, SettledEntry>, oracle: ReadonlyMap<string, OracleCollection>): string[] {
  const problems: string[] = [];
  for (const name of new Set([...entries.keys(), ...oracle.keys()])) {
    const [entry, wanted] = [entries.get(name), oracle.get(name)];
    if (entry === undefined || wanted === undefined) problems.push(`${name}: ${entry === undefined ? 'missing in the snapshot' : 'should not be in the snapshot'}`);
    else problems.push(...compareCollection(entry, wanted));
  }
  return problems;
}

/** Differences between what a restore made and what the source held. */
export function compareOracles(found: ReadonlyMap<string, OracleCollection>, wanted: ReadonlyMap<string, OracleCollection>): string[] {
  const problems: string[] = [];
  for (const name of new Set([...found.keys(), ...wanted.keys()])) {
    const [made, held] = [found.get(name), wanted.get(name)];
    if (made === undefined || held === undefined) problems.push(`${name}: ${made === undefined ? 'missing' : 'too much'}`);
    else {
      const say = (text: string): void => void problems.push(`${name}: ${text}`);
      if (made.type !== held.type) say(`is a ${made.type}, should be a ${held.type}`);
      for (const problem of held.capped ? compareInOrder(made.documents, held.documents) : compareById(made.documents, held.documents)) say(problem);
      if (difference(made.options, held.options)) say(`options ${BSON.EJSON.stringify(made.options)}, should be ${BSON.EJSON.stringify(held.options)}`);
      if (difference(made.indexes, held.indexes)) say(`indexes ${BSON.EJSON.stringify(made.indexes)}, should be ${BSON.EJSON.stringify(held.indexes)}`);
    }
  }
  return problems;
}

function compareCollection(entry: SettledEntry, wanted: OracleCollection): string[] {
  const problems: string[] = [];
  const say = (text: string): void => void problems.push(`${wanted.name}: ${text}`);
  const type = entry.body.kind === 'collection' ? 'collection' : entry.body.kind;
  if (type !== wanted.type) say(`is a ${type}, should be a ${wanted.type}`);
  for (const problem of wanted.capped ? compareInOrder(entry.documents, wanted.documents) : compareById(entry.documents, wanted.documents)) say(problem);
  if (entry.body.documents !== wanted.documents.length) say(`states ${entry.body.documents} documents, there are ${wanted.documents.length}`);
  if (entry.body.bytes !== wanted.documents.reduce((sum, { length }) => sum + length, 0)) say('states other bytes than there are');
  const stated = (BSON.deserialize(Buffer.from(entry.body.indexes, 'base64'), { promoteValues: false }) as { indexes: Document[] }).indexes.sort(byName);
  if (difference(decode(Buffer.from(entry.body.options, 'base64')), wanted.options)) say(`options ${BSON.EJSON.stringify(decode(Buffer.from(entry.body.options, 'base64')))}, should be ${BSON.EJSON.stringify(wanted.options)}`);
  if (difference(stated, wanted.indexes)) say(`indexes ${BSON.EJSON.stringify(stated)}, should be ${BSON.EJSON.stringify(wanted.indexes)}`);
  return problems;
}

export function compareById(found: readonly Buffer[], wanted: readonly Buffer[]): string[] {
  const problems: string[] = [];
  const rest = new Map(wanted.map((document) => [idText(document), document]));
  for (const document of found) {
    const id = idText(document);
    const expected = rest.get(id);
    if (expected === undefined) problems.push(`too much or twice: ${show(document)}`);
    else if (!expected.equals(document)) problems.push(`differs: ${show(document)} should be ${show(expected)}`);
    rest.delete(id);
  }
  for (const document of rest.values()) problems.push(`missing: ${show(document)}`);
  return problems.slice(0, 5);
}

/** More than all writers together can have under way at once. */
const AT_ONCE = 64;

/**
 * Inserts at the same time lie in the primary in another order than in the oplog, and so than in the secondaries (6.0.5: 1 to 3 % of what 16 writers
 * insert): places may differ by what can be under way at once. One writer's order is compared exactly in capture.test.ts.
 */
function compareInOrder(found: readonly Buffer[], wanted: readonly Buffer[]): string[] {
  const places = new Map(found.map((document, place) => [document.toString('latin1'), place]));
  const at = wanted.findIndex((document, place) => Math.abs((places.get(document.toString('latin1')) ?? Number.POSITIVE_INFINITY) - place) > AT_ONCE);
  if (at < 0 && found.length === wanted.length) return [];
  return [`${found.length} documents, should be ${wanted.length}; at ${at}: ${show(found[at])}, should be ${show(wanted[at])}`];
}

function decode(bytes: Buffer): Document {
  return BSON.deserialize(bytes, { promoteValues: false });
}

/** Order of fields doesn't count in options, numbers by value: servers write an int as a long now and then. */
function difference(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(BSON.EJSON.parse(BSON.EJSON.stringify(a as Document)), BSON.EJSON.parse(BSON.EJSON.stringify(b as Document)));
    return false;
  } catch {
    return true;
  }
}

function byName(a: Document, b: Document): number {
  return String(a.name).localeCompare(String(b.name));
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const each of source) all.push(Buffer.from(each));
  return all;
}
