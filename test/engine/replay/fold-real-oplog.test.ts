// A random stream of writes on a real server, folded from several bases to several positions: every byte must be the
// server's own, read at that position. LEAFVAULT_REPLAY_SEED tells the seed.
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { BSON, Double, Int32, MongoClient, MongoServerError, type Document } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../src/domain/cluster-time.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { insertAsIs, oddDocuments, storeZeroTimestamps } from '../../support/odd-corpus.ts';
import { createRandom } from '../backup/random.ts';
import { CATALOG_KINDS, prepareCatalog, runCatalogOperation, type CatalogWorld } from '../backup/workload-catalog.ts';
import { countDiffKinds } from './diff-kinds.ts';
import { differencesOf, foldHeld, type Folded } from './fold-held.ts';
import { openOplogSource, type Held, type OplogSource, type RawEntry } from './oplog-source.ts';
import { changedSomething, shapedDocument, SHAPES } from './update-shapes.ts';

const SEED = Number(process.env.LEAFVAULT_REPLAY_SEED ?? 20261126);
const DOCUMENTS = 60;
// Each position is folded from the beginning: the work grows with the square of the rounds.
const ROUNDS = process.env.LEAFVAULT_LONG_TESTS === undefined ? 8 : 80;
const DATABASES = ['stream', 'other'];
/** Written by the server between our positions. */
const ours = (namespace: string): boolean => DATABASES.some((db) => namespace.startsWith(`${db}.`));

let set: ReplicaSet;
let client: MongoClient;
let source: OplogSource;
let beginning: ClusterTime;
let entries: RawEntry[];
/** In the order of their times: the first holds nothing, the last is the end of the stream. */
const checkpoints: Held[] = [];
const shapes = new Map<string, number>();

before(async () => {
  set = await startReplicaSet({ oplogSizeMB: 990, parameters: { minSnapshotHistoryWindowInSeconds: 900 } });
  client = new MongoClient(set.memberUri(0), { retryWrites: true });
  source = await openOplogSource(client);
  beginning = await source.now();
  checkpoints.push({ time: beginning, capped: true, collections: new Map() });
  await runStream();
  entries = await source.entries(beginning);
});

after(async () => {
  await client?.close();
  await set?.stop();
});

async function runStream(): Promise<void> {
  const random = createRandom(SEED);
  const db = client.db('stream');
  const docs = db.collection<Document>('docs');
  const ids: unknown[] = Array.from({ length: DOCUMENTS }, (_, i) => (i % 3 === 0 ? new Int32(i) : i % 3 === 1 ? `key ${i}` : { a: i, b: [i] }));
  await docs.insertMany(ids.map((id) => shapedDocument(id, random)));
  await db.createCollection('capped', { capped: true, size: 100_000, max: 60 });
  await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' } });
  await insertAsIs(client, 'stream', 'odd', oddDocuments());
  await storeZeroTimestamps(client, 'stream', 'odd');
  const world: CatalogWorld = { client, db, other: client.db('other'), random, journal: new Map(), victims: () => random.below(2) === 0 ? victimsOf(world) : victimsOf(world).reverse() };
  await db.createCollection('c0');
  await prepareCatalog(world);
  await addCheckpoint();
  for (let round = 0; round < ROUNDS; round += 1) {
    const reached: ClusterTime[] = [];
    for (const id of ids) await tolerating(() => docs.insertOne(shapedDocument(id, random)));
    for (const [name, shape] of shuffled(Object.entries(SHAPES), random)) {
      const id = ids[random.below(ids.length)];
      await tolerating(async () => {
        const result = await shape(docs, { _id: id instanceof Int32 ? id.valueOf() : id }, random);
        if (changedSomething(result)) shapes.set(name, (shapes.get(name) ?? 0) + 1);
      });
      if (random.below(20) === 0) reached.push(await source.now());
    }
    await writeAround(round, random);
    for (const time of reached.slice(0, 2)) checkpoints.push(await source.held(DATABASES, time, { capped: false }));
    await addCheckpoint();
    const kinds = round === 0 ? CATALOG_KINDS : [random.pick(CATALOG_KINDS), random.pick(CATALOG_KINDS)];
    for (const kind of kinds) await tolerating(() => runCatalogOperation(world, kind));
    await addCheckpoint();
  }
}

async function addCheckpoint(): Promise<void> {
  checkpoints.push(await source.held(DATABASES, await source.now()));
}

function victimsOf({ journal }: CatalogWorld): string[] {
  return [...journal].filter(([name, { kind, capped }]) => name.startsWith('stream.') && kind === 'collection' && !capped).map(([name]) => name.slice('stream.'.length));
}

/** What the server refuses leaves no trace in the oplog; another try comes in another round. */
async function tolerating(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error;
  }
}

function shuffled<T>(items: readonly T[], random: ReturnType<typeof createRandom>): T[] {
  return items.map((item) => ({ item, at: random.next() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/** Capped collections, time series, odd documents and transactions. */
async function writeAround(round: number, random: ReturnType<typeof createRandom>): Promise<void> {
  const db = client.db('stream');
  const odd = db.collection<Document>('odd');
  await db.collection('capped').insertMany(Array.from({ length: 1 + random.below(30) }, () => ({ n: random.below(1e9), pad: 'c'.repeat(random.below(900)) })));
  await db.collection('capped').updateMany({ n: { $lt: 1e8 } }, { $inc: { n: 0.5 } });
  await db.collection('series').insertMany(Array.from({ length: 20 }, () => ({ t: new Date(1e12 + random.below(1e8)), m: random.below(3), v: random.next(), [`x${random.below(4)}`]: 1 })));
  // A later measurement of a bucket has fields that none had before, within its values too.
  for (const [at, values] of [{ v: 1, in: {} }, { [`new${round % 2}`]: 1, in: { deep: 1 } }, { list: [{ a: 1 }] }, { list: [{ b: 1 }, 2] }].entries()) {
    await db.collection('series').insertOne({ t: new Date(2e12 + round * 1e8 + at * 1_000), m: 'sparse', ...values });
  }
  await odd.updateMany({}, { $inc: { touched: 1 } });
  await odd.updateOne({ _id: 102 as never }, { $set: { [`z${round % 3}`]: new BSON.Timestamp({ t: 0, i: 0 }) } });
  await odd.updateOne({ _id: 5 as never }, round % 2 === 0 ? { $unset: { 9: '' } } : { $set: { 9: round } });
  const shrink = db.collection<Document>('docs');
  await inTransaction(async (session) => {
    await shrink.insertOne({ _id: `tx ${round}` as never, a: [1] }, { session });
    await shrink.updateOne({ _id: `tx ${round}` as never }, { $push: { a: 2 } } as Document, { session });
    await odd.updateOne({ _id: 3 as never }, { $set: { tx: round } }, { session });
    if (round > 0) await shrink.deleteOne({ _id: `tx ${round - 1}` as never }, { session });
  }, round % 4 !== 3);
  if (round === 1) {
    await inTransaction(async (session) => {
      for (let i = 0; i < 20; i += 1) {
        await shrink.insertOne({ _id: `large ${i}` as never, pad: Buffer.alloc(900_000, i) }, { session });
        await shrink.updateOne({ _id: `large ${i % 3}` as never }, { $set: { [`f${i}`]: i } }, { session });
      }
      await shrink.deleteMany({ _id: { $in: ['large 5', 'large 6'] as never[] } }, { session });
    }, true);
  }
}

async function inTransaction(run: (session: ReturnType<MongoClient['startSession']>) => Promise<void>, commit: boolean): Promise<void> {
  await using session = client.startSession();
  session.startTransaction();
  await run(session);
  await (commit ? session.commitTransaction() : session.abortTransaction());
}

/** All collections of ours; capped ones only where they were read. */
function compared(wanted: Held, folded: Folded): (namespace: string) => boolean {
  return (namespace) => ours(namespace) && (wanted.capped || folded.collections.get(namespace)?.capped !== true);
}

async function compareAt(base: Held, wanted: Held, context: TestContext, label: string): Promise<Folded> {
  const folded = await foldHeld(base, entries, wanted.time, SEED);
  assert.deepEqual(differencesOf(folded, wanted, compared(wanted, folded)), [], `${label} (seed ${SEED})`);
  context.diagnostic(`${label}: ${folded.touched} touched ids, ${JSON.stringify(folded.window.counts)}`);
  return folded;
}

describe('a window of a real oplog', { timeout: 1_800_000 }, () => {
  test('folded from nothing gives every collection at every position', async (context) => {
    for (const [at, wanted] of checkpoints.entries()) await compareAt(checkpoints[0]!, wanted, context, `from nothing to position ${at}`);
  });

  test('folded from a base gives every collection at later positions', async (context) => {
    for (const name of ['docs', 'odd', 'capped', 'system.buckets.series', 'system.views']) assert.ok(checkpoints.at(-1)!.collections.has(`stream.${name}`), name);
    const whole = checkpoints.filter((each) => each.capped && each.collections.has('stream.capped'));
    for (const base of [whole[0]!, whole[3]!, whole.at(-4)!]) {
      for (const wanted of [base, whole.at(-1)!, ...checkpoints.slice(-6, -2)]) {
        if (compareClusterTimes(wanted.time, base.time) >= 0) await compareAt(base, wanted, context, `from ${base.time.t}:${base.time.i} to ${wanted.time.t}:${wanted.time.i}`);
      }
    }
  });

  test('held every shape of update and every kind of section', (context) => {
    const kinds = countDiffKinds(entries.map(({ raw }) => raw));
    context.diagnostic(JSON.stringify(Object.fromEntries(kinds)));
    context.diagnostic(JSON.stringify(Object.fromEntries(shapes)));
    assert.deepEqual([...kinds].filter(([, count]) => count === 0), []);
    assert.deepEqual(Object.keys(SHAPES).filter((name) => !shapes.has(name)), []);
  });
});

describe('a broken window of a real oplog', { timeout: 1_800_000 }, () => {
  test('is noticed when an entry comes twice or two change places', async () => {
    const random = createRandom(SEED + 1);
    for (let i = 0; i < 6; i += 1) {
      const at = random.below(entries.length - 1);
      const doubled = [...entries.slice(0, at + 1), ...entries.slice(at)];
      const swapped = [...entries.slice(0, at), entries[at + 1]!, entries[at]!, ...entries.slice(at + 2)];
      for (const broken of [doubled, swapped]) await assert.rejects(foldHeld(checkpoints[0]!, broken, checkpoints.at(-1)!.time), (error) => isLeafvaultError(error, 'REPLAY_WINDOW_BROKEN'));
    }
  });

  test('is noticed when the last entry of a document, or a part of a transaction, is missing', async (context) => {
    const wanted = checkpoints.at(-1)!;
    const last = new Map<string, number>();
    const parts: number[] = [];
    for (const [at, { raw }] of entries.entries()) {
      const { op, ns, o, o2 } = BSON.deserialize(raw, { promoteValues: false, validation: { utf8: false } }) as unknown as { op: { valueOf(): string }; ns: { valueOf(): string }; o: Document; o2?: Document };
      if (String(ns) === 'stream.docs' && ['i', 'u', 'd'].includes(String(op))) last.set(BSON.EJSON.stringify((o2 ?? o)._id), at);
      if (o.partialTxn !== undefined) parts.push(at);
    }
    const random = createRandom(SEED + 2);
    const outcomes = { parts: 0, refused: 0, differed: 0, unseen: 0 };
    for (const at of [...parts, ...shuffled([...last.values()], random).slice(0, 12)]) {
      const outcome = await foldHeld(checkpoints[0]!, entries.toSpliced(at, 1), wanted.time).catch((error: unknown) => error as Error);
      if (outcome instanceof Error) {
        assert.ok(isLeafvaultError(outcome), String(outcome));
        if (parts.includes(at)) assert.equal(outcome.code, 'REPLAY_TRANSACTION_CUT');
        outcomes[parts.includes(at) ? 'parts' : 'refused'] += 1;
      } else outcomes[differencesOf(outcome, wanted, ours).length > 0 ? 'differed' : 'unseen'] += 1;
    }
    context.diagnostic(JSON.stringify(outcomes));
    assert.equal(outcomes.unseen, 0);
    assert.equal(outcomes.parts, parts.length);
    assert.ok(parts.length > 0 && outcomes.differed > 0);
  });
});

test('an id of equal value and other bytes belongs to the same document', async () => {
  const collection = client.db('ids').collection<Document>('c');
  const begin = await source.now();
  await collection.insertOne({ _id: new Int32(1) as never, x: 1 });
  await collection.replaceOne({ _id: 1 as never }, { _id: new Double(1) as never, y: 1 });
  await collection.updateOne({ _id: 1 as never }, { $set: { z: 1 } });
  await collection.updateOne({ _id: 1 as never }, [{ $set: { _id: BSON.Long.fromNumber(1) } }]);
  await collection.updateOne({ _id: 1 as never }, { $unset: { y: 1 } });
  // A document so large that the pipeline is logged as a diff.
  await collection.insertOne({ _id: 2 as never, pad: 'x'.repeat(2000) });
  await inTransaction(async (session) => {
    await collection.updateOne({ _id: 2 as never }, [{ $set: { _id: new Double(2) } }], { session });
    await collection.updateOne({ _id: 2 as never }, { $set: { z: 2 } }, { session });
  }, true);
  await collection.deleteOne({ _id: 2 as never });
  await collection.insertOne({ _id: new Double(2) as never, again: 1 });
  const wanted = await source.held(['ids'], await source.now());
  const folded = await foldHeld({ time: begin, capped: true, collections: new Map() }, await source.entries(begin), wanted.time);
  assert.deepEqual(differencesOf(folded, wanted, (name) => name.startsWith('ids.')), []);
  assert.equal(folded.touched, 2);
});

test('a field that a document holds twice is refused once it is touched', async () => {
  await insertAsIs(client, 'twice', 'c', [oddDocuments()[0]!]);
  const begin = await source.now();
  await client.db('twice').collection<Document>('c').updateOne({ _id: 1 as never }, { $set: { a: 7 } });
  const wanted = await source.held(['twice'], await source.now());
  const base = await source.held(['twice'], begin);
  await assert.rejects(foldHeld(base, await source.entries(begin), wanted.time), (error) => isLeafvaultError(error, 'REPLAY_FIELD_AMBIGUOUS'));
});
