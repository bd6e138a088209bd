// Names of columns: as Kysely's own plugin gives them, for one row as for many.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CamelCasePlugin, createQueryId, DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql, type QueryResult, type UnknownRow } from 'kysely';
import { ColumnNames } from '../../src/catalog/column-names.ts';

const resultOf = (rows: UnknownRow[]): QueryResult<UnknownRow> => ({ rows, numAffectedRows: BigInt(rows.length) });
const row = (n: number): UnknownRow => ({
  id: `id-${n}`, point_in_time_t: n, data_size_bytes: null, created_at: new Date(n), details: { inner_name: [{ deep_name: n }] }, hosts: ['a_b'], _odd: 1, a1_b2: undefined, '?column?': 2, sha256_of: Buffer.from('x'),
});

const db = new Kysely<{ readonly jobs: { readonly id: string; readonly createdAt: Date; readonly clusterId: string }; readonly leases: { readonly jobId: string; readonly workerId: string } }>({
  dialect: { createAdapter: () => new PostgresAdapter(), createDriver: () => new DummyDriver(), createIntrospector: (of) => new PostgresIntrospector(of), createQueryCompiler: () => new PostgresQueryCompiler() },
  plugins: [new ColumnNames()],
});

describe('names of columns', () => {
  for (const [what, query, text] of [
    ['of one table', db.selectFrom('jobs').select(['id', 'createdAt']), 'select "id", "created_at" as "createdAt" from "jobs"'],
    ['of two tables', db.selectFrom('jobs').innerJoin('leases', 'leases.jobId', 'jobs.id').select(['jobs.id', 'leases.workerId', 'jobs.clusterId as ofCluster']), 'select "jobs"."id", "leases"."worker_id" as "workerId", "jobs"."cluster_id" as "ofCluster" from "jobs" inner join "leases" on "leases"."job_id" = "jobs"."id"'],
    ['that rows are ordered by', db.selectFrom('jobs').select(['id', 'createdAt', 'clusterId as ofCluster']).orderBy('createdAt', 'desc').orderBy('ofCluster').orderBy('id'), 'select "id", "created_at" as "createdAt", "cluster_id" as "ofCluster" from "jobs" order by "createdAt" desc, "ofCluster", "id"'],
    ['of a table that rows are ordered by', db.selectFrom('jobs').select('createdAt').orderBy('jobs.createdAt').where('clusterId', '=', 'x'), 'select "created_at" as "createdAt" from "jobs" where "cluster_id" = $1 order by "jobs"."created_at"'],
    ['of expressions', db.selectFrom('jobs').select(sql<number>`count(*)`.as('ofAll')), 'select count(*) as "ofAll" from "jobs"'],
    ['inside of a statement stay as they are', db.selectFrom((eb) => eb.selectFrom('jobs').select('createdAt').as('oldOnes')).select('oldOnes.createdAt'), 'select "old_ones"."created_at" as "createdAt" from (select "created_at" from "jobs") as "old_ones"'],
    ['of groups stay as they are', db.selectFrom('jobs').select(['clusterId as ofCluster', sql<number>`count(*)`.as('n')]).groupBy('ofCluster'), 'select "cluster_id" as "of_cluster", count(*) as "n" from "jobs" group by "of_cluster"'],
    ['of what is told once for each stay as they are', db.selectFrom('jobs').distinctOn('clusterId').select(['clusterId', 'createdAt']), 'select distinct on ("cluster_id") "cluster_id", "created_at" from "jobs"'],
    ['that rows are ordered by in words of their own stay as they are', db.selectFrom('jobs').select('createdAt').orderBy(sql`created_at + interval '1 day'`), 'select "created_at" from "jobs" order by created_at + interval \'1 day\''],
    ['with a collation are those of columns', db.selectFrom('jobs').select('clusterId').orderBy('clusterId', (by) => by.collate('C')), 'select "cluster_id" as "clusterId" from "jobs" order by "cluster_id" collate "C"'],
    ['that would not be told back stay as they are', db.selectFrom('jobs').select(sql<number>`1`.as('n_a_b')), 'select 1 as "n_a_b" from "jobs"'],
    ['of all columns stay as they are', db.selectFrom('jobs').selectAll(), 'select * from "jobs"'],
    ['that are returned stay as they are', db.deleteFrom('jobs').returning('clusterId'), 'delete from "jobs" returning "cluster_id"'],
  ] as const) {
    test(`${what}: in the statement`, () => assert.equal(query.compile().sql, text));
  }

  test('that are ours already cost no copy', async () => {
    const result = resultOf([{ id: 'a', createdAt: new Date(0) }]);
    assert.equal(await new ColumnNames().transformResult({ queryId: createQueryId(), result }), result);
  });

  for (const rows of [[], [row(1)], Array.from({ length: 500 }, (_, n) => row(n))]) {
    test(`of ${rows.length} rows are those of Kysely's own plugin, and nothing inside of a value changes`, async () => {
      const args = { queryId: createQueryId(), result: resultOf(rows) };
      const expected = await new CamelCasePlugin({ maintainNestedObjectKeys: true }).transformResult(args);
      const got = await new ColumnNames().transformResult(args);
      assert.deepEqual(got, expected);
      assert.deepEqual(got.rows.map((each) => Object.keys(each)), expected.rows.map((each) => Object.keys(each)), 'in their order');
    });
  }

  test('leave the row that was read alone', async () => {
    const rows = [Object.freeze(row(1))];
    await new ColumnNames().transformResult({ queryId: createQueryId(), result: resultOf(rows) });
    assert.ok('point_in_time_t' in (rows[0] ?? {}));
  });
});
