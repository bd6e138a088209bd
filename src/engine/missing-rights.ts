// What an account may not do of what every snapshot does, found out by doing it.
import { MongoServerError, UUID, type Document, type MongoClient } from 'mongodb';
import type { ServerFacts } from './mongo/index.ts';

const UNAUTHORIZED = 13;
/** Names that no server has: what is asked is refused or finds nothing. */
const [DATABASE, COLLECTION] = ['leafvault_looks', 'nothing'];

/** @returns `action on where` each, in words of the server's privileges; empty where nothing is missing. Throws where the server goes away meanwhile */
export async function missingRights(client: MongoClient, topology: ServerFacts['topology']): Promise<readonly string[]> {
  const one = { limit: 1, singleBatch: true };
  const attempts: readonly (readonly [right: string, db: string, command: Document])[] = [
    ['listDatabases', 'admin', { listDatabases: 1, nameOnly: true, authorizedDatabases: false }],
    ['listCollections on all databases', DATABASE, { listCollections: 1, nameOnly: true }],
    ['find on all collections', DATABASE, { find: COLLECTION, ...one }],
    ['listIndexes on all collections', DATABASE, { listIndexes: COLLECTION }],
    ['collStats on all collections', DATABASE, { aggregate: COLLECTION, pipeline: [{ $collStats: { count: {} } }], cursor: {} }],
    ['useUUID', DATABASE, { find: new UUID().toBinary(), ...one }],
    ...(topology === 'replicaSet' ? [['find on local.oplog.rs', 'local', { find: 'oplog.rs', ...one }] as const] : []),
  ];
  const missing: string[] = [];
  for (const [right, db, command] of attempts) if (await isRefused(client, db, command)) missing.push(right);
  return missing;
}

async function isRefused(client: MongoClient, db: string, command: Document): Promise<boolean> {
  try {
    await client.db(db).command(command, { readPreference: client.readPreference });
    return false;
  } catch (error) {
    // That there is no such collection says that it may be looked for.
    if (error instanceof MongoServerError && typeof error.code === 'number') return error.code === UNAUTHORIZED;
    throw error;
  }
}
