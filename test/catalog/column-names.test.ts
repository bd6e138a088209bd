// Names of columns: as Kysely's own plugin gives them, for one row as for many.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CamelCasePlugin, createQueryId, type QueryResult, type UnknownRow } from 'kysely';
import { ColumnNames } from '../../src/catalog/column-names.ts';

const resultOf = (rows: UnknownRow[]): QueryResult<UnknownRow> => ({ rows, numAffectedRows: BigInt(rows.length) });
const row = (n: number): UnknownRow => ({
  id: `id-${n}`, point_in_time_t: n, data_size_bytes: null, created_at: new Date(n), details: { inner_name: [{ deep_name: n }] }, hosts: ['a_b'], _odd: 1, a1_b2: undefined, '?column?': 2, sha256_of: Buffer.from('x'),
});

describe('names of columns', () => {
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
