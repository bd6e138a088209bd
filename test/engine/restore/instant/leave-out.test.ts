import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Double, type BSON, type Document, type Filter } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { DependentsChoice, LeaveOut, LeftOutReport } from '../../../../src/domain/leave-out.ts';
import { restoreSnapshot } from '../../../../src/engine/restore/index.ts';
import { isLeafvaultError, type LeafvaultError } from '../../../../src/foundation/errors.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { restoreWorld } from '../../../support/restore-world.ts';
import { createRandom } from '../../backup/random.ts';
import { startSmallSource, type SmallSource } from './small-source.ts';

let small: SmallSource;
const collection = (name: string) => small.client.db('shop').collection<Document>(name);
const copy = (name: string) => small.client.db('copy').collection<Document>(name);
const id = (value: unknown): never => value as never;

before(async () => {
  small = await startSmallSource(createMemoryStorage(), async (client) => {
    const db = client.db('shop');
    for (const name of ['orders', 'stock', 'staff', 'cards', 'notes', 'random']) {
      await db.collection<Document>(name).insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: id(n), n, lines: [{ of: n }], address: { city: 'x' } })));
    }
    await db.collection('stock').createIndex({ n: 1 }, { name: 'by_n' });
    await db.createCollection('cheap', { viewOn: 'stock', pipeline: [{ $match: { n: { $lt: 3 } } }] });
    await db.createCollection('log', { capped: true, size: 4096 });
    await db.createCollection('heat', { timeseries: { timeField: 'at' } });
  });
});
after(() => small?.[Symbol.asyncDispose]());
beforeEach(() => small.client.db('copy').dropDatabase());

interface Wanted {
  readonly border?: ClusterTime;
  readonly dependents?: DependentsChoice;
  readonly onPhase?: (phase: string) => Promise<void>;
}

/** Restores collections of `shop` into `copy`, without what is left out. */
async function restoreWithout(what: readonly LeaveOut[], names: readonly string[], { border, dependents = 'refuse', onPhase }: Wanted = {}): Promise<LeftOutReport | null> {
  const instant = { ...small.oplog.instant(border ?? await small.here()), leaveOut: { what, dependents } };
  const selection = { databases: names.length === 0 ? ['shop'] : [], collections: names.map((name) => `shop.${name}`), renames: [{ from: 'shop', to: 'copy' }] };
  await using world = await restoreWorld(small.repository, small.root, small.server.uri, { selection, instant });
  const result = await restoreSnapshot({ ...world.options, ...(onPhase === undefined ? {} : { onPhase }) });
  return result.leftOut ?? null;
}

/** What a restore is refused with; nothing was written. */
async function refusal(what: readonly LeaveOut[], names: readonly string[], border?: ClusterTime): Promise<LeafvaultError> {
  await small.client.db('copy').dropDatabase();
  const phases: string[] = [];
  const wanted = { ...(border === undefined ? {} : { border }), onPhase: async (phase: string) => void phases.push(phase) };
  const error = await restoreWithout(what, names, wanted).then(() => assert.fail('the restore succeeded'), (reason: unknown) => reason);
  assert.ok(isLeafvaultError(error), String(error));
  assert.deepEqual(phases, ['preflight']);
  assert.deepEqual(await small.client.db('copy').listCollections().toArray(), []);
  return error;
}

/** Positions of the newest entries of the oplog that match, oldest first. */
async function entries(filter: Filter<Document>, count = 1): Promise<ClusterTime[]> {
  const found = await small.client.db('local').collection('oplog.rs').find(filter).sort({ $natural: -1 }).limit(count).toArray();
  assert.equal(found.length, count);
  return found.reverse().map(({ ts }) => ({ t: (ts as BSON.Timestamp).t, i: (ts as BSON.Timestamp).i }));
}

async function entry(filter: Filter<Document>): Promise<ClusterTime> {
  return (await entries(filter))[0] as ClusterTime;
}

const without = (documents: readonly Document[], ...ids: readonly number[]): Document[] => documents.filter(({ _id }) => !ids.includes(Number(_id)));

describe('a restore without a mistake', { timeout: 900_000 }, () => {
  test('brings back what was deleted, and keeps everything that came after', async () => {
    await collection('orders').insertOne({ _id: id(100), made: 'before' });
    await collection('orders').deleteMany({ n: { $gte: 5 } });
    const deletes = await entries({ ns: 'shop.orders', op: 'd' }, 15);
    await collection('orders').insertOne({ _id: id(101), made: 'after' });
    await collection('orders').updateOne({ _id: id(1) }, { $set: { n: 'changed' } });
    const report = await restoreWithout([{ namespace: 'shop.orders', kind: 'delete', from: deletes[0]!, to: deletes.at(-1)! }], ['orders']);
    assert.deepEqual(report, { operations: 15, commands: [], dependents: { applied: 0, overwrites: 0, skipped: 0, moot: 0 }, examples: [] });
    const restored = await small.documents('copy', 'orders');
    assert.deepEqual(restored.map(({ _id }) => _id as unknown), [...Array.from({ length: 20 }, (_, n) => n), 100, 101]);
    assert.equal(restored[1]?.['n'], 'changed');
  });

  test('brings back a collection that was dropped, with its indexes and its last documents', async () => {
    await collection('stock').insertOne({ _id: id(50), n: 50 });
    const held = await small.documents('shop', 'stock');
    await collection('stock').drop();
    const drop = await entry({ 'o.drop': 'stock' });
    await collection('notes').insertOne({ _id: id(100) });
    const report = await restoreWithout([{ at: drop }], ['stock', 'notes']);
    assert.deepEqual(report?.commands, [{ position: drop, name: 'drop', namespace: 'shop.stock' }]);
    assert.deepEqual(await small.documents('copy', 'stock'), held);
    assert.deepEqual((await copy('stock').indexes()).map(({ name }) => name), ['_id_', 'by_n']);
    assert.equal(await copy('notes').countDocuments({ _id: id(100) }), 1);
    // Made anew under its old name, both can't be there.
    const before = await small.here();
    await collection('stock').insertOne({ _id: id(1) });
    assert.equal((await refusal([{ at: drop }], ['stock'])).code, 'RESTORE_LEAVE_OUT_CONFLICT');
    await restoreWithout([{ at: drop }], ['stock'], { border: before });
    await collection('stock').drop();
  });

  test('brings back dropped indexes and views, and undoes a rename', async () => {
    await collection('staff').createIndex({ n: 1 }, { name: 'by_n' });
    await collection('staff').dropIndex('by_n');
    await small.client.db('shop').collection('cheap').drop();
    const [index, view] = [await entry({ 'o.dropIndexes': 'staff' }), await entry({ ns: 'shop.system.views', op: 'd' })];
    await collection('staff').rename('people');
    const rename = await entry({ 'o.renameCollection': 'shop.staff' });
    await collection('people').insertOne({ _id: id(100) });
    await restoreWithout([{ at: index }, { at: view }, { at: rename }], []);
    assert.deepEqual((await copy('staff').indexes()).map(({ name }) => name), ['_id_', 'by_n']);
    assert.equal(await copy('staff').countDocuments(), 21);
    assert.deepEqual((await small.client.db('copy').listCollections({ type: 'view' }).toArray()).map(({ name }) => name), ['cheap']);
  });
});

describe('a restore without a session', { timeout: 900_000 }, () => {
  test('leaves out everything that it wrote', async () => {
    // The driver hands a session out again: earlier transactions may have had it.
    const from = await small.here();
    const session = small.client.startSession();
    const name = (session.id!['id'] as BSON.Binary).toString('hex');
    await collection('notes').updateOne({ _id: id(4) }, { $set: { n: 'wrong' } }, { session });
    await session.withTransaction(async () => void await collection('notes').insertOne({ _id: id(104) }, { session }));
    await collection('notes').updateOne({ _id: id(5) }, { $set: { n: 'right' } });
    await session.endSession();
    assert.equal((await restoreWithout([{ session: name, from }], ['notes']))?.operations, 2);
    assert.deepEqual((await copy('notes').find({ _id: { $in: [id(4), id(5), id(104)] } }).sort({ _id: 1 }).toArray()).map(({ n }) => n as unknown), [4, 'right']);
    const { hint } = await refusal([{ session: '0'.repeat(32) }], ['notes']);
    assert.match(hint ?? '', /time line/);
  });
});

describe('what depends on something left out', { timeout: 900_000 }, () => {
  test('is told before anything is written, and applied, put in its place or skipped when that is wished', async () => {
    const cards = collection('cards');
    await cards.insertOne({ _id: id(400), n: 1 });
    const insert = await entry({ ns: 'shop.cards', op: 'i' });
    await cards.updateMany({ _id: { $in: [id(1), id(2), id(3)] } }, { $set: { wrong: true } });
    const updates = await entries({ ns: 'shop.cards', op: 'u' }, 3);
    await cards.deleteOne({ _id: id(4) });
    const removal = await entry({ ns: 'shop.cards', op: 'd' });
    // On them: a diff, a replacement, nothing; a diff of what is not there; a second beginning.
    await cards.updateOne({ _id: id(1) }, { $set: { more: 1 } });
    await cards.replaceOne({ _id: id(2) }, { whole: 'new' });
    await cards.updateOne({ _id: id(2) }, { $set: { again: 1 } });
    await cards.updateOne({ _id: id(400) }, { $set: { n: 2 } });
    await cards.deleteOne({ _id: id(400) });
    await cards.insertOne({ _id: id(4), n: 'second' });
    const what: LeaveOut[] = [{ at: insert }, { namespace: 'shop.cards', kind: 'update', from: updates[0]!, to: updates[2]! }, { at: removal }];
    const error = await refusal(what, ['cards']);
    assert.equal(error.code, 'RESTORE_LEAVE_OUT_DEPENDENTS');
    const report = error.details as unknown as LeftOutReport;
    assert.deepEqual([report.operations, report.dependents], [5, { applied: 1, overwrites: 2, skipped: 1, moot: 1 }]);
    assert.deepEqual(report.examples.map(({ id: named, kind, outcome }) => [JSON.parse(named)['$numberInt'], kind, outcome]).sort(), [
      ['1', 'update', 'applied'], ['2', 'update', 'overwrites'], ['4', 'insert', 'overwrites'], ['400', 'delete', 'moot'], ['400', 'update', 'skipped'],
    ]);
    assert.deepEqual((await restoreWithout(what, ['cards'], { dependents: 'apply' }))?.dependents, report.dependents);
    const restored = new Map((await small.documents('copy', 'cards')).map(({ _id, ...rest }) => [Number(_id), rest]));
    assert.deepEqual([restored.get(1)?.['wrong'], restored.get(1)?.['more'], restored.get(3)?.['wrong']], [undefined, 1, undefined]);
    assert.deepEqual([restored.get(2), restored.get(4), restored.has(400)], [{ whole: 'new', again: 1 }, { n: 'second' }, false]);
    // Before them there is nothing to tell.
    const atOnce = await restoreWithout(what, ['cards'], { border: removal });
    assert.deepEqual(atOnce?.dependents, { applied: 0, overwrites: 0, skipped: 0, moot: 0 });
    assert.equal((await copy('cards').findOne({ _id: id(4) }))?.['n'], 4);
  });

  test('and does not fit is skipped as a whole, and told at the end', async () => {
    const cards = collection('cards');
    await cards.updateOne({ _id: id(7) }, { $set: { deep: { list: [{ a: 1 }, { a: 2 }], text: 'a long text that makes a diff worth while'.repeat(4) } } });
    const made = await entry({ ns: 'shop.cards', op: 'u' });
    await cards.updateOne({ _id: id(7) }, { $set: { 'deep.list.1.a': 3, also: 1 } });
    await cards.updateOne({ _id: id(7) }, { $set: { last: 1 } });
    const report = await restoreWithout([{ at: made }], ['cards'], { dependents: 'apply' });
    assert.deepEqual(report?.dependents, { applied: 1, overwrites: 0, skipped: 1, moot: 0 });
    const { deep, also, last } = (await copy('cards').findOne({ _id: id(7) }))!;
    assert.deepEqual([deep, also, last], [undefined, undefined, 1]);
  });

  test('is what a model says, for random operations of which random ones are left out', async (context) => {
    const random = createRandom(20261126);
    const { below } = random;
    const model = new Map<number, Document>((await small.documents('shop', 'random')).map((each) => [Number(each['_id']), each]));
    const steps: { readonly kind: string; readonly of: number; readonly value: Document }[] = [];
    const present = new Set(model.keys());
    for (let step = 0; step < 400; step += 1) {
      const of = below(30);
      const kind = present.has(of) ? ['set', 'set', 'unset', 'replace', 'delete'][below(5)]! : 'insert';
      const value = { [`f${below(4)}`]: step };
      const filter = { _id: id(of) };
      if (kind === 'insert') await collection('random').insertOne({ ...value, _id: id(of) });
      else if (kind === 'set') await collection('random').updateOne(filter, { $set: value });
      else if (kind === 'unset') await collection('random').updateOne(filter, { $set: { step }, $unset: Object.fromEntries(Object.keys(value).map((key) => [key, ''])) });
      else if (kind === 'replace') await collection('random').replaceOne(filter, value);
      else await collection('random').deleteOne(filter);
      if (kind === 'insert') present.add(of);
      if (kind === 'delete') present.delete(of);
      steps.push({ kind, of, value: kind === 'unset' ? { step, ...value } : value });
    }
    const positions = await entries({ ns: 'shop.random', op: { $in: ['i', 'u', 'd'] } }, steps.length);
    const left = new Set(steps.flatMap((_, index) => (random.next() < 0.12 ? [index] : [])));
    for (const [index, { kind, of, value }] of steps.entries()) {
      if (left.has(index)) continue;
      const known = model.get(of);
      if (kind === 'insert') model.set(of, { _id: of, ...value });
      else if (kind === 'delete') model.delete(of);
      else if (known === undefined) continue;
      else if (kind === 'replace') model.set(of, { _id: of, ...value });
      else if (kind === 'set') model.set(of, { ...known, ...value });
      else {
        const { step, ...gone } = value;
        model.set(of, Object.fromEntries(Object.entries({ ...known, step }).filter(([key]) => !(key in gone))));
      }
    }
    const report = await restoreWithout([...left].map((index) => ({ at: positions[index]! })), ['random'], { dependents: 'apply' });
    context.diagnostic(`${steps.length} operations, ${report?.operations} left out, ${JSON.stringify(report?.dependents)}`);
    for (const outcome of ['applied', 'overwrites', 'skipped', 'moot'] as const) assert.ok((report?.dependents[outcome] ?? 0) > 0, outcome);
    assert.deepEqual(await small.documents('copy', 'random'), [...model.values()].sort((a, b) => Number(a['_id']) - Number(b['_id'])));
  });
});

describe('leaving out is refused', { timeout: 900_000 }, () => {
  test('where nothing answers to a choice: in vain is not done', async () => {
    const { t, i } = await small.here();
    const error = await refusal([{ at: { t, i: i + 1 } }], ['notes'], { t, i });
    assert.equal(error.code, 'RESTORE_LEAVE_OUT_UNMATCHED');
    assert.match(error.message, new RegExp(`operation at ${t}:${i + 1}`));
    assert.equal((await refusal([{ namespace: 'shop.notes', kind: 'drop', from: { t, i: i > 0 ? i - 1 : 0 }, to: { t, i } }], ['notes'])).code, 'RESTORE_LEAVE_OUT_UNMATCHED');
  });

  test('for a create, a capped collection, a time series and a change of the bytes of _id', async () => {
    await small.client.db('shop').createCollection('made');
    await collection('log').insertOne({ _id: id(1) });
    await collection('heat').insertOne({ at: new Date(), c: 1 });
    await collection('notes').updateOne({ _id: id(9) }, [{ $replaceWith: { $mergeObjects: ['$$ROOT', { _id: { $toDouble: '$_id' } }] } }]);
    const cases = [
      await entry({ 'o.create': 'made' }), await entry({ ns: 'shop.log', op: 'i' }), await entry({ ns: 'shop.system.buckets.heat', op: 'i' }), await entry({ ns: 'shop.notes', op: 'u' }),
    ];
    for (const [index, at] of cases.entries()) {
      const error = await refusal([{ at }], ['notes']);
      assert.equal(error.code, 'RESTORE_LEAVE_OUT_UNSUITABLE', String(index));
      assert.match(error.message, [/hangs on it/, /order of a capped/, /bucket/, /bytes of _id/][index]!);
    }
  });
});

describe('leaving out never looks like it did more than it does', { timeout: 900_000 }, () => {
  test('where a choice begins within the base', async () => {
    const { pointInTime } = small.root.body as { pointInTime?: ClusterTime };
    const error = await refusal([{ namespace: 'shop.notes', kind: 'delete', from: pointInTime!, to: await small.here() }], ['notes']);
    assert.deepEqual([error.code, error.details['base']], ['RESTORE_LEAVE_OUT_UNSUITABLE', pointInTime]);
  });

  test('where another collection took the name, by $out or a rename over it', async () => {
    await collection('notes').aggregate([{ $match: { n: { $lt: 3 } } }, { $out: 'outed' }]).toArray();
    await collection('notes').aggregate([{ $match: { n: { $lt: 5 } } }, { $out: 'outed' }]).toArray();
    const out = await entry({ 'o.renameCollection': { $exists: true }, 'o.to': 'shop.outed' });
    await collection('outed').insertOne({ _id: id(77) });
    const error = await refusal([{ at: out }], ['outed']);
    assert.equal(error.code, 'RESTORE_LEAVE_OUT_UNSUITABLE');
    assert.match(error.message, /later writes went to it/);
  });

  test('where a name with a dot is meant: what begins like it is another collection', async () => {
    await collection('arch').insertOne({ _id: id(1) });
    await collection('arch.old').insertOne({ _id: id(1) });
    const from = await small.here();
    await collection('arch').drop();
    await collection('arch.old').drop();
    await restoreWithout([{ namespace: 'shop.arch', kind: 'drop', from, to: await small.here() }], []);
    assert.deepEqual((await small.client.db('copy').listCollections({ name: /^arch/ }).toArray()).map(({ name }) => name), ['arch']);
  });

  test('where ids are equal to the server and not in their bytes', async () => {
    await collection('cards').deleteOne({ _id: id(11) });
    const at = await entry({ ns: 'shop.cards', op: 'd' });
    await collection('cards').insertOne({ _id: id(new Double(11)), n: 'again' });
    const error = await refusal([{ at }], ['cards']);
    assert.equal(error.code, 'RESTORE_LEAVE_OUT_UNSUITABLE');
    assert.match(error.message, /11.*11.*equal to a server/);
  });

  test('where nothing of it lies in what is restored', async () => {
    await collection('notes').deleteOne({ _id: id(12) });
    assert.equal((await refusal([{ at: await entry({ ns: 'shop.notes', op: 'd' }) }], ['cards'])).code, 'RESTORE_LEAVE_OUT_UNMATCHED');
  });

  test('and means the name that a collection had then, also when its rename is left out too', async () => {
    await collection('named').insertMany([{ _id: id(1) }, { _id: id(2) }]);
    const from = await small.here();
    await collection('named').rename('renamed');
    await collection('renamed').deleteMany({});
    const rename = await entry({ 'o.renameCollection': 'shop.named' });
    await restoreWithout([{ at: rename }, { namespace: 'shop.renamed', kind: 'delete', from, to: await small.here() }], ['named']);
    assert.equal(await copy('named').countDocuments(), 2);
  });

  test('goes through very many documents with pauses, and ends when it is told to', async () => {
    await collection('mass').insertMany(Array.from({ length: 20_000 }, (_, n) => ({ _id: id(n) })));
    const from = await small.here();
    await collection('mass').deleteMany({});
    const instant = { ...small.oplog.instant(await small.here()), leaveOut: { what: [{ namespace: 'shop.mass', kind: 'delete' as const, from, to: await small.here() }], dependents: 'refuse' as const } };
    const selection = { databases: [], collections: ['shop.mass'], renames: [{ from: 'shop', to: 'copy' }] };
    await using world = await restoreWorld(small.repository, small.root, small.server.uri, { selection, instant });
    let beats = 0;
    const timer = setInterval(() => { beats += 1; }, 1);
    const { leftOut } = await restoreSnapshot(world.options);
    clearInterval(timer);
    assert.ok(beats > 20, `${beats} looks of others meanwhile`);
    assert.equal(leftOut?.operations, 20_000);
    assert.equal(await copy('mass').countDocuments(), 20_000);
  });
});

describe('ids that a collation makes equal', { timeout: 900_000 }, () => {
  test('are replayed in their order', async () => {
    await small.client.db('shop').createCollection('folded', { collation: { locale: 'en', strength: 2 } });
    for (let n = 0; n < 40; n += 1) await collection('folded').insertOne({ _id: `k${n}` as never, n });
    for (let n = 0; n < 40; n += 1) {
      await collection('folded').deleteOne({ _id: `K${n}` as never });
      await collection('folded').insertOne({ _id: `K${n}` as never, n: n + 1 });
    }
    const border = await small.here();
    const selection = { databases: [], collections: ['shop.folded'], renames: [{ from: 'shop', to: 'copy' }] };
    await using world = await restoreWorld(small.repository, small.root, small.server.uri, { selection, instant: small.oplog.instant(border) });
    await restoreSnapshot(world.options);
    assert.deepEqual(await small.documents('copy', 'folded'), await small.documents('shop', 'folded'));
  });
});

test('a dropped database comes back when each of its drops is left out', { timeout: 900_000 }, async () => {
  const held = await small.documents('shop', 'notes');
  const before = await small.here();
  await small.client.db('shop').dropDatabase();
  const end = await entry({ 'o.dropDatabase': 1, ns: 'shop.$cmd' });
  assert.match((await refusal([{ at: end }], ['notes'])).message, /leave out every drop|operation of its own/);
  await restoreWithout([{ namespace: 'shop', kind: 'drop', from: before, to: end }], ['notes', 'people', 'cards']);
  assert.deepEqual(await small.documents('copy', 'notes'), held);
  assert.equal(await copy('people').countDocuments(), 21);
});

// Last: every later restore would read its 20 MB again.
test('a restore without a transaction leaves out all of it, or one of its operations, however many entries it takes', { timeout: 900_000 }, async () => {
  for (const name of ['boxes', 'labels']) await collection(name).insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: id(n), n })));
  const pad = 'x'.repeat(1024 * 1024);
  await small.client.withSession((session) => session.withTransaction(async () => {
    for (let n = 200; n < 220; n += 1) await collection('boxes').insertOne({ _id: id(n), pad }, { session });
    await collection('labels').updateOne({ _id: id(3) }, { $set: { n: 'told' } }, { session });
  }));
  const commit = await entry({ 'o.applyOps': { $exists: true }, 'o.partialTxn': { $ne: true } });
  await collection('boxes').insertOne({ _id: id(300) });
  assert.equal((await restoreWithout([{ at: commit }], ['boxes', 'labels']))?.operations, 21);
  assert.deepEqual((await small.documents('copy', 'boxes')).map(({ _id }) => _id as unknown), [...Array.from({ length: 20 }, (_, n) => n), 300]);
  assert.equal((await copy('labels').findOne({ _id: id(3) }))?.['n'], 3);
  await small.client.db('copy').dropDatabase();
  // The first entry's last one, and the very last.
  assert.equal((await restoreWithout([{ at: commit, operation: 4 }, { at: commit, operation: 20 }], ['boxes', 'labels']))?.operations, 2);
  assert.deepEqual(await small.documents('copy', 'boxes'), without(await small.documents('shop', 'boxes'), 204));
  assert.equal((await copy('labels').findOne({ _id: id(3) }))?.['n'], 3);
});
