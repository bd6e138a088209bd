// Documents of about 1.1 KiB that gzip shrinks to a third, as the figures of the design were taken with: names and texts
// that repeat, and a part that does not. The same number gives the same document.
import { BSON, Long, type Db, type MongoClient } from 'mongodb';
import { insertRawSequence } from './raw-sequence.ts';

export const DATABASE = 'bench';
export const BIG = 'orders';
/** One small collection of a large snapshot: 1 % of the documents. */
export const SMALL = 'products';

export const INDEXES: readonly { readonly key: Record<string, 1 | -1>; readonly name: string }[] = [
  { key: { customer: 1, at: -1 }, name: 'customer_at' },
  { key: { 'lines.sku': 1 }, name: 'sku' },
  { key: { email: 1 }, name: 'email' },
];

const BATCH = 4_000;
const WORDS = 'amber birch cedar dune ember fern grove heath iris juniper kelp larch moss nettle oak pine quartz reed sage thyme umber violet willow yarrow'.split(' ');

/** Fills the collections up to `bytes` of raw BSON; leaves them alone where they hold enough. @returns documents */
export async function makeDataSet(client: MongoClient, bytes: number, onDocuments: (count: number) => void): Promise<number> {
  const db = client.db(DATABASE);
  const documents = Math.max(2_000, Math.round(bytes / BSON.serialize(makeDocument(123_456)).length));
  await fill(db, BIG, 0, documents, onDocuments);
  await fill(db, SMALL, 0, Math.ceil(documents / 100), () => undefined);
  for (const name of [BIG, SMALL]) await db.collection(name).createIndexes([...INDEXES]);
  return documents;
}

/** Inserts `count` documents from number `from` on. */
export async function fill(db: Db, collection: string, from: number, count: number, onDocuments: (count: number) => void): Promise<void> {
  for (let at = from; at < from + count; at += BATCH) {
    const size = Math.min(BATCH, from + count - at);
    await insertRawSequence(db, collection, Array.from({ length: size }, (_, index) => BSON.serialize(makeDocument(at + index))));
    onDocuments(at + size - from);
  }
}

/** Changes one field of `count` documents, spread over the whole collection by a seeded choice. */
export async function changeAtRandom(db: Db, documents: number, count: number, seed: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => Math.floor(random(seed * 7_919 + index) * documents));
  for (let at = 0; at < ids.length; at += 1_000) {
    await db.collection(BIG).updateMany({ _id: { $in: ids.slice(at, at + 1_000).map((id) => Long.fromNumber(id) as never) } }, { $set: { changed: seed } });
  }
}

/** Removes the newest documents and puts others in their place: what a shop does to its newest 1 %. */
export async function changeNewest(db: Db, documents: number, count: number, seed: number): Promise<void> {
  await db.collection(BIG).updateMany({ _id: { $gte: Long.fromNumber(documents - count) as never } }, { $set: { changed: seed } });
}

export function makeDocument(number: number): Record<string, unknown> {
  return {
    _id: Long.fromNumber(number),
    customer: Math.floor(random(number) * 50_000),
    at: new Date(1_767_225_600_000 + number * 1_000),
    email: `${word(number)}.${word(number * 7)}.${number}@example.com`,
    status: number % 9 === 0 ? 'open' : 'sent',
    lines: Array.from({ length: 3 }, (_, line) => ({ sku: `sku-${Math.floor(random(number * 3 + line) * 20_000)}`, title: `${word(number + line)} ${word(number * 5 + line)}`, count: 1 + (line % 3), price: Math.floor(random(number + line) * 10_000) / 100 })),
    address: { street: `${word(number * 11)} street ${number % 200}`, city: word(number * 13), zip: String(10_000 + (number % 90_000)) },
    about: Array.from({ length: 30 }, (_, each) => word(number * 17 + each * each)).join(' '),
    token: hex(number, 56),
  };
}

function word(number: number): string {
  return WORDS[number % WORDS.length] ?? '';
}

/** 0..1 from a number (mulberry32). */
function random(seed: number): number {
  let state = (seed + 0x6d2b79f5) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return ((state ^ (state >>> 14)) >>> 0) / 4_294_967_296;
}

function hex(seed: number, parts: number): string {
  return Array.from({ length: parts }, (_, part) => Math.floor(random(seed * parts + part) * 0xffffffff).toString(16).padStart(8, '0')).join('');
}
