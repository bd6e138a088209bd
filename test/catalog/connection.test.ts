// Connections to PostgreSQL: what a statement leaves in memory.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sql, type Kysely } from 'kysely';
import type { Catalog } from '../../src/catalog/index.ts';
import { connect } from '../../src/catalog/connection.ts';
import type { Tables } from '../../src/catalog/tables.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';

const ROUNDS = 9;
const STATEMENTS = 30;
/** What its 500 take at least. */
const ROWS_BYTES = 500 * 100;
const collect = collector();

describe('a connection to the catalog', () => {
  let database: TestDatabase;
  let catalog: Catalog;
  let db: Kysely<Tables>;
  before(async () => {
    database = await startEmbedded();
    catalog = await database.open({ clock: systemClock });
    db = connect({ address: catalog.address, schema: catalog.schema, poolSize: 1, idleTransactionMs: 10_000, log: silent });
  });
  after(async () => {
    await db.destroy();
    await catalog.close();
    await database.stop();
  });

  /** Bytes in use after so many statements and the small collections among them. */
  async function heapAfter(statements: number): Promise<number> {
    for (let n = 1; n <= statements; n += 1) {
      await sql`select n, 'row ' || n as name, now() as at from generate_series(1, 500) n`.execute(db);
      if (n % 10 === 0) collect({ type: 'minor' });
    }
    return process.memoryUsage().heapUsed;
  }

  // Rows that outlive it go through to the large one, and each small collection of a busy door takes ten times as long.
  test('lets go of the rows of answered statements, so that a small collection of garbage takes them', async () => {
    const grown: number[] = [];
    for (let before = await heapAfter(50); grown.length < ROUNDS; ) {
      const then = await heapAfter(STATEMENTS);
      grown.push((then - before) / STATEMENTS);
      before = then;
    }
    // Not the least: a large collection may fall into a round, and takes all that has stayed.
    const usual = grown.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
    assert.ok(usual < ROWS_BYTES / 4, `of each statement ${Math.round(usual)} bytes stay`);
  });
});

function collector(): (options: { readonly type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as ReturnType<typeof collector>;
}
