import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actionsOf, eventTypeOf } from '../../../../../src/http/wire/atlas/events/event-types.ts';

describe('names of events', () => {
  test('are the vendor\'s at the doors of Atlas and Ops Manager, and are found by them', () => {
    for (const door of ['atlas-v2', 'atlas-v1', 'atlas-v1.5']) assert.equal(eventTypeOf(`${door} POST /groups/:groupId/clusters`), 'CLUSTER_CREATED');
    assert.deepEqual(actionsOf(['CLUSTER_CREATED']), ['atlas-v2 POST /groups/:groupId/clusters', 'atlas-v1 POST /groups/:groupId/clusters', 'atlas-v1.5 POST /groups/:groupId/clusters', 'ops-manager-v1 POST /groups/:groupId/clusters']);
    assert.equal(eventTypeOf('ops-manager-v1 POST /orgs/:orgId/apiKeys'), 'API_KEY_CREATED');
    assert.deepEqual(actionsOf(['NOTHING_OF_OURS']), []);
  });

  test('tell door, method and path where the vendor has no word', () => {
    assert.equal(eventTypeOf('commvault POST /createtask'), 'COMMVAULT_POST_CREATETASK');
    assert.equal(eventTypeOf('ops-manager-v1 POST /groups/:groupId/clusters/:clusterId/restoreJobs'), 'OPS_MANAGER_V1_POST_GROUPS_CLUSTERS_RESTORE_JOBS');
  });
});
