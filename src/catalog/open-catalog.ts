// Opens the catalog: on the embedded server of a home, or on any PostgreSQL of at least version 14.
import { randomBytes } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import { createSealer, type Sealer } from '../foundation/seal.ts';
import { createCatalogKeys, findSecret, unlockCatalog, type CatalogKeys, type MasterKeyInHand } from './catalog-keys.ts';
import { createCatalogStore, type CatalogStore } from './catalog.ts';
import { connect, type Address } from './connection.ts';
import { createCatalogDumps, type CatalogDumps } from './dump/dump-source.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';
import { listen, type Listener } from './listen.ts';
import { migrate } from './migrate.ts';
import type { Tables } from './tables.ts';

interface CatalogPlace {
  /** `{ url }`: any PostgreSQL; `{ home }`: the embedded server, its data below `<home>/postgres`. */
  readonly database: { readonly url: string } | { readonly home: string };
  readonly log: Logger;
  readonly clock: Clock;
  /** Of our tables; default `leafvault`. Lower-case letters, digits and `_`. */
  readonly schema?: string;
  /** Connections for queries; default 10. */
  readonly poolSize?: number;
  /** Called when tables of an older version are about to be changed; what it throws leaves them as they are, and the catalog closed. */
  readonly beforeMigration?: (dumps: CatalogDumps) => Promise<void>;
  /** How long a transaction in which nothing is said keeps its locks; default 10 s. */
  readonly idleTransactionMs?: number;
}

/** `masterKey` opens its secrets; `sealer` seals them in a catalog that keeps no key of its own. */
export type CatalogOptions = CatalogPlace & ({ readonly masterKey: MasterKeyInHand } | { readonly sealer: Sealer });

export interface Catalog extends CatalogStore {
  /** Where it lives: for the queue, which has connections of its own. */
  readonly address: Address;
  readonly schema: string;
  /** PostgreSQL's version, e.g. `18.4`. */
  readonly serverVersion: string;
  /** 32 bytes that only a master key gives, the same for the catalog's whole life: signing keys are derived from it. */
  readonly secret: Buffer;
  readonly masterKeys: CatalogKeys;
  listen(channel: string, onMessage: (payload: string) => void, onConnect?: () => void): Listener;
  readonly dumps: CatalogDumps;
  /** @throws CATALOG_UNREACHABLE */
  ping(): Promise<void>;
  /** Ends all connections; the last process on a home also stops its server. Safe to call twice. */
  close(): Promise<void>;
}

export const DEFAULT_SCHEMA = 'leafvault';
const OLDEST_SERVER = 140_000;

/**
 * Connects, checks the server, brings the tables up to date.
 * @throws CATALOG_KEY_OTHER, CATALOG_UNREACHABLE, CATALOG_LOGIN_REFUSED, CATALOG_TOO_OLD, CATALOG_NEWER, CATALOG_MIGRATION_CHANGED,
 *   CATALOG_MIGRATION_FAILED, and for a home CATALOG_HOME_FOREIGN, CATALOG_HOME_UNUSABLE, CATALOG_DATA_VERSION,
 *   CATALOG_BINARIES_MISSING, CATALOG_SERVER_FAILED, CATALOG_DISK_FULL
 */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  const base = await openBase(options);
  try {
    const { beforeMigration } = options;
    await migrate(base.db, base.schema, undefined, beforeMigration === undefined ? undefined : () => beforeMigration(base.dumps));
    return await catalogOn(base, options);
  } catch (error) {
    await base.close();
    throw error;
  }
}

/** A connection whose tables nobody has looked at. */
export interface CatalogBase extends Pick<Catalog, 'address' | 'schema' | 'serverVersion' | 'dumps' | 'close'> { readonly db: Kysely<Tables> }

/** @throws as `openCatalog`, but for what migrations throw */
export async function openBase(options: CatalogOptions): Promise<CatalogBase> {
  const { database, log, clock, schema = DEFAULT_SCHEMA, poolSize = 10, idleTransactionMs = 10_000 } = options;
  const embedded = 'home' in database ? await startEmbeddedPostgres({ home: database.home, log, clock }) : null;
  const address: Address = embedded?.address ?? { url: (database as { readonly url: string }).url };
  const db = connect({ address, schema, poolSize, idleTransactionMs, log });
  const close = closer(db, embedded);
  try {
    const dumps = createCatalogDumps({ db, schema, clock, sealer: () => sealerAsItIs(db, options) });
    return { db, address, schema, close, serverVersion: await checkServer(db), dumps };
  } catch (error) {
    await close();
    throw error;
  }
}

/** On tables that are up to date. */
export async function catalogOn({ db, ...base }: CatalogBase, options: CatalogOptions): Promise<Catalog> {
  const { clock, log } = options;
  const masterKey = 'masterKey' in options ? options.masterKey : null;
  const secret = masterKey === null ? randomBytes(32) : await unlockCatalog(db, clock, masterKey);
  return {
    ...createCatalogStore({ db, clock, sealer: 'sealer' in options ? options.sealer : createSealer(secret) }), ...base, secret,
    masterKeys: createCatalogKeys(db, clock, secret, masterKey),
    listen: (channel, onMessage, onConnect) => listen({ address: base.address, channel, log, onMessage, onConnect }),
    async ping() {
      await sql`select 1`.execute(db);
    },
  };
}

/** What the secrets of the tables are sealed with, of whatever version they are. @throws CATALOG_KEY_OTHER */
async function sealerAsItIs(db: Kysely<Tables>, options: CatalogOptions): Promise<Sealer> {
  return 'sealer' in options ? options.sealer : createSealer(await findSecret(db, options.masterKey));
}

function closer(db: Kysely<Tables>, embedded: EmbeddedPostgres | null): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= (async () => {
      await db.destroy();
      await embedded?.stop();
    })();
    return closing;
  };
}

async function checkServer(db: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{ number: string; name: string }>`
    select current_setting('server_version_num') as number, current_setting('server_version') as name`.execute(db);
  const { number, name } = rows[0] ?? { number: '0', name: 'unknown' };
  refuseOldServer(Number(number), name);
  return name.split(' ')[0] ?? name;
}

/** @throws CATALOG_TOO_OLD below PostgreSQL 14 */
export function refuseOldServer(versionNumber: number, name: string): void {
  if (versionNumber >= OLDEST_SERVER) return;
  throw new LeafvaultError('CATALOG_TOO_OLD', `Opening the catalog was refused: the server is PostgreSQL ${name}, and 14 is the oldest that works`, {
    hint: 'Use PostgreSQL 14 or newer, or leave LEAFVAULT_DATABASE_URL unset for the embedded one', details: { version: name },
  });
}
