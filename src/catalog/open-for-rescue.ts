// A catalog that is about to be made from a dump, or anew: looks whether it may be, makes the tables of the dump's version, fills and migrates them.
import { sql, type Kysely } from 'kysely';
import { LeafvaultError } from '../foundation/errors.ts';
import { createSealer, type Sealer } from '../foundation/seal.ts';
import { prepareSecret } from './catalog-keys.ts';
import { describeTables } from './dump/describe-tables.ts';
import { DUMP_POLICY } from './dump/dump-policy.ts';
import { loadTables } from './dump/load-tables.ts';
import { migrate, readMigrations } from './migrate.ts';
import { catalogOn, openBase, type Catalog, type CatalogOptions } from './open-catalog.ts';
import { RESCUE_MARK } from './rescue-mark.ts';
import type { Tables } from './tables.ts';

export interface CatalogRescue {
  /** Names and counts of what would be written over, `3 clusters`; empty: nothing. What a rescue left that was broken off counts as nothing. */
  content(): Promise<readonly string[]>;
  /**
   * Takes what is there away, makes tables of the dump's version, loads its rows, all in one transaction, with the mark.
   * @param dump null: empty tables of this version
   * @param leaveOut settings of the dump that do not come back
   * @returns rows by table @throws CATALOG_NOT_EMPTY, CATALOG_NEWER, CATALOG_DUMP_DAMAGED
   */
  load(dump: { readonly migrations: readonly string[]; readonly lines: AsyncIterable<string> } | null, leaveOut: (setting: string) => boolean): Promise<Readonly<Record<string, number>>>;
  /** Brings the tables up to date. Closing the catalog ends the rescue as well. */
  open(): Promise<Catalog>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** @throws CATALOG_NOT_EMPTY while another rescue is at it; as `openCatalog`, but for what migrations throw */
export async function openForRescue(options: CatalogOptions): Promise<CatalogRescue> {
  const base = await openBase(options);
  const plain = base.db.withoutPlugins() as unknown as Kysely<unknown>;
  const letGo = await holdLock(plain, base.schema).catch(async (error: unknown) => {
    await base.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await letGo();
    await base.close();
  };
  const content = (): Promise<readonly string[]> => contentOf(plain, base.schema);
  return {
    content,
    close,
    async load(dump, leaveOut) {
      const found = await content();
      if (found.length > 0) throw notEmpty(found.join(', '));
      const files = await filesOf(dump?.migrations ?? null);
      await dropTables(plain, base.schema);
      await migrate(base.db, base.schema, files);
      return base.db.transaction().execute(async (tx) => {
        const trx = tx.withoutPlugins() as unknown as Kysely<unknown>;
        await sql.raw("set local idle_in_transaction_session_timeout = '10min'").execute(trx);
        const loaded = dump === null ? {} : await loadTables(trx, dump.lines, { schema: base.schema, sealer: await sealerOf(tx, options), leaveOut });
        await sql`insert into settings (key, value) values (${RESCUE_MARK}, 'true'::jsonb)`.execute(trx);
        return loaded;
      });
    },
    async open() {
      await migrate(base.db, base.schema);
      return { ...(await catalogOn(base, options)), close };
    },
  };
}

async function sealerOf(tx: Kysely<Tables>, options: CatalogOptions): Promise<Sealer> {
  return 'sealer' in options ? options.sealer : createSealer(await prepareSecret(tx, options.clock, options.masterKey));
}

/** Held until it is let go, by a connection of its own. */
async function holdLock(db: Kysely<unknown>, schema: string): Promise<() => Promise<void>> {
  const name = `leafvault rescue of ${schema}`;
  const taken = Promise.withResolvers<boolean>();
  const over = Promise.withResolvers<void>();
  const held = db.connection().execute(async (one) => {
    const { rows } = await sql<{ got: boolean }>`select pg_try_advisory_lock(hashtextextended(${name}, 0)) as got`.execute(one);
    taken.resolve(rows[0]?.got === true);
    if (rows[0]?.got !== true) return;
    await over.promise;
    await sql`select pg_advisory_unlock(hashtextextended(${name}, 0))`.execute(one);
  });
  held.catch((error: unknown) => taken.reject(error));
  if (!(await taken.promise)) throw notEmpty('another rescue is at work on it');
  return async () => {
    over.resolve();
    // A connection that broke has let go.
    await held.catch(() => undefined);
  };
}

async function contentOf(db: Kysely<unknown>, schema: string): Promise<readonly string[]> {
  const { tables } = await describeTables(db, schema);
  if (tables.length === 0) return [];
  if (!tables.some(({ name }) => name === 'migration_checksums')) return [`${tables.length} tables that are none of Leafvault`];
  const has = (name: string): boolean => tables.some((table) => table.name === name);
  if (has('settings') && (await sql`select 1 from ${sql.id(schema, 'settings')} where key = ${RESCUE_MARK}`.execute(db)).rows.length > 0) return [];
  const found: string[] = [];
  for (const { name } of tables) {
    // What is never dumped, and settings that the mere opening leaves, are nothing that could be lost.
    if (name === 'settings' || DUMP_POLICY[name]?.kind === 'never') continue;
    const { rows } = await sql<{ n: string }>`select count(*)::text as n from ${sql.id(schema, name)}`.execute(db);
    if (rows[0] !== undefined && rows[0].n !== '0') found.push(`${rows[0].n} ${name.replaceAll('_', ' ')}`);
  }
  return found;
}

/** The schema itself stays: who may make one in this database is somebody else's decision. */
async function dropTables(db: Kysely<unknown>, schema: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ drop: string }>`
      select format('drop table if exists %I.%I cascade', schemaname, tablename) as drop from pg_tables where schemaname = ${schema}
      union all select format('drop sequence if exists %I.%I cascade', schemaname, sequencename) from pg_sequences where schemaname = ${schema}
      union all select format('drop routine if exists %s cascade', p.oid::regprocedure) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = ${schema}`.execute(trx);
    for (const { drop } of rows) await sql.raw(drop).execute(trx);
  });
}

async function filesOf(migrations: readonly string[] | null): ReturnType<typeof readMigrations> {
  const known = await readMigrations();
  if (migrations === null) return known;
  const unknown = migrations.find((name) => !known.some((file) => file.name === name));
  if (unknown !== undefined) {
    throw new LeafvaultError('CATALOG_NEWER', `Loading the dump was refused: it was taken of tables with migration ${unknown}, which this Leafvault does not know`, {
      hint: 'Rescue with the newer Leafvault that took this dump, or choose an older dump with --dump', details: { name: unknown },
    });
  }
  return known.filter(({ name }) => migrations.includes(name));
}

function notEmpty(what: string): LeafvaultError {
  return new LeafvaultError('CATALOG_NOT_EMPTY', `Rescuing into this catalog was refused: ${what}`, {
    hint: 'Give an empty home with --home, or an empty database with LEAFVAULT_DATABASE_URL; nothing is written over',
  });
}
