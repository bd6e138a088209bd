// Updates of every shape that changes a document in a way of its own; a seed chooses among them.
import { BSON, Int32, Long, type Collection, type Document } from 'mongodb';
import type { Random } from '../backup/random.ts';

/** False where the server says that it changed nothing. */
export function changedSomething(result: unknown): boolean {
  const counts = result as { readonly modifiedCount?: number; readonly upsertedCount?: number; readonly deletedCount?: number } | null;
  return result !== null && (counts?.modifiedCount ?? counts?.deletedCount ?? 1) + (counts?.upsertedCount ?? 0) > 0;
}

export type Shape = (collection: Collection<Document>, id: Document, random: Random) => Promise<unknown>;

const FIELDS = ['a', 'b', 'list', 'deep', 'rows', 'k', '', '$x', 'a.b', '0', '17', 'é'] as const;

/** A value of any type that people store. */
export function valueOf(random: Random, depth = 2): unknown {
  const n = random.below(depth > 0 ? 12 : 8);
  const rest = (): unknown => valueOf(random, depth - 1);
  switch (n) {
    case 0: return new Int32(random.below(100));
    case 1: return random.next() * 100;
    case 2: return `text ${random.below(50)}`;
    case 3: return null;
    case 4: return Long.fromNumber(random.below(1000));
    case 5: return new Date(random.below(1e9) * 1000);
    case 6: return random.below(2) === 1;
    case 7: return new BSON.Decimal128(`${random.below(9)}.50`);
    case 8: case 9: return Array.from({ length: random.below(6) }, rest);
    default: return Object.fromEntries(Array.from({ length: random.below(4) }, () => [random.pick(['a', 'b', 'c', 'x', 'y']), rest()]));
  }
}

export function shapedDocument(id: unknown, random: Random): Document {
  return {
    _id: id, k: random.below(20), n: new Int32(random.below(50)), a: { b: { c: random.below(9), d: 1 }, e: [1, 2, { f: 1 }] }, list: Array.from({ length: 5 + random.below(8) }, (_, i) => i % 7),
    rows: Array.from({ length: 4 }, (_, i) => ({ i, tags: ['x', 'y', `${i}`], sub: { p: i, q: [i] } })), long: Array.from({ length: 150 }, (_, i) => i),
    deep: { 1: { 2: { 3: { 4: { v: 1, w: [0, [1, [2]]] } } } } }, free: valueOf(random), 'ü ': 1,
    matrix: [[1, 2, 3], [4], [5, 6, [7, [8]]]],
  };
}

const update = (spec: (random: Random) => Document | Document[], options: Document = {}): Shape => (collection, id, random) => collection.updateOne(id, spec(random), options);
const put = (field: string, value: unknown): Document => ({ $replaceWith: { $setField: { field: { $literal: field }, input: '$$ROOT', value } } });

export const SHAPES: Readonly<Record<string, Shape>> = {
  'set nested': update((r) => ({ $set: { 'a.b.c': r.below(99), [`a.new${r.below(4)}`]: valueOf(r), 'deep.1.2.3.4.v': r.below(99) } })),
  'unset nested': update((r) => ({ $unset: r.pick<Record<string, ''>>([{ 'a.b.d': '' }, { 'deep.1.2.3.4.w': '' }, { a: '' }, { 'rows.1.sub': '' }, { [`a.new${r.below(4)}`]: '' }]) })),
  'set a path that is missing': update((r) => ({ $set: { [`made.${r.below(3)}.by.path${r.below(3)}`]: valueOf(r) } })),
  'set anything anywhere': update((r) => ({ $set: { [r.pick(['free', 'free.a', 'free.0', 'free.b.x', 'a', 'list', 'k'])]: valueOf(r) } })),
  push: update((r) => ({ $push: { list: r.below(99), 'rows.0.tags': 'z' } })),
  'push many in the middle': update((r) => ({ $push: { list: { $each: [r.below(9), r.below(9)], $position: 1 } } })),
  'push, sort and slice': update((r) => ({ $push: { list: { $each: [r.below(9), r.below(9)], $sort: r.pick([1, -1] as const), $slice: r.pick([-6, 5]) } } })),
  pop: update((r) => ({ $pop: { list: r.pick([1, -1] as const), long: 1 } })),
  pull: update((r) => ({ $pull: { list: r.below(7), 'rows.2.tags': 'x' } })),
  'pull documents': update((r) => ({ $pull: { rows: { i: r.below(4) } } })),
  'pull from a long array': update((r) => ({ $pull: { long: { $gte: 140 - r.below(60) } } })),
  'grow a long array': update((r) => ({ $push: { long: { $each: Array.from({ length: r.below(40) }, (_, i) => i) } } })),
  'add to a set': update((r) => ({ $addToSet: { list: r.below(30) } })),
  'set by index': update((r) => ({ $set: { [`list.${r.below(4)}`]: valueOf(r), [`long.${r.below(100)}`]: -1 } })),
  'set behind the end': update((r) => ({ $set: { [`list.${15 + r.below(9)}`]: 'far', 'rows.9.made': 1 } })),
  'set in documents of an array': update((r) => ({ $set: { [`rows.${r.below(3)}.sub.p`]: r.below(99), [`rows.${r.below(3)}.sub.q.0`]: r.below(9), [`rows.${r.below(3)}.fresh`]: valueOf(r) } })),
  'arrays in arrays': update((r) => (r.pick<Document>([{ $set: { 'deep.1.2.3.4.w.1.1.0': r.below(99) } }, { $push: { 'matrix.1': r.below(9) } }, { $set: { 'matrix.0.1': r.below(99), 'matrix.2.2.0': r.below(9) } }]))),
  'all positions': update(() => ({ $inc: { 'long.$[]': 1 } })),
  'filtered positions': update((r) => ({ $set: { 'rows.$[row].sub.p': r.below(99) } }), { arrayFilters: [{ 'row.i': { $gte: 1 } }] }),
  'the matched position': (collection, id, r) => collection.updateOne({ ...id, 'rows.i': r.below(4) }, { $set: { 'rows.$.hit': r.below(99) } }),
  rename: update((r) => ({ $rename: r.pick<Record<string, string>>([{ a: 'b' }, { b: 'a' }, { 'deep.1.2.3.4': 'moved' }, { moved: 'deep.1.2.3.4' }, { free: 'k' }]) })),
  'inc, mul, min, max': update((r) => ({ $inc: { n: 1 }, $mul: { m: 2 }, $min: { least: r.below(99) }, $max: { most: r.below(99) } })),
  bit: update((r) => ({ $bit: { n: r.pick([{ and: 7 }, { or: 8 }, { xor: 5 }]) } })),
  'current date': update(() => ({ $currentDate: { at: true, 'stamps.ts': { $type: 'timestamp' } } })),
  replace: (collection, { _id }, r) => collection.replaceOne({ _id }, shapedDocument(_id, r), {}),
  'replace by little': (collection, id, r) => collection.replaceOne(id, { [r.pick(['z', 'k', 'a'])]: valueOf(r) }),
  'pipeline set': update((r) => [{ $set: { sum: { $add: [{ $ifNull: ['$n', 0] }, r.below(9)] }, 'a.b.piped': valueOf(r), 'rows.each': r.below(9) } }]),
  'pipeline unset': update((r) => [{ $unset: r.pick<string | string[]>(['a.b', 'free', ['k', 'deep.1.2'], 'rows.sub']) }]),
  'pipeline moves a field to the end': update(() => [{ $replaceWith: { $mergeObjects: [{ $unsetField: { field: 'k', input: '$$ROOT' } }, { k: '$k' }] } }]),
  'pipeline merges': update((r) => [{ $set: { a: { $mergeObjects: ['$deep', { b: { c: r.below(5) } }, { e: valueOf(r) }] } } }]),
  'pipeline on arrays': update((r) => [{ $set: { long: { $cond: [{ $isArray: '$long' }, r.pick<Document>([{ $slice: ['$long', 40 + r.below(60)] }, { $reverseArray: '$long' }, { $concatArrays: ['$long', [valueOf(r)]] }, { $map: { input: '$long', in: { $cond: [{ $eq: ['$$this', r.below(20)] }, { o: 1 }, '$$this'] } } }]), Array.from({ length: 60 }, (_, i) => i)] } } }]),
  'pipeline shrinks arrays': update((r) => [{ $set: { long: { $slice: ['$long', 20 + r.below(40)] }, matrix: { $map: { input: '$matrix', in: { $slice: ['$$this', 1] } } }, rows: { $slice: ['$rows', 2] } } }]),
  'odd names': update((r) => [put(r.pick(FIELDS), r.pick<unknown>([{ $literal: valueOf(r) }, '$k', '$a']))]),
  'odd names removed': update((r) => [{ $replaceWith: { $unsetField: { field: { $literal: r.pick(FIELDS) }, input: '$$ROOT' } } }]),
  'odd names inside': update((r) => [put('odd', { $setField: { field: { $literal: r.pick(FIELDS) }, input: { $cond: [{ $eq: [{ $type: '$odd' }, 'object'] }, '$odd', {}] }, value: r.below(99) } })]),
  'type changes': update((r) => ({ $set: { [r.pick(['a', 'list', 'rows', 'deep'])]: r.pick<unknown>([[1, 2, { a: 1 }], { b: { c: 1 }, 1: { 2: 3 } }, 'scalar', [], {}]) } })),
  'pipeline changes types': update((r) => [{ $set: { a: r.pick<unknown>([{ $literal: [{ b: 1 }] }, { $literal: { b: { c: 2 } } }, '$list', '$rows']) } }]),
  'find and modify': (collection, id, r) => collection.findOneAndUpdate(id, { $inc: { found: 1 }, $set: { 'a.b.c': r.below(9) } }, { returnDocument: 'after' }),
  'find and replace': (collection, id, r) => collection.findOneAndReplace(id, { replaced: valueOf(r), list: [1, 2, 3] }),
  upsert: (collection, _id, r) => collection.updateOne({ _id: `up${r.below(40)}` as never }, { $inc: { n: 1 }, $setOnInsert: { a: { b: {} } } }, { upsert: true }),
  'update many': (collection, _id, r) => collection.updateMany({ k: r.below(20) }, { $inc: { many: 1 }, $push: { list: { $each: [1, 2], $slice: -12 } } } as Document),
  delete: (collection, id) => collection.deleteOne(id),
  'find and delete': (collection, id) => collection.findOneAndDelete(id),
  'delete and insert': async (collection, id, r) => {
    await collection.deleteOne(id);
    await collection.insertOne(shapedDocument(id._id, r));
  },
  'insert many': (collection, _id, r) => collection.insertMany(Array.from({ length: 3 }, () => shapedDocument(`new${r.below(1e9)}`, r))),
  'change the bytes of an id': (collection, { _id }, r) => (typeof _id === 'number' ? collection.replaceOne({ _id } as Document, { ...shapedDocument(random64(_id, r), r) }) : collection.deleteOne({ _id: 'nobody' as never })),
};

/** The same number of another type: equal to the server, of other bytes. */
function random64(n: number, random: Random): unknown {
  return random.pick<unknown>([new Int32(n), Long.fromNumber(n), new BSON.Double(n)]);
}
