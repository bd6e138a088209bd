// Who may do what at the doors without a published table of roles: Atlas v1.0 as in v2, Ops Manager by its reference page.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RoleGrant } from '../../../src/domain/roles.ts';
import { ATLAS_V1_OPERATIONS } from '../../../src/http/facades/atlas-v1/routes.ts';
import { ATLAS_V2_OPERATIONS } from '../../../src/http/facades/atlas-v2/routes.ts';
import { OPS_MANAGER_V1_OPERATIONS } from '../../../src/http/facades/ops-manager-v1/routes.ts';
import { startFacades, type FacadeServer } from '../../support/facade-server.ts';
import { ORDERS_ID, ORG_ID, SHOP_ID } from '../../support/memory-services.ts';

describe('roles in Atlas v1.0', () => {
  test('are those of v2', () => {
    const v2 = new Map(ATLAS_V2_OPERATIONS.map(({ method, path, roles, orgRoles }) => [`${method} ${path}`, roles ?? orgRoles]));
    for (const { method, path, roles, orgRoles } of ATLAS_V1_OPERATIONS) assert.deepEqual(roles ?? orgRoles, v2.get(`${method} ${path}`), `${method} ${path}`);
  });
});

describe('roles in Ops Manager', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  /** Who may do what, written apart from the code. Absent here: whoever is known. */
  const BACKUP_ADMINS = ['GROUP_BACKUP_ADMIN', 'GROUP_BACKUP_MANAGER', 'GROUP_OWNER', 'GLOBAL_BACKUP_ADMIN', 'GLOBAL_OWNER', 'ORG_OWNER'];
  const READERS = [...BACKUP_ADMINS, 'GROUP_READ_ONLY', 'GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_ACCESS_MANAGER', 'GROUP_CLUSTER_MANAGER', 'GLOBAL_READ_ONLY', 'ORG_READ_ONLY'];
  const OWNERS = ['GROUP_OWNER', 'GLOBAL_OWNER', 'ORG_OWNER'];
  const EVERYONE = [...READERS, 'ORG_MEMBER', 'ORG_GROUP_CREATOR'];

  function allowedFor(method: string, path: string): readonly string[] {
    if (path.includes('/restorableTimeRanges')) return [...BACKUP_ADMINS, 'GLOBAL_READ_ONLY'];
    if (path.startsWith('/groups/:groupId/apiKeys') && method !== 'GET') return method === 'POST' && path.endsWith(':apiUserId') ? OWNERS : [...OWNERS, 'GROUP_ACCESS_MANAGER'];
    // A key of the organization is a member of it, whatever it holds.
    if (path.startsWith('/orgs/:orgId/apiKeys')) return method === 'GET' ? EVERYONE : ['GLOBAL_OWNER', 'ORG_OWNER'];
    if (path.startsWith('/groups/:groupId')) return method === 'GET' ? READERS : BACKUP_ADMINS;
    return EVERYONE;
  }

  for (const { method, path } of OPS_MANAGER_V1_OPERATIONS) {
    test(`${method} ${path} is for whom it is`, async () => {
      const url = `/api/public/v1.0${path.replace(':groupId', SHOP_ID).replace(':orgId', ORG_ID).replace(':clusterId', ORDERS_ID).replace(':groupName', 'shop').replaceAll(/:[a-zA-Z]+/g, '0'.repeat(24))}`;
      for (const role of EVERYONE as readonly RoleGrant['role'][]) {
        const place = role.startsWith('GROUP_') ? { projectId: SHOP_ID } : role.startsWith('ORG_') ? { orgId: ORG_ID } : {};
        const authorization = `Bearer ${await facade.grant(`${role} ${method} ${path}`, [{ role, ...place }])}`;
        const { status, json } = await facade.ask(url, { method, headers: { authorization }, ...(method === 'GET' ? {} : { body: {} }) });
        const isAllowed = allowedFor(method, path).includes(role);
        assert.equal(json['errorCode'] === 'USER_UNAUTHORIZED', !isAllowed, `${role}: ${status}`);
        // What is there is told to whoever may read it; the rest is refused for its ids or its body, never for the caller. A group's name is told to who is in it.
        const isThere = !url.includes('0'.repeat(24)) && !url.includes('/apiKeys') && (READERS.includes(role) || !path.includes('byName'));
        if (isAllowed && method === 'GET' && isThere) assert.equal(status, 200, `${role}: ${JSON.stringify(json)}`);
        if (isAllowed) assert.ok(!['NOT_IN_GROUP', 'NOT_IN_ORG', 'CLUSTER_NOT_FOUND', 'ORG_NOT_FOUND'].includes(String(json['errorCode'])), `${role}: ${JSON.stringify(json)}`);
      }
    });
  }
});
