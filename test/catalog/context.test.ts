// Long lists of rows that last: counted by triggers, read a page at a time.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { newId } from '../../src/foundation/ids.ts';
import { insertCompleted, makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { DATABASES_IN_TURN, emptyCatalog, type TestDatabase } from '../support/postgres.ts';

for (const { name, start } of DATABASES_IN_TURN) {
  describe(`lists of rows that last, on ${name}`, () => {
    let server: TestDatabase;
    let catalog: Catalog;
    before(async () => {
      server = await start();
      catalog = await server.open();
    });
    after(async () => {
      await catalog.close();
      await server.stop();
    });
    afterEach(() => emptyCatalog(catalog));

    for (const table of ['restores', 'exports', 'collectionRestores'] as const) {
      test(`${table} of several months are told page by page and counted as they come and go`, async () => {
        const { inventory, ids } = await fill(catalog);
        // Of another cluster: neither told nor counted.
        await fill(catalog);
        const read = async (itemsPerPage: number): Promise<readonly string[]> => {
          const told: string[] = [];
          for (let pageNumber = 1; ; pageNumber += 1) {
            const { items, totalCount } = await catalog[table].list(inventory.cluster.id, { pageNumber, itemsPerPage });
            assert.equal(totalCount, ids.length);
            if (items.length === 0) return told;
            told.push(...items.map((item) => ('restoreId' in item ? item.restoreId : item.id)));
          }
        };
        for (const itemsPerPage of [1, 4, 7, 50]) assert.deepEqual(await read(itemsPerPage), ids, `pages of ${itemsPerPage}`);
        const gone = ids.splice(2, 5);
        const column = table === 'collectionRestores' ? 'restore_id' : 'id';
        for (const each of table === 'restores' ? ['collection_restores', 'restores'] : [table.replace('R', '_r')]) {
          await catalog.transaction((tx) => tx.executeSql(`delete from ${each} where ${each === 'collection_restores' ? 'restore_id' : column} = any($1)`, [gone]));
        }
        assert.deepEqual(await read(4), ids);
      });
    }
  });
}

/** 23 rows of each table in one cluster, four days from one to the next, one on the first instant of a month; their ids, newest first, are alike. */
async function fill(catalog: Catalog): Promise<{ readonly inventory: Inventory; readonly ids: string[] }> {
  const inventory = await makeInventory(catalog);
  const { project, cluster } = inventory;
  const ids = Array.from({ length: 23 }, newId);
  const { snapshotId } = await insertCompleted(catalog, inventory);
  const bucketId = newId();
  const at = "timestamptz '2026-01-29T00:00:00Z' - (n - 1) * interval '4 days' + case when n = 8 then interval '0' else interval '1 ms' end";
  await catalog.transaction(async (tx) => {
    const many = (text: string, ...values: readonly string[]): Promise<unknown> => tx.executeSql(text.replaceAll('{at}', at).replace('{rows}', 'unnest($1::text[]) with ordinality as r(id, n)'), [ids, ...values]);
    const place = [project.id, cluster.id, snapshotId];
    await many("insert into jobs (id, kind, state, project_id, cluster_id, snapshot_id, payload, requested_by, created_at, finished_at) select id, 'restore', 'completed', $2, $3, $4, '{}', 'test', {at}, {at} from {rows}", ...place);
    await many("insert into leases (job_id) select id from {rows}");
    await many(`insert into restores (id, delivery, project_id, cluster_id, cluster_name, snapshot_id, selection, index_strategy, users_and_roles, created_at, job_id)
      select id, 'automated', $2, $3, 'orders', $4, '{"databases":[],"collections":[],"renames":[]}', 'ALL', false, {at}, id from {rows}`, ...place);
    await many(`insert into collection_restores (restore_id, cluster_id, created_at, request) select id, $2, {at}, '{"writeStrategy":"CREATE_NEW","databases":[],"collections":[],"databaseSuffix":null,"collectionSuffix":null}' from {rows}`, cluster.id);
    await tx.executeSql("insert into export_buckets (id, project_id, bucket_name, iam_role_id, created_at) values ($1, $2, 'exports', 'x', now())", [bucketId, project.id]);
    await many("insert into exports (id, project_id, cluster_id, cluster_name, snapshot_id, bucket_id, job_id, prefix, labels, created_at) select id, $2, $3, 'orders', $4, $5, id, id, '[]', {at} from {rows}", ...place, bucketId);
  });
  return { inventory, ids };
}
