// Documents that break tools which decode and encode on the way: promise 5 is that none of them changes.
import { Binary, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, type Db, type Document } from 'mongodb';

/** A document whose fields are given as pairs: the only way to name a field twice, or nothing. */
class Fields extends Map<string, unknown> {
  readonly #pairs: readonly (readonly [string, unknown])[];

  constructor(pairs: readonly (readonly [string, unknown])[]) {
    super(pairs);
    this.#pairs = pairs;
  }

  override *entries(): MapIterator<[string, unknown]> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  override [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries();
  }
}

const fields = (...pairs: readonly (readonly [string, unknown])[]): Document => new Fields(pairs) as unknown as Document;

const DOCUMENTS: readonly Document[] = [
  fields(['_id', 'a name twice'], ['x', 1], ['x', 'one'], ['x', [2]]),
  fields(['_id', 'no name'], ['', 'empty'], ['inner', fields(['', 1], ['', 2])]),
  fields(['_id', 'dots and dollars'], ['a.b', 1], ['in', fields(['$set', 1], ['$ref', 2], ['..', 3])]),
  fields(['_id', 'order of keys'], ['z', 1], ['10', 2], ['9', 3], ['a', 4], ['1', 5]),
  fields(['_id', 'types of numbers'], ['double', new Double(5)], ['int', new Int32(5)], ['long', Long.fromNumber(5)], ['decimal', Decimal128.fromString('5.000')], ['minus zero', new Double(-0)], ['huge', Long.fromString('9007199254740993')]),
  fields(['_id', 'not numbers'], ['nan', new Double(Number.NaN)], ['infinite', new Double(-Infinity)], ['decimal', Decimal128.fromString('NaN')], ['many digits', Decimal128.fromString('0E-6176')]),
  fields(['_id', 'times of nothing'], ['inner', fields(['t', new Timestamp({ t: 0, i: 0 })])], ['list', [new Timestamp({ t: 0, i: 0 })]], ['far', new Date(-62_135_596_800_000)]),
  fields(['_id', 'ends of everything'], ['low', new MinKey()], ['high', new MaxKey()], ['null', null]),
  fields(['_id', 'old types'], ['symbol', new BSONSymbol('s')], ['code', new Code('return 1', { a: 1 })], ['ref', new DBRef('shop.orders', new ObjectId('5f0000000000000000000009'))], ['regexp', new BSONRegExp('^a/b', 'imx')]),
  fields(['_id', 'binaries'], ['function', new Binary(Buffer.from('f'), 1)], ['uuid', new Binary(Buffer.alloc(16, 7), 4)], ['own', new Binary(Buffer.from('own'), 0x80)], ['empty', new Binary(Buffer.alloc(0))]),
  fields(['_id', 'letters'], ['Käse 🧀', 'naïve café 漢字'], ['__proto__', 'kept'], ['constructor', 'kept'], ['nul\u0001', '\u0000inside\u0000']),
  fields(['_id', fields(['b', 1], ['a', 2])], ['note', 'an _id that is a document, keys in this order']),
  fields(['_id', new Double(7)], ['note', 'an _id that is a double']),
  fields(['_id', null], ['note', 'an _id that is null']),
  fields(['_id', 'deep'], ['down', nested(60)]),
];

/** Fills `odd.documents`. @returns how many documents it holds */
export async function makeOddDocuments(db: Db): Promise<number> {
  await db.command({ insert: 'documents', documents: DOCUMENTS });
  // A server puts its clock into a Timestamp(0,0) at the top of an insert, but leaves an update alone.
  await db.collection<{ _id: string }>('documents').insertOne({ _id: 'time of nothing at the top' });
  await db.collection<{ _id: string }>('documents').updateOne({ _id: 'time of nothing at the top' }, { $set: { at: new Timestamp({ t: 0, i: 0 }) } });
  return db.collection('documents').countDocuments();
}

function nested(levels: number): Document {
  let at: Document = { end: true };
  for (let level = 0; level < levels; level += 1) at = { down: at };
  return at;
}
