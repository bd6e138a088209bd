// A shop that keeps selling while it is backed up: several writers, each a strict sequence of transactions, each with
// a journal of what every one of them left behind. A snapshot is right when, for every writer, it holds exactly the
// first n of its transactions, whole.
import { setImmediate } from 'node:timers/promises';
import { Long, type ClientSession, type Collection, type Document, type MongoClient } from 'mongodb';
import { hashOf } from './fingerprint.ts';
import { rawIdOf } from './raw-bson.ts';
import { ACCOUNTS, ORDERS, PRODUCTS } from './shop.ts';

export interface Change {
  readonly namespace: string;
  readonly id: string;
  /** Hash of the document afterwards; null: deleted. */
  readonly after: string | null;
}

/** One writer's transactions in order. */
export type Journal = readonly (readonly Change[])[];

export interface BusyShop {
  readonly journals: readonly Journal[];
  /** Transactions so far, all writers. */
  count(): number;
  /** The first failure of a writer, if there is one. */
  stop(): Promise<void>;
}

const WRITERS = 3;

/** Starts the writers; they go on until `stop`. */
export function keepSelling(client: MongoClient): BusyShop {
  const journals: Change[][][] = Array.from({ length: WRITERS }, () => []);
  const stop = new AbortController();
  const writers = journals.map((journal, writer) => sell(client, writer, journal, stop.signal));
  const all = Promise.allSettled(writers);
  return {
    journals,
    count: () => journals.reduce((sum, journal) => sum + journal.length, 0),
    async stop() {
      stop.abort();
      const failed = (await all).find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw new Error('A writer of the shop failed', { cause: failed.reason });
    },
  };
}

type Sale = (sale: { readonly writer: number; readonly step: number; readonly db: Collections; readonly session: ClientSession }) => Promise<readonly Touched[]>;
interface Touched { readonly collection: Collection<Document>; readonly id: unknown }
interface Collections { readonly orders: Collection<Document>; readonly products: Collection<Document>; readonly accounts: Collection<Document>; readonly carts: Collection<Document>; readonly contacts: Collection<Document> }

async function sell(client: MongoClient, writer: number, journal: Change[][], signal: AbortSignal): Promise<void> {
  const shop = client.db('shop');
  const db: Collections = { orders: shop.collection('orders'), products: shop.collection('products'), accounts: shop.collection('accounts'), carts: shop.collection('carts'), contacts: client.db('crm').collection('contacts') };
  const session = client.startSession();
  try {
    for (let step = 0; !signal.aborted; step += 1) {
      const sale = SALES[step % SALES.length] as Sale;
      session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
      const touched = await sale({ writer, step, db, session });
      const changes = await Promise.all(touched.map((each) => seen(each, session)));
      await session.commitTransaction();
      journal.push(changes);
      await setImmediate();
    }
  } finally {
    await session.endSession();
  }
}

/** How the document stands inside the transaction: its bytes are what the snapshot must hold. */
async function seen({ collection, id }: Touched, session: ClientSession): Promise<Change> {
  const raw = (await collection.findOne({ _id: id as never }, { session, raw: true })) as unknown as Buffer | null;
  return { namespace: collection.namespace, id: raw === null ? idOf(id) : rawIdOf(raw), after: raw === null ? null : hashOf(raw) };
}

// Writers keep to ids of their own, so that each is a sequence nobody else cuts into.
const mine = (writer: number, step: number, count: number): number => Math.floor(((step * 7_919) % count) / WRITERS) * WRITERS + writer;

const SALES: readonly Sale[] = [
  async function placesAnOrder({ writer, step, db, session }) {
    const id = ORDERS + step * WRITERS + writer;
    const product = mine(writer, step, PRODUCTS - WRITERS);
    await db.orders.insertOne({ _id: id as never, customer: step, status: 'open', placedAt: new Date(), lines: [{ sku: `sku-${product}`, count: 1 }], step }, { session });
    await db.products.updateOne({ _id: product as never }, { $inc: { stock: -1 } }, { session });
    return [{ collection: db.orders, id }, { collection: db.products, id: product }];
  },
  async function movesMoney({ writer, step, db, session }) {
    const from = mine(writer, step, ACCOUNTS - WRITERS);
    const to = mine(writer, step + 1, ACCOUNTS - WRITERS);
    await db.accounts.updateOne({ _id: from as never }, { $inc: { balance: -5 } }, { session });
    await db.accounts.updateOne({ _id: to as never }, { $inc: { balance: 5 } }, { session });
    return from === to ? [{ collection: db.accounts, id: from }] : [{ collection: db.accounts, id: from }, { collection: db.accounts, id: to }];
  },
  async function changesAnOrderInside({ writer, step, db, session }) {
    const id = mine(writer, step, ORDERS - WRITERS);
    await db.orders.updateOne({ _id: id as never }, { $set: { 'lines.0.count': step, 'ship.note': `changed ${step}`, changed: Long.fromNumber(step) }, $unset: { total: 1 } }, { session });
    return [{ collection: db.orders, id }];
  },
  async function swapsTwoSlots({ writer, step, db, session }) {
    const [one, other] = [mine(writer, step, 1_900), mine(writer, step + 3, 1_900)];
    if (one === other) return [];
    // A unique value that moves from one document to another while the scan runs.
    const slots = await db.carts.find({ _id: { $in: [one, other] as never[] } }, { session }).sort({ _id: 1 }).toArray();
    const [low, high] = slots;
    if (low === undefined || high === undefined) return [];
    await db.carts.updateOne({ _id: low._id }, { $set: { slot: `moving ${writer}` } }, { session });
    await db.carts.updateOne({ _id: high._id }, { $set: { slot: low.slot } }, { session });
    await db.carts.updateOne({ _id: low._id }, { $set: { slot: high.slot } }, { session });
    return [{ collection: db.carts, id: low._id }, { collection: db.carts, id: high._id }];
  },
  async function deletesAndPutsBack({ writer, step, db, session }) {
    const id = mine(writer, step, ORDERS - WRITERS);
    const found = await db.orders.findOneAndDelete({ _id: id as never }, { session });
    if (found === null || step % 2 === 0) return [{ collection: db.orders, id }];
    await db.orders.insertOne({ ...found, back: step }, { session });
    return [{ collection: db.orders, id }];
  },
  async function replacesAContact({ writer, step, db, session }) {
    const id = mine(writer, step, 11_990);
    await db.contacts.replaceOne({ _id: id as never }, { name: `replaced ${step}`, customer: step, at: new Date() }, { session });
    return [{ collection: db.contacts, id }];
  },
];

/** An int32 `_id` as the raw element shows it: all ids that are deleted here are such. */
function idOf(id: unknown): string {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(Number(id));
  return `10:${bytes.toString('hex')}`;
}
