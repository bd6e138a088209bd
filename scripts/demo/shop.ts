// A shop as MongoDB holds one: three databases, over 100,000 documents, every kind of index and collection.
import type { Binary, Collection, Db, Document, MongoClient } from 'mongodb';
import { makeOddDocuments } from './odd-documents.ts';

export const ORDERS = 60_000;
export const CUSTOMERS = 25_000;
export const PRODUCTS = 5_000;
export const ACCOUNTS = 500;
const CONTACTS = 12_000;
const EVENTS = 2_000;
const READINGS = 3_000;
const PICTURES = 60;
const CARTS = 2_000;
/** But for the odd ones. */
export const DOCUMENTS = ORDERS + CUSTOMERS + PRODUCTS + ACCOUNTS + CONTACTS + EVENTS + READINGS + PICTURES + CARTS;
const BATCH = 2_500;

const WORDS = 'amber birch cedar dune ember fern grove heath iris juniper kelp larch moss nettle oak pine quartz reed sage thyme umber violet willow yarrow'.split(' ');
const CITIES = [['Berlin', 13.4, 52.52], ['Osaka', 135.5, 34.69], ['Lagos', 3.38, 6.52], ['Lima', -77.04, -12.05], ['Oslo', 10.75, 59.91]] as const;
const START = Date.UTC(2026, 0, 1);

/** Fills the cluster; `onDocuments` hears the running total. @returns how many documents there are */
export async function openShop(client: MongoClient, onDocuments: (count: number) => void): Promise<number> {
  let total = 0;
  const fill = async (collection: Collection<Document>, count: number, make: (index: number) => Document): Promise<void> => {
    for (let from = 0; from < count; from += BATCH) {
      const size = Math.min(BATCH, count - from);
      await collection.insertMany(Array.from({ length: size }, (_, index) => make(from + index)), { ordered: false });
      onDocuments((total += size));
    }
  };
  await makeShop(client.db('shop'), fill);
  await makeCrm(client.db('crm'), fill);
  const odd = await makeOddDocuments(client.db('odd'));
  onDocuments((total += odd));
  return total;
}

type Fill = (collection: Collection<Document>, count: number, make: (index: number) => Document) => Promise<void>;

async function makeShop(db: Db, fill: Fill): Promise<void> {
  const orders = db.collection('orders');
  await fill(orders, ORDERS, order);
  await orders.createIndexes([
    { key: { customer: 1, placedAt: -1 }, name: 'by customer' },
    { key: { status: 1 }, partialFilterExpression: { status: 'open' }, name: 'open only' },
    { key: { 'lines.sku': 1 }, name: 'by line' },
    { key: { 'ship.$**': 1 }, name: 'anything of ship' },
  ]);
  const customers = await db.createCollection('customers', { collation: { locale: 'de', strength: 1 } });
  await fill(customers, CUSTOMERS, customer);
  await customers.createIndexes([
    { key: { email: 1 }, unique: true, collation: { locale: 'simple' } },
    { key: { home: '2dsphere' } },
    { key: { phone: 1 }, sparse: true },
    { key: { name: 1 }, hidden: true },
  ]);
  const products = await db.createCollection('products', {
    validator: { $jsonSchema: { bsonType: 'object', required: ['sku', 'price'], properties: { price: { bsonType: ['double', 'int'], minimum: 0 } } } },
    validationLevel: 'moderate',
  });
  await fill(products, PRODUCTS, product);
  await products.createIndexes([{ key: { sku: 1 }, unique: true }, { key: { title: 'text', about: 'text' }, weights: { title: 5 }, default_language: 'english' }, { key: { shelf: 'hashed' } }]);
  await fill(db.collection('accounts'), ACCOUNTS, (index) => ({ _id: index as never, owner: `account ${index}`, balance: 1_000 }));
  const carts = db.collection('carts');
  await fill(carts, CARTS, (index) => ({ _id: index as never, touchedAt: new Date(), items: index % 7, slot: `slot ${index}` }));
  await carts.createIndexes([{ key: { touchedAt: 1 }, expireAfterSeconds: 86_400 }, { key: { slot: 1 }, unique: true }]);
  await db.createCollection('events', { capped: true, size: 4 * 1024 * 1024, max: 5_000 });
  await fill(db.collection('events'), EVENTS, (index) => ({ _id: index as never, kind: word(index), at: new Date(START + index * 1_000) }));
  await db.createCollection('sensors', { timeseries: { timeField: 'at', metaField: 'sensor', granularity: 'seconds' } });
  await fill(db.collection('sensors'), READINGS, (index) => ({ at: new Date(START + index * 1_000), sensor: { room: index % 4 }, celsius: 15 + (index % 100) / 10 }));
  await db.createCollection('open_orders', { viewOn: 'orders', pipeline: [{ $match: { status: 'open' } }, { $project: { customer: 1, total: 1 } }] });
}

async function makeCrm(db: Db, fill: Fill): Promise<void> {
  const contacts = db.collection('contacts');
  await fill(contacts, CONTACTS, (index) => ({ _id: index as never, name: `${word(index)} ${word(index * 7)}`, customer: index % CUSTOMERS, notes: [word(index), { at: new Date(START + index), by: word(index * 3) }] }));
  await contacts.createIndexes([{ key: { customer: 1 } }, { key: { name: -1, customer: 1 }, name: 'down and up' }]);
  await fill(db.collection('pictures'), PICTURES, (index) => ({ _id: index as never, name: `${word(index)}.raw`, bytes: noise(index) as unknown as Binary }));
}

function order(index: number): Document {
  return {
    _id: index as never,
    customer: (index * 7_919) % CUSTOMERS,
    status: index % 9 === 0 ? 'open' : 'sent',
    placedAt: new Date(START + index * 60_000),
    lines: Array.from({ length: 1 + (index % 4) }, (_, line) => ({ sku: `sku-${(index * 31 + line) % PRODUCTS}`, count: 1 + (line % 3), price: ((index * 37 + line) % 9_900) / 100 })),
    ship: { city: city(index)[0], street: `${word(index * 13)} street ${index % 200}`, note: `${word(index)} ${word(index * 5)} ${word(index * 11)}` },
    total: ((index * 97) % 99_000) / 100,
  };
}

function customer(index: number): Document {
  const [name, longitude, latitude] = city(index);
  return {
    _id: index as never,
    name: `${word(index)} ${word(index * 17)}`,
    email: `${word(index)}.${index}@example.com`,
    ...(index % 3 === 0 ? { phone: `+49 30 ${100_000 + index}` } : {}),
    home: { type: 'Point', coordinates: [longitude + (index % 100) / 1_000, latitude + (index % 77) / 1_000] },
    city: name,
    since: new Date(START - index * 3_600_000),
  };
}

function product(index: number): Document {
  return {
    _id: index as never, sku: `sku-${index}`, title: `${word(index)} ${word(index * 3)}`, about: Array.from({ length: 20 }, (_, each) => word(index * 7 + each * 5)).join(' '),
    price: (index % 9_900) / 100, shelf: index % 400, stock: 1_000,
  };
}

function word(index: number): string {
  return WORDS[index % WORDS.length] ?? '';
}

function city(index: number): (typeof CITIES)[number] {
  return CITIES[index % CITIES.length] ?? CITIES[0];
}

/** 20 KB that do not compress, the same for the same seed. */
function noise(seed: number): Buffer {
  const bytes = Buffer.alloc(20_000);
  let state = (seed + 1) * 2_654_435_761;
  for (let at = 0; at < bytes.length; at += 1) {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + at) >>> 0;
    bytes[at] = state & 0xff;
  }
  return bytes;
}
