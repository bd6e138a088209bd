// A catalog that can be dumped: the open one, or the tables of an older version just before they are migrated.
import { sql, type Kysely } from 'kysely';
import type { Clock } from '../../foundation/clock.ts';
import type { Sealer } from '../../foundation/seal.ts';
import type { Tables } from '../tables.ts';
import { readTables, type DumpCounts } from './read-tables.ts';

/** The tables of one instant, as long as `CatalogDumps.take` holds them. */
export interface TableDump {
  readonly takenAt: Date;
  /** Names of the applied migrations, in order. */
  readonly migrations: readonly string[];
  /** JSON without a line break each, as docs/design/repository-format.md has it under "Lines". They hold secrets in the clear. */
  lines(): AsyncIterable<string>;
  /** Of the lines that were read. */
  readonly counts: Readonly<DumpCounts>;
}

export interface CatalogDumps {
  /** @throws CATALOG_KEY_OTHER where the master key in hand does not open the secrets */
  assertKey(): Promise<void>;
  /** What the settings hold under a name; undefined without it. */
  setting(key: string): Promise<unknown>;
  /**
   * Everything of one instant. One at a time, over all processes: `wait` until the other one is through, or null at once.
   * @param options.everything also what is over for long
   */
  take<T>(options: { readonly wait: boolean; readonly everything: boolean }, work: (dump: TableDump) => Promise<T>): Promise<T | null>;
}

export interface DumpContext {
  readonly db: Kysely<Tables>;
  readonly schema: string;
  /** Of the tables as they are when they are dumped. */
  readonly sealer: () => Promise<Sealer>;
  readonly clock: Clock;
}

/** A slow store may take its time between two pages; a frozen process must not hold the old rows for ever. */
const IDLE = '10min';

export function createCatalogDumps({ db, schema, sealer, clock }: DumpContext): CatalogDumps {
  const plain = db.withoutPlugins() as unknown as Kysely<unknown>;
  return {
    assertKey: async () => void (await sealer()),
    async setting(key) {
      const { rows } = await sql<{ value: unknown }>`select value from ${sql.id(schema, 'settings')} where key = ${key}`.execute(plain);
      return rows[0]?.value;
    },
    take: ({ wait, everything }, work) =>
      plain.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(async (trx) => {
        await sql.raw(`set local idle_in_transaction_session_timeout = '${IDLE}'`).execute(trx);
        if (!(await lock(trx, schema, wait))) return null;
        const { rows } = await sql<{ name: string }>`select name from ${sql.id(schema, 'migration_checksums')} order by name`.execute(trx);
        const sealed = await sealer();
        const takenAt = clock.now();
        const counts: DumpCounts = { tables: {}, broken: 0 };
        return work({
          takenAt, counts, migrations: rows.map(({ name }) => name),
          lines: () => readTables(trx, { schema, sealer: sealed, now: takenAt, everything }, counts),
        });
      }),
  };
}

async function lock(trx: Kysely<unknown>, schema: string, wait: boolean): Promise<boolean> {
  const name = `leafvault dump of ${schema}`;
  if (!wait) {
    const { rows } = await sql<{ got: boolean }>`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as got`.execute(trx);
    return rows[0]?.got === true;
  }
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
  return true;
}
