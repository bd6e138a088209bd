import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogAggregates } from '../../src/catalog/index.ts';
import { createAudit } from '../../src/services/audit.ts';

type Event = Parameters<CatalogAggregates['auditEvents']['insert']>[0];

test('an audit event keeps no U+0000, in no field', async () => {
  const events: Event[] = [];
  const auditEvents = { insert: async (event: Event) => { events.push(event); } } as CatalogAggregates['auditEvents'];
  await createAudit({ auditEvents }).record({
    principal: { kind: 'user', id: '5f0000000000000000000010', name: 'ad\0min', orgId: '5f0000000000000000000001', grants: [] },
    action: 'lo\0gin', projectId: 'p\0', object: '\0nobody', address: '127.0.0.1\0', details: { status: 200, inner: { names: ['a\0b'] } },
  });
  assert.deepEqual(events, [{
    principalKind: 'user', principalId: '5f0000000000000000000010', principalName: 'admin', action: 'login', projectId: 'p', orgId: '5f0000000000000000000001', object: 'nobody',
    address: '127.0.0.1', details: { status: 200, inner: { names: ['ab'] } },
  }]);
});
