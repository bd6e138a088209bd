// The connection of one restore attempt to its target, and the few questions that every step asks it.
import { MongoServerError, UUID, type Db, type Document, type MongoClient } from 'mongodb';
import { throwIfAborted } from '../../foundation/abort.ts';
import { asConnectError, connect } from '../mongo/connect.ts';
import { createRawReader, readAll, type RawReader } from '../mongo/raw-read.ts';
import { readReplicaSetId, readServerFacts, type ServerFacts } from '../mongo/topology.ts';
import { childOf, decodeOrdered, type OrderedDocument } from '../snapshot/index.ts';
import { readAgain } from './read-again.ts';

export interface Target {
  readonly client: MongoClient;
  readonly facts: ServerFacts;
  db(name: string): Db;
  /** Runs a command on `admin`, on the primary. */
  admin(command: Document): Promise<Document>;
  /** Raw reads; tried once for the connection. */
  reader(): Promise<RawReader>;
  /** Changes with every election; null on a standalone. */
  electionId(): Promise<string | null>;
  /** Null on a standalone, and where the account may not see it; asked once for the connection. */
  replicaSetId(): Promise<string | null>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** What `listCollections` says of one name. */
export interface Listed {
  readonly name: string;
  readonly type: 'collection' | 'view' | 'timeseries';
  /** 32 hex digits; null for views and time series. */
  readonly uuid: string | null;
  readonly options: OrderedDocument;
}

/**
 * Connects to the target's primary. The signal closes every connection, which ends what runs on them.
 * @throws LeafvaultError TARGET_URI_INVALID, TARGET_UNREACHABLE, TARGET_AUTH_FAILED
 */
export async function openTarget(uri: string, signal?: AbortSignal): Promise<Target> {
  // What a restore reads must see what it wrote, so everything goes to the primary.
  const client = await connect(uri, { side: 'TARGET', ...(signal === undefined ? {} : { signal }), driver: { appName: 'leafvault-restore', readPreference: 'primary' } });
  let reader: Promise<RawReader> | undefined;
  let replicaSetId: Promise<string | null> | undefined;
  let closing: Promise<void> | undefined;
  const onAbort = (): void => void end();
  const end = (): Promise<void> => (closing ??= client.close(true).catch(() => undefined));
  signal?.addEventListener('abort', onAbort, { once: true });
  const close = (): Promise<void> => {
    signal?.removeEventListener('abort', onAbort);
    return end();
  };
  try {
    throwIfAborted(signal);
    const facts = await readServerFacts(client);
    const admin = (command: Document): Promise<Document> => client.db('admin').command(command);
    return {
      client,
      facts,
      db: (name) => client.db(name),
      admin,
      reader: () => (reader ??= createRawReader(client)),
      electionId: async () => {
        const { electionId } = await client.db('admin').command({ hello: 1 });
        return electionId === undefined ? null : String(electionId);
      },
      replicaSetId: () => (replicaSetId ??= readReplicaSetId(facts, admin)),
      close,
    };
  } catch (cause) {
    await close();
    throwIfAborted(signal);
    throw asConnectError(cause, uri, 'TARGET');
  }
}

/** Everything in a database, or only these names. */
export async function listNames(target: Target, db: string, names?: readonly string[]): Promise<Map<string, Listed>> {
  const found = new Map<string, Listed>();
  const command = { listCollections: 1, ...(names === undefined ? {} : { filter: { name: { $in: [...names] } } }) };
  for (const each of await readList(target, db, command)) {
    const uuid = childOf(each, 'info')?.get('uuid');
    const name = String(each.get('name'));
    found.set(name, {
      name,
      type: String(each.get('type')) as Listed['type'],
      uuid: uuid === undefined ? null : hexOf(uuid as { readonly buffer: Uint8Array }),
      options: childOf(each, 'options') ?? new Map(),
    });
  }
  return found;
}

/** The name of a collection, null when there is none with this UUID. */
export async function nameOf(target: Target, db: string, uuid: string): Promise<string | null> {
  const command = { listCollections: 1, nameOnly: false, filter: { 'info.uuid': new UUID(uuid) } };
  const [found] = await readList(target, db, command);
  return found === undefined ? null : String(found.get('name'));
}

/** All that `listCollections` or `listIndexes` answers; asked again where an election came in between. */
export function readList(target: Pick<Target, 'reader'>, db: string, command: Document): Promise<readonly OrderedDocument[]> {
  return readAgain(async () => {
    const found: OrderedDocument[] = [];
    for await (const raw of readAll(await target.reader(), db, command)) found.push(decodeOrdered(raw));
    return found;
  });
}

/** True when the server says that the namespace isn't there. */
export function isNamespaceMissing(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 26;
}

function hexOf(uuid: { readonly buffer: Uint8Array }): string {
  return Buffer.from(uuid.buffer).subarray(0, 16).toString('hex');
}
