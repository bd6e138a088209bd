// Connections to PostgreSQL: one pool for queries, and clients of their own for listening.
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { Logger } from '../foundation/logger.ts';
import { ColumnNames } from './column-names.ts';
import { catalogError } from './query-errors.ts';
import type { Tables } from './tables.ts';
import { parseTimestamp } from './timestamps.ts';

/** Where a PostgreSQL is: a connection string, or a unix socket's folder. */
export type Address =
  | { readonly url: string }
  | { readonly socketFolder: string; readonly port: number; readonly user: string; readonly database: string };

export interface ConnectionOptions {
  readonly address: Address;
  /** Schema of our tables; first on the search path of every connection. */
  readonly schema: string;
  readonly poolSize: number;
  /** After this long without a word inside of a transaction, PostgreSQL ends it with its connection. */
  readonly idleTransactionMs: number;
  readonly log: Logger;
}

const CONNECT_TIMEOUT_MS = 10_000;
const INT8 = 20;
const TIMESTAMPTZ = 1184;
// Lists read 500 rows by key and join 500 more: on the defaults, made for spinning disks, PostgreSQL reads a whole
// table of 100,000 rows instead. None of our statements is worth compiling.
const SESSION = '-c random_page_cost=1.1 -c jit=off -c timezone=UTC -c datestyle=ISO';

/** Settings of one client: big integers and counts as numbers, our schema on the path. */
export function clientConfigOf(address: Address, schema: string | null): pg.ClientConfig {
  return {
    ...('url' in address
      ? { connectionString: address.url }
      : { host: address.socketFolder, port: address.port, user: address.user, database: address.database }),
    // Behind `options` of the connection string, if it has any: the last word counts.
    ...(schema === null ? {} : { options: `-c search_path=${schema} ${SESSION}` }),
    application_name: 'leafvault',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: {
      getTypeParser: ((id: number, format: 'text' | 'binary') => parserOf(id, format)) as typeof pg.types.getTypeParser,
    },
  };
}

function parserOf(id: number, format: 'text' | 'binary'): (text: string) => unknown {
  if (format !== 'binary' && id === INT8) return Number;
  if (format !== 'binary' && id === TIMESTAMPTZ) return (text) => parseTimestamp(text, pg.types.getTypeParser(TIMESTAMPTZ));
  return pg.types.getTypeParser(id, format) as (text: string) => unknown;
}

/** A handle over a fresh pool; `destroy()` ends both. */
export function connect({ address, schema, poolSize, idleTransactionMs, log }: ConnectionOptions): Kysely<Tables> {
  // A frozen process, or one whose machine is cut off, would keep its locks for as long as it stays so, and with them what others have
  // to take over from it.
  const pool = new pg.Pool({ ...clientConfigOf(address, schema), max: poolSize, idle_in_transaction_session_timeout: idleTransactionMs });
  // An idle connection that broke is replaced at the next query; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ reason: error.message }, 'an idle catalog connection broke'));
  // Nor may one that breaks while it is lent out, between two statements; the next statement fails and says so.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: withOurErrors(pool) }),
    plugins: [new ColumnNames()],
  });
}

function withOurErrors(pool: pg.Pool): PostgresPool {
  const wrapped = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((error: unknown) => { throw catalogError(error, 'Connecting to the catalog'); });
      const known = wrapped.get(client);
      if (known !== undefined) return known;
      const made = wrapClient(client);
      wrapped.set(client, made);
      return made;
    },
  };
}

function wrapClient(client: pg.PoolClient): PostgresPoolClient {
  // Not by the client's own promise: with it the rows of answered statements outlive the small collections of garbage, each of which
  // then takes 12 ms instead of 1 and lets 6 to 13 MB through to the next large one (pg 8.23, Node 24; test/catalog/connection.test.ts).
  const query = (text: string, parameters: readonly unknown[]): Promise<unknown> => new Promise((resolve, reject) => {
    client.query({ name: nameOf(text), text, values: [...parameters] }, (error: Error | null | undefined, result) => {
      if (error == null) resolve(result);
      else reject(catalogError(error));
    });
  });
  return {
    // Kysely takes a cursor here as well; the catalog has none.
    query: query as PostgresPoolClient['query'],
    release: (destroy) => client.release(destroy),
  };
}

/** Of so many statements a session keeps the plan: there are a few hundred, and each costs every session some ten kilobytes. */
const MOST_NAMED = 500;
const names = new Map<string, string>();

/**
 * A name for a statement that reads, under which a session plans it once: planning is a third of the time of most of ours.
 * None for one that asks for all columns: it would fail in open sessions once a later version adds one.
 */
function nameOf(text: string): string | undefined {
  if (!text.startsWith('select ') || /(select |\.)\*/.test(text)) return undefined;
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_NAMED) return known;
  const made = `leafvault_${names.size + 1}`;
  names.set(text, made);
  return made;
}
