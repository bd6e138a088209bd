// Brings the tables to the state that this program knows. Whoever starts first does it, the others wait.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { describeError, LeafvaultError } from '../foundation/errors.ts';
import type { Tables } from './tables.ts';

const FOLDER = new URL('./migrations/', import.meta.url);
const FILE = /^(\d{4}-[a-z0-9-]+)\.sql$/;

export interface MigrationFile { readonly name: string; readonly text: string }

/**
 * Applies what is missing, each file in the same transaction as its record.
 * @param before called once, in one process, when tables that hold something are about to be changed; what it throws leaves them as they are
 * @throws CATALOG_NEWER, CATALOG_MIGRATION_CHANGED, CATALOG_MIGRATION_FAILED
 */
export async function migrate(db: Kysely<Tables>, schema: string, files?: readonly MigrationFile[], before?: () => Promise<void>): Promise<void> {
  const plain = db.withoutPlugins();
  const known = files ?? (await readMigrations());
  await createSchema(plain, schema);
  const isDue = async (): Promise<boolean> => {
    const applied = await refuseForeign(plain, schema, known);
    return applied > 0 && applied < known.length;
  };
  if (!(await isDue()) || before === undefined) return apply(plain, schema, known);
  // Who waits here finds the tables changed.
  await withLock(plain, `leafvault migration of ${schema}`, async () => {
    if (await isDue()) await before();
    await apply(plain, schema, known);
  });
}

/** A lock of the session: it goes with the process. */
async function withLock(db: Kysely<Tables>, name: string, work: () => Promise<void>): Promise<void> {
  await db.connection().execute(async (held) => {
    await sql`select pg_advisory_lock(hashtextextended(${name}, 0))`.execute(held);
    await work().finally(() => sql`select pg_advisory_unlock(hashtextextended(${name}, 0))`.execute(held));
  });
}

async function apply(plain: Kysely<Tables>, schema: string, known: readonly MigrationFile[]): Promise<void> {
  const migrator = new Migrator({
    db: plain,
    provider: { getMigrations: () => Promise.resolve(Object.fromEntries(known.map((file) => [file.name, migrationOf(file)]))) },
    migrationTableSchema: schema,
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  // A server that is away or full says so itself; what is left is about the migration.
  throw error instanceof LeafvaultError && error.retryable ? error
    : new LeafvaultError('CATALOG_MIGRATION_FAILED', `Updating the catalog's tables failed: ${describeError(error)}`, { cause: error });
}

/** The numbered files beside this one, in order. */
export async function readMigrations(): Promise<readonly MigrationFile[]> {
  const names = (await readdir(FOLDER)).filter((name) => FILE.test(name)).sort();
  return Promise.all(names.map(async (name) => ({ name: name.slice(0, -'.sql'.length), text: await readFile(new URL(name, FOLDER), 'utf8') })));
}

function migrationOf({ name, text }: MigrationFile): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await sql.raw(text).execute(db);
      await sql`insert into migration_checksums (name, checksum) values (${name}, ${checksumOf(text)})`.execute(db);
    },
  };
}

async function createSchema(db: Kysely<Tables>, schema: string): Promise<void> {
  // "if not exists" is no protection against a second process doing the same at the same moment: hence the lock.
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended('leafvault schema', 0))`.execute(trx);
    await sql`create schema if not exists ${sql.id(schema)}`.execute(trx);
    await sql`create table if not exists ${sql.id(schema, 'migration_checksums')} (name text primary key, checksum text not null)`.execute(trx);
  });
}

/** @returns how many are applied */
async function refuseForeign(db: Kysely<Tables>, schema: string, known: readonly MigrationFile[]): Promise<number> {
  const { rows } = await sql<{ name: string; checksum: string }>`
    select name, checksum from ${sql.id(schema, 'migration_checksums')} order by name`.execute(db);
  for (const { name, checksum } of rows) {
    const file = known.find((one) => one.name === name);
    if (file === undefined) {
      throw new LeafvaultError('CATALOG_NEWER', `Opening the catalog was refused: it holds migration ${name}, which this Leafvault does not know`, {
        hint: 'Start the newer Leafvault that made this catalog', details: { name },
      });
    }
    if (checksumOf(file.text) !== checksum) {
      throw new LeafvaultError('CATALOG_MIGRATION_CHANGED', `Opening the catalog was refused: migration ${name} was applied with another text`, {
        hint: 'Put the released file back; a change of the tables is a new migration', details: { name },
      });
    }
  }
  return rows.length;
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
