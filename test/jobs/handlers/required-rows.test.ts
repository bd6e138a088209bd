import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog } from '../../../src/catalog/index.ts';
import { requireClusterUri } from '../../../src/jobs/handlers/required-rows.ts';

const catalogWith = (uri: string | null, cluster: object | null): Catalog =>
  ({ clusters: { uriOf: () => Promise.resolve(uri), get: () => Promise.resolve(cluster) } }) as unknown as Catalog;
const hidden: string[] = [];
const hide = (secret: string): void => void hidden.push(secret);

test('the connection string of a job has its password hidden from then on', async () => {
  assert.equal(await requireClusterUri(catalogWith('mongodb://u:pa55@h/', { name: 'orders' }), 'c', { hide }), 'mongodb://u:pa55@h/');
  assert.deepEqual(hidden, ['pa55']);
});

test('a cluster that was rescued without its connection string fails the job by name, with what to do', async () => {
  await assert.rejects(requireClusterUri(catalogWith(null, { name: 'orders' }), 'c', { hide }), { code: 'JOBS_CLUSTER_WITHOUT_ADDRESS', message: /cluster orders/, hint: /leafvault\.yaml/ });
});

test('a cluster that was deleted fails the job by that name', async () => {
  await assert.rejects(requireClusterUri(catalogWith(null, { name: 'orders', deletedAt: new Date(0) }), 'c', { hide }), { code: 'JOBS_CLUSTER_WITHOUT_ADDRESS', message: /orders failed: it was deleted/ });
});

test('a cluster that is not there fails the job', async () => {
  await assert.rejects(requireClusterUri(catalogWith(null, null), 'c', { hide }), { code: 'JOBS_ROW_MISSING' });
});
