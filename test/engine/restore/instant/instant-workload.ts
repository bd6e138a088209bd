// A random workload with places that a restore is brought to: what the source held there is read by `readOracle`.
import { type MongoClient, MongoNetworkError, MongoOperationTimeoutError, MongoServerError, MongoServerSelectionError, type Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import { toTimestamp } from '../../../../src/engine/mongo/index.ts';
import { createRandom, type Random } from '../../backup/random.ts';
import { readOracle, type OracleCollection } from '../../backup/oracle.ts';
import { openOplogSource, type OplogSource } from '../../replay/oplog-source.ts';
import { CATALOG_KINDS, prepareCatalog, runCatalogOperation, type CatalogKind, type CatalogWorld, type Expected } from '../../backup/workload-catalog.ts';
import { DOCUMENT_KINDS, prepareDocuments, runDocumentOperation, type DocumentKind, type DocumentWorld } from '../../backup/workload-documents.ts';

/** What the source held at a position. */
export interface Place {
  readonly label: string;
  readonly time: ClusterTime;
  readonly held: ReadonlyMap<string, OracleCollection>;
  /** Capped collections can be read at the moment only, so between writes they are left out. */
  readonly capped: boolean;
  /** `customData` of the account that the workload changes. */
  readonly user: unknown;
}

export interface InstantWorkload {
  readonly source: OplogSource;
  readonly databases: readonly string[];
  prepare(): Promise<void>;
  /** Random writes of documents by several writers, while `during` runs and for so many operations of each at least. */
  write(operations: number, during?: () => Promise<void>): Promise<void>;
  /** So many transactions by each of several writers, at once; now and then one of many oplog entries. */
  transact(transactions: number): Promise<void>;
  /** Changes of the catalog, one after the other; one that is refused is tried on other collections. */
  change(kinds: readonly CatalogKind[]): Promise<void>;
  /** Here, while nobody writes. */
  place(label: string): Promise<Place>;
  /** At entries of the oplog after a position, while nobody has changed the catalog since. */
  placesAmong(after: ClusterTime, count: number): Promise<Place[]>;
}

const ENOUGH = 4;
const ATTEMPTS = 4;
const FORGIVEN = [MongoServerError, MongoNetworkError, MongoServerSelectionError, MongoOperationTimeoutError];

export function createInstantWorkload(client: MongoClient, source: OplogSource, seed: number, user: string): InstantWorkload {
  const random = createRandom(seed);
  const [db, other] = [client.db('work'), client.db('other')];
  const journal = new Map<string, Expected>();
  const catalog: CatalogWorld = { client, db, other, random, journal, victims: () => shuffled(victimsOf(journal), random) };
  const documents: DocumentWorld = { client, db, random, user };
  const databases = ['work', 'other'];
  const place = async (label: string, time: ClusterTime, capped: boolean): Promise<Place> => {
    const held = await readOracle(client, databases, time);
    const { cursor } = await client.db('admin').command({ find: 'system.users', filter: { user }, readConcern: { level: 'snapshot', atClusterTime: toTimestamp(time) } });
    return { label, time, capped, user: (cursor.firstBatch as Document[])[0]?.customData as unknown, held: new Map([...held].filter(([, each]) => capped || !each.capped)) };
  };
  return {
    source, databases,
    async prepare() {
      await prepareDocuments(documents);
      await prepareCatalog(catalog);
    },
    async write(operations, during) {
      let under = during !== undefined;
      const work = during?.().finally(() => { under = false; });
      const writers = [0, 1, 2].map(async (writer) => {
        for (let n = 0; n < operations || under; n += 1) await tolerating(() => runDocumentOperation(documents, kindOf(n, writer, random)));
      });
      await Promise.all([...writers, work]);
    },
    async transact(transactions) {
      const writers = [0, 1, 2].map(async (writer) => {
        for (let n = 0; n < transactions; n += 1) await tolerating(() => runDocumentOperation(documents, n === 1 && writer === 0 ? 'transaction above 16 MB' : 'transaction'));
      });
      await Promise.all(writers);
    },
    async change(kinds) {
      for (const kind of kinds) {
        // Enough to lose: some kinds take a collection away.
        while (victimsOf(journal).length < ENOUGH) await runCatalogOperation(catalog, 'create');
        for (let attempt = 1; attempt <= ATTEMPTS && !(await tolerating(() => runCatalogOperation(catalog, kind))); attempt += 1);
      }
    },
    place: async (label) => place(label, await source.now(), true),
    async placesAmong(after, count) {
      const entries = (await source.entries(after)).slice(0, -1);
      const times = Array.from({ length: count }, () => random.pick(entries).time);
      return Promise.all(times.map((time) => place(`among writes, at ${time.t}:${time.i}`, time, false)));
    },
  };
}

export { CATALOG_KINDS };

function kindOf(n: number, writer: number, random: Random): DocumentKind {
  if (n === 5 && writer === 0) return 'transaction above 16 MB';
  const kind = random.pick(DOCUMENT_KINDS);
  return kind === 'transaction above 16 MB' ? 'transaction' : kind;
}

function victimsOf(journal: ReadonlyMap<string, Expected>): string[] {
  return [...journal].filter(([name, { kind, capped }]) => name.startsWith('work.') && kind === 'collection' && !capped).map(([name]) => name.slice('work.'.length));
}

/** Refused, or lost with a server: whether it was done all the same is told by the oplog. @returns false then */
async function tolerating(run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (!FORGIVEN.some((kind) => error instanceof kind)) throw error;
    return false;
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items.map((item) => ({ item, at: random.next() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/**
 * Retryable writes, transactions that are aborted, ids that change their bytes, documents that only raw bytes can say.
 * @param members of the set: where there are several, a zero timestamp in a replacement is another time on each of them (6.0.5)
 */
export async function writeOdd(client: MongoClient, round: number, members = 1): Promise<void> {
  const db = client.db('work');
  const odd = db.collection<Document>('odd');
  const { Double, Int32, Timestamp } = await import('mongodb');
  const zero = new Timestamp({ t: 0, i: 0 });
  await odd.insertOne({ _id: new Int32(1000 + round) as never, n: 0, pad: 'x'.repeat(round % 2 === 0 ? 10 : 3000) });
  await odd.updateOne({ _id: (1000 + round) as never }, [{ $set: { _id: new Double(1000 + round), ...(members === 1 ? { stamp: zero } : {}) } }]);
  await odd.updateOne({ _id: (1000 + round) as never }, { $set: { after: round } });
  await odd.updateOne({ _id: 2 as never }, { $set: { [`z${round}`]: zero } });
  await odd.updateMany({ touched: { $exists: false } }, { $set: { touched: round } });
  await client.withSession(async (session) => {
    session.startTransaction();
    await odd.insertOne({ _id: `aborted ${round}` as never }, { session });
    await odd.deleteMany({}, { session });
    await session.abortTransaction();
  });
}

export { openOplogSource };
