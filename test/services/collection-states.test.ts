// What a collection restore job says of each collection, from its plan and its job; pure.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CollectionRestoreRequest } from '../../src/domain/collection-restore.ts';
import { selectionOf } from '../../src/services/collection-restores.ts';
import { collectionsOfJob, type JobFacts } from '../../src/services/collection-states.ts';

const CONTENTS = [{ db: 'shop', name: 'carts', documents: 3, bytes: 30 }, { db: 'shop', name: 'orders', documents: 10, bytes: 100 }, { db: 'crm', name: 'a.b', documents: 1, bytes: 10 }];
const REQUEST: CollectionRestoreRequest = { writeStrategy: 'CREATE_NEW', databases: [{ source: 'shop', target: 'store' }], collections: [{ source: 'crm.a.b', target: 'crm2.c' }], databaseSuffix: '_old', collectionSuffix: '-1' };
const step = (from: string, to: string, more: object = {}): object => ({ from, db: to.slice(0, to.indexOf('.')), name: to.slice(to.indexOf('.') + 1), shadowUuid: null, proven: null, failedIndexes: [], ...more });
const facts = (change: Partial<JobFacts> = {}): JobFacts => ({ request: REQUEST, plan: null, job: { state: 'queued', phase: null }, indexStrategy: 'ALL', contents: CONTENTS, ...change });
const statesOf = (given: JobFacts): Record<string, string> => Object.fromEntries(collectionsOfJob(given).map(({ source, state }) => [source, state]));

describe('collections of a restore job', () => {
  test('are spelt out with where they go, before anything was begun', () => {
    assert.deepEqual(collectionsOfJob(facts()).map(({ source, target, effectiveTarget, state, totalDocuments, index }) => [source, target, effectiveTarget, state, totalDocuments, index.state]), [
      ['crm.a.b', 'crm2.c', 'crm2_old.c-1', 'NOT_STARTED', 1, 'NOT_STARTED'],
      ['shop.carts', 'store.carts', 'store_old.carts-1', 'NOT_STARTED', 3, 'NOT_STARTED'],
      ['shop.orders', 'store.orders', 'store_old.orders-1', 'NOT_STARTED', 10, 'NOT_STARTED'],
    ]);
  });

  test('that are not in the snapshot are said to be so', () => {
    const request = { ...REQUEST, databases: [{ source: 'nowhere' }], collections: [{ source: 'shop.orders' }, { source: 'shop.gone' }] };
    assert.deepEqual(statesOf(facts({ request })), { nowhere: 'NOT_FOUND', 'shop.gone': 'NOT_FOUND', 'shop.orders': 'NOT_STARTED' });
  });

  test('go from their shadow over their proof to their end', () => {
    const swaps = [step('shop.orders', 'store_old.orders-1', { shadowUuid: 'aa' }), step('shop.carts', 'store_old.carts-1'), step('crm.a.b', 'crm2_old.c-1', { shadowUuid: 'bb' })];
    const plan = { kind: 'restore', state: 'preparing', swaps, timeSeries: [], views: [] };
    assert.deepEqual(statesOf(facts({ plan, job: { state: 'running', phase: 'load' } })), { 'crm.a.b': 'IN_PROGRESS', 'shop.carts': 'NOT_STARTED', 'shop.orders': 'IN_PROGRESS' });
    const indexing = collectionsOfJob(facts({ plan, job: { state: 'running', phase: 'indexes' } })).map(({ index }) => index.state);
    assert.deepEqual(indexing, ['IN_PROGRESS', 'NOT_STARTED', 'IN_PROGRESS']);
    for (const state of ['proven', 'swapping', 'committed']) assert.deepEqual(Object.values(statesOf(facts({ plan: { ...plan, state }, job: { state: 'running', phase: 'swap' } }))), Array(3).fill('FINALIZING'), state);
  });

  test('tell of each index that could not be built', () => {
    const failedIndexes = [{ name: 'by text', reason: 'duplicate key' }];
    const plan = { kind: 'restore', state: 'finished', swaps: [step('shop.orders', 'store_old.orders-1', { shadowUuid: 'aa', proven: { documents: 10 }, failedIndexes })], views: [step('shop.v', 'store_old.v-1')] };
    const [orders, view] = collectionsOfJob(facts({ plan, job: { state: 'completed', phase: null }, contents: null, request: { ...REQUEST, collections: [] } }));
    assert.deepEqual([orders?.state, orders?.index, orders?.restoredDocuments], ['INDEX_BUILD_FAILED', { state: 'FAILED', failed: failedIndexes, errorMessage: 'by text: duplicate key' }, 10]);
    assert.deepEqual([view?.source, view?.state, view?.index.state], ['shop.v', 'SUCCESSFUL', 'SUCCESSFUL']);
  });

  test('of a job that failed are rolled back, failed, or were never begun', () => {
    const job = { state: 'failed', phase: null } as const;
    assert.deepEqual(new Set(Object.values(statesOf(facts({ job })))), new Set(['NOT_RESTORED']));
    const plan = { kind: 'restore', state: 'swapping', swaps: [step('shop.orders', 'store_old.orders-1', { shadowUuid: 'aa' }), step('shop.carts', 'store_old.carts-1')] };
    assert.deepEqual(statesOf(facts({ job, plan })), { 'crm.a.b': 'NOT_RESTORED', 'shop.carts': 'ROLLBACK', 'shop.orders': 'ROLLBACK' });
    assert.deepEqual(statesOf(facts({ job, plan: { ...plan, state: 'undone' } })), { 'crm.a.b': 'NOT_RESTORED', 'shop.carts': 'NOT_RESTORED', 'shop.orders': 'FAILED' });
  });

  test('become a selection with renames and suffixes', () => {
    assert.deepEqual(selectionOf(REQUEST), { databases: ['shop'], collections: ['crm.a.b'], renames: [{ from: 'shop', to: 'store' }, { from: 'crm.a.b', to: 'crm2.c' }], suffixes: { database: '_old', collection: '-1' } });
    assert.deepEqual(selectionOf({ ...REQUEST, databases: [{ source: 'shop', target: 'shop' }], collections: [], databaseSuffix: null, collectionSuffix: null }), { databases: ['shop'], collections: [], renames: [] });
  });
});
