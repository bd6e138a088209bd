import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BSON, Double, Int32, Long, ObjectId, type Document, type Filter, type Timestamp } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../src/domain/cluster-time.ts';
import type { Mark, OperationFilter, OperationPage, TimelinePart } from '../../../src/domain/timeline.ts';
import { findOperations, readTimeline, type ReadTimelineOptions } from '../../../src/engine/timeline/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { startSmallSource, type SmallSource } from '../restore/instant/small-source.ts';

let small: SmallSource;
let begin: ClusterTime;
const { signal } = new AbortController();
const collection = (name: string, db = 'shop') => small.client.db(db).collection<Document>(name);
const id = (value: unknown): never => value as never;
const PAD = 'x'.repeat(1024 * 1024);

before(async () => {
  small = await startSmallSource(createMemoryStorage(), async (client) => {
    await client.db('shop').collection<Document>('many').insertMany(Array.from({ length: 1_500 }, (_, n) => ({ _id: id(n), n })));
    await client.db('shop').collection<Document>('orders').insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: id(n), n })));
    for (const name of ['a', 'b', 'c']) await client.db('gone').collection(name).insertOne({});
  });
  begin = await small.here();
});
after(() => small?.[Symbol.asyncDispose]());

const slices: ReadTimelineOptions['slices'] = (read) => small.oplog.instant({ t: 0, i: 0 }).slices(read);

async function timeline(options: Partial<ReadTimelineOptions> = {}): Promise<TimelinePart> {
  return readTimeline({ slices, from: begin, to: await small.here(), threshold: 1_000, signal, ...options });
}

async function operations(filter: OperationFilter, options: { from?: ClusterTime; to?: ClusterTime; limit?: number; after?: OperationPage['next']; bytesShown?: number; bytesRead?: number } = {}): Promise<OperationPage> {
  return findOperations({ slices, from: begin, to: await small.here(), filter, after: null, limit: 100, bytesShown: 4_096, signal, ...options });
}

const total = ({ counts }: TimelinePart, namespace: string): number[] => {
  const of = counts.filter((each) => each.namespace === namespace);
  return (['insert', 'update', 'delete'] as const).map((kind) => of.reduce((sum, each) => sum + each[kind], 0));
};

/** Position of the newest entry before another one, by the server's own oplog. */
async function entryBefore(time: ClusterTime): Promise<ClusterTime> {
  const all = await small.client.db('local').collection('oplog.rs').find({}, { projection: { ts: 1 } }).sort({ $natural: -1 }).toArray();
  const times = all.map(({ ts }) => ({ t: (ts as Timestamp).t, i: (ts as Timestamp).i }));
  return times.find((each) => compareClusterTimes(each, time) < 0)!;
}

async function positionOf(filter: Filter<Document>): Promise<ClusterTime> {
  const [entry] = await small.client.db('local').collection('oplog.rs').find(filter).sort({ $natural: -1 }).limit(1).toArray();
  return { t: (entry!['ts'] as Timestamp).t, i: (entry!['ts'] as Timestamp).i };
}

async function onlyMark(options: Partial<ReadTimelineOptions>): Promise<Mark> {
  const { marks } = await timeline(options);
  assert.equal(marks.length, 1, JSON.stringify(marks));
  return marks[0]!;
}

describe('the time line', { timeout: 900_000 }, () => {
  test('counts what happened to each namespace in each minute', async () => {
    const from = await small.here();
    await collection('orders').insertMany([1, 2, 3].map((n) => ({ _id: id(100 + n) })));
    await collection('orders').updateMany({ n: { $lt: 5 } }, { $set: { seen: true } });
    await collection('orders').deleteMany({ n: { $gt: 17 } });
    await collection('other').insertOne({ a: 1 });
    const part = await timeline({ from });
    assert.equal(part.counts.find(({ namespace }) => namespace === 'shop.other')?.command, 1, 'its create');
    assert.deepEqual([total(part, 'shop.orders'), total(part, 'shop.other'), part.readTo, part.partial], [[3, 5, 2], [1, 0, 0], null, 0]);
    for (const { minute, bytes } of part.counts) assert.ok(minute % 60 === 0 && minute >= from.t - 60 && bytes > 0);
    assert.deepEqual((await timeline({ from, namespace: 'shop.other' })).counts.map(({ namespace }) => namespace), ['shop.other']);
  });

  test('leaves out what a drill did in its scratch databases, unless that is asked for by name', async () => {
    const from = await small.here();
    const scratch = '__lvd_0123456789ab_0';
    await collection('a', scratch).insertOne({ _id: id(1) });
    await small.client.db(scratch).dropDatabase();
    await collection('orders').insertOne({ _id: id(400) });
    const { counts, marks } = await timeline({ from });
    assert.deepEqual([counts.map(({ namespace }) => namespace), marks], [['shop.orders'], []]);
    assert.deepEqual((await operations({}, { from })).operations.map(({ namespace }) => namespace), ['shop.orders']);
    const asked = await timeline({ from, namespace: scratch });
    assert.deepEqual([total(asked, `${scratch}.a`), asked.marks.map(({ kind }) => kind)], [[1, 0, 0], ['dropDatabase']]);
    assert.ok((await operations({ namespace: scratch }, { from })).operations.length >= 3);
    await collection('orders').deleteOne({ _id: id(400) });
  });

  test('marks a mass delete, with the position just before it', async () => {
    const from = await small.here();
    await collection('many').deleteMany({});
    const mark = await onlyMark({ from });
    assert.deepEqual([mark.kind, mark.namespace, mark.count], ['massDelete', 'shop.many', 1_500]);
    assert.deepEqual(mark.justBefore, await entryBefore(mark.first));
    assert.deepEqual(mark.leaveOut, { namespace: 'shop.many', kind: 'delete', from: mark.first, to: mark.last });
    assert.deepEqual((await timeline({ from, threshold: 1_501 })).marks, []);
    // Nothing before it was deleted, nothing behind it either.
    const { operations: [first] } = await operations({ namespace: 'shop.many', kind: 'delete' }, { from, limit: 1 });
    assert.deepEqual([first?.position, first?.justBefore], [mark.first, mark.justBefore]);
  });

  test('marks a mass update, also of one transaction', async () => {
    await collection('many').insertMany(Array.from({ length: 1_200 }, (_, n) => ({ _id: id(n), n })));
    const from = await small.here();
    await small.client.withSession((session) => session.withTransaction(async () => void await collection('many').updateMany({}, { $inc: { n: 1 } }, { session })));
    const mark = await onlyMark({ from });
    assert.deepEqual([mark.kind, mark.count, mark.first, mark.last], ['massUpdate', 1_200, mark.last, await positionOf({ 'o.applyOps': { $exists: true } })]);
    assert.deepEqual(mark.justBefore, await entryBefore(mark.first));
  });

  test('marks drops, renames, dropped indexes and changed options', async () => {
    const from = await small.here();
    await collection('kept').insertOne({ a: 1 });
    await collection('kept').createIndex({ a: 1 });
    await collection('kept').dropIndex('a_1');
    await collection('lost').insertOne({ a: 1 });
    await small.client.db('shop').command({ collMod: 'kept', validator: { a: { $exists: true } } });
    await collection('kept').rename('lost', { dropTarget: true });
    await collection('lost').drop();
    const { marks } = await timeline({ from });
    assert.deepEqual(marks.map(({ kind, namespace, to }) => [kind, namespace, to]), [
      ['dropIndexes', 'shop.kept', null], ['collMod', 'shop.kept', null], ['rename', 'shop.kept', 'shop.lost'], ['drop', 'shop.lost', null],
    ]);
    for (const { first, justBefore, leaveOut } of marks) assert.deepEqual([justBefore, leaveOut], [await entryBefore(first), { at: first }]);
    assert.deepEqual((await timeline({ from, namespace: 'shop.lost' })).marks.map(({ kind }) => kind), ['rename', 'drop'], 'a rename over a collection concerns it');
  });

  test('marks a dropped database once, just before its first collection went', async () => {
    const from = await small.here();
    await collection('a', 'gone').drop();
    await collection('b', 'gone').insertOne({ still: 'used' });
    await small.client.db('gone').dropDatabase();
    const { marks } = await timeline({ from });
    assert.deepEqual(marks.map(({ kind, namespace, count }) => [kind, namespace, count]), [['drop', 'gone.a', 1], ['dropDatabase', 'gone', 2]]);
    const mark = marks[1]!;
    assert.deepEqual([mark.justBefore, mark.last], [await entryBefore(mark.first), await positionOf({ 'o.dropDatabase': 1 })]);
    assert.ok(compareClusterTimes(mark.first, mark.last) < 0);
    assert.deepEqual(mark.leaveOut, { namespace: 'gone', kind: 'drop', from: mark.first, to: mark.last });
    // Asked for one collection alone, the same: writes beside it tell the drops apart.
    assert.deepEqual((await timeline({ from, namespace: 'gone.a' })).marks.map(({ kind, count }) => [kind, count]), [['drop', 1], ['dropDatabase', 2]]);
    assert.deepEqual((await timeline({ from, namespace: 'gone.c' })).marks.map(({ kind, count }) => [kind, count]), [['dropDatabase', 2]]);
  });

  test('tells a drop of before from a dropped database, when a collection was made in between', async () => {
    await collection('a', 'twice').insertOne({});
    const from = await small.here();
    await collection('a', 'twice').drop();
    await small.client.db('twice').createCollection('b');
    await small.client.db('twice').dropDatabase();
    assert.deepEqual((await timeline({ from })).marks.map(({ kind, namespace, count }) => [kind, namespace, count]), [['drop', 'twice.a', 1], ['dropDatabase', 'twice', 1]]);
  });

  test('counts a transaction once, at its commit, however many entries it takes', async () => {
    const from = await small.here();
    await small.client.withSession((session) => session.withTransaction(async () => {
      for (let n = 0; n < 20; n += 1) await collection('large').insertOne({ _id: id(n), PAD }, { session });
    }));
    const commit = await positionOf({ 'o.applyOps': { $exists: true }, 'o.partialTxn': { $ne: true } });
    assert.deepEqual(total(await timeline({ from }), 'shop.large'), [20, 0, 0]);
    // From its commit on, and up to just before it.
    assert.deepEqual(total(await timeline({ from: commit }), 'shop.large'), [20, 0, 0]);
    assert.deepEqual(total(await timeline({ from, to: { t: commit.t, i: commit.i - 1 } }), 'shop.large'), [0, 0, 0]);
    // Where its parts can't be read, it says so.
    const late: typeof slices = async function* (read) {
      for await (const slice of slices(read)) if (compareClusterTimes(slice.to, commit) >= 0) yield slice;
    };
    const { partial, ...part } = await timeline({ from: commit, slices: late });
    assert.ok(total(part as TimelinePart, 'shop.large')[0]! < 20);
    assert.equal(partial, 1);
  });

  test('ends with a minute where there is too much, and goes on from there to the same sums', async () => {
    const whole = await timeline();
    const found = new Map<string, number>();
    let from: ClusterTime | null = begin;
    let parts = 0;
    for (; from !== null; parts += 1) {
      const part: TimelinePart = await timeline({ from, threshold: 1e9, limits: { counts: 1 } });
      for (const { namespace, minute, insert, update, delete: deleted } of part.counts) found.set(`${minute} ${namespace}`, (found.get(`${minute} ${namespace}`) ?? 0) + insert + update + deleted);
      from = part.readTo === null ? null : { t: part.readTo.t, i: part.readTo.i + 1 };
    }
    assert.deepEqual([...found.entries()].sort(), whole.counts.map(({ minute, namespace, insert, update, delete: deleted }) => [`${minute} ${namespace}`, insert + update + deleted]).sort());
    assert.ok(parts >= new Set(whole.counts.map(({ minute }) => minute)).size);
  });
});

describe('single operations', { timeout: 900_000 }, () => {
  test('are found by namespace, kind and _id, numbers by value', async () => {
    const from = await small.here();
    const oid = new ObjectId();
    await collection('find').insertMany([{ _id: id(7) }, { _id: id(new Double(8)) }, { _id: id(Long.fromNumber(9)) }, { _id: id('7') }, { _id: id(oid) }]);
    await collection('find').updateOne({ _id: id(7) }, { $set: { a: new Date(0) } });
    await collection('find').deleteOne({ _id: id(oid) });
    await collection('find').drop();
    const kinds = async (filter: OperationFilter): Promise<string[]> => (await operations(filter, { from })).operations.map(({ kind, command }) => command ?? kind);
    assert.deepEqual(await kinds({ namespace: 'shop.find' }), ['create', 'insert', 'insert', 'insert', 'insert', 'insert', 'update', 'delete', 'drop']);
    assert.deepEqual([await kinds({ namespace: 'shop.find', id: '7' }), await kinds({ id: '8' }), await kinds({ id: '{"$numberLong": "9"}' })], [['insert', 'update'], ['insert'], ['insert']]);
    assert.deepEqual([await kinds({ id: '"7"' }), await kinds({ id: `{"$oid": "${oid.toHexString()}"}` }), await kinds({ id: '6' })], [['insert'], ['insert', 'delete'], []]);
    assert.deepEqual(await kinds({ namespace: 'shop', kind: 'command' }), ['create', 'drop']);
    await collection('find').insertMany([{ _id: id(Long.fromString('9007199254740992')) }, { _id: id(Long.fromString('9007199254740993')) }]);
    assert.deepEqual(await kinds({ id: '{"$numberLong": "9007199254740993"}' }), ['insert'], 'beyond what a double can tell apart');
    await assert.rejects(kinds({ id: 'seven' }), { code: 'FILTER_ID_MALFORMED' });
    await collection('find').drop();
    await collection('find').insertMany([{ _id: id(new BSON.BSONSymbol('sign')) }, { _id: id({ a: [new Int32(1), new BSON.BSONSymbol('s')] }) }, { _id: id(BSON.Decimal128.fromString('0.10')) }, { _id: id(new Double(0.1)) }]);
    assert.deepEqual([await kinds({ id: '"sign"' }), await kinds({ id: '{"$symbol": "sign"}' }), await kinds({ id: '{"a": [{"$numberDouble": "1.0"}, "s"]}' })], [['insert'], ['insert'], ['insert']], 'as a server compares');
    assert.deepEqual([await kinds({ id: '{"a": [1, "t"]}' }), await kinds({ id: '{"$numberDecimal": "0.1"}' }), await kinds({ id: '0.1' })], [[], ['insert'], ['insert']]);
    const { operations: [update] } = await operations({ namespace: 'shop.find', kind: 'update' }, { from });
    assert.deepEqual([update?.object, update?.id, update?.ofTransaction], [{ $v: 2, diff: { i: { a: { $date: '1970-01-01T00:00:00Z' } } } }, '{"$numberInt":"7"}', null]);
    assert.match(update?.session ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(update?.justBefore, await entryBefore(update!.position));
  });

  test('come page by page, also within a transaction', async () => {
    const from = await small.here();
    await collection('page').insertOne({ _id: id(-1) });
    await small.client.withSession((session) => session.withTransaction(async () => {
      for (let n = 0; n < 25; n += 1) await collection('page').insertOne({ _id: id(n), pad: 'x'.repeat(10_000) }, { session });
    }));
    await collection('page').insertOne({ _id: id(25) });
    const met: (readonly [number, number | null, number])[] = [];
    let next: OperationPage['next'] = null;
    let pages = 0;
    // Where very much would have to be gone through, a page ends early.
    const short = await operations({ namespace: 'shop.page', id: '25' }, { from, bytesRead: 1_000 });
    assert.ok(short.operations.length === 0 && short.next !== null);
    assert.equal((await operations({ namespace: 'shop.page', id: '25' }, { from, after: short.next })).operations.length, 1);
    do {
      const page: OperationPage = await operations({ namespace: 'shop.page', kind: 'insert' }, { from, limit: 4, after: next });
      for (const { id: named, ofTransaction, number, object, bytes } of page.operations) {
        met.push([Number(JSON.parse(named!).$numberInt), ofTransaction, number]);
        assert.equal(object === null, bytes > 4_096);
      }
      next = page.next;
      pages += 1;
    } while (next !== null);
    assert.equal(pages, 7);
    assert.deepEqual(met.map(([named]) => named), Array.from({ length: 27 }, (_, n) => n - 1));
    assert.deepEqual([met[0], met[1], met[25], met[26]], [[-1, null, 0], [0, 25, 0], [24, 25, 24], [25, null, 0]]);
  });
});
