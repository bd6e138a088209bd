// Who may do what at the doors without a published table of roles: Atlas v1.0 as in v2, Ops Manager by its reference page.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ATLAS_V1_OPERATIONS } from '../../../src/http/facades/atlas-v1/routes.ts';
import { ATLAS_V2_OPERATIONS } from '../../../src/http/facades/atlas-v2/routes.ts';
import { OPS_MANAGER_V1_OPERATIONS } from '../../../src/http/facades/ops-manager-v1/routes.ts';
import { startFacades, type FacadeServer } from '../../support/facade-server.ts';
import { ORDERS_ID, SHOP_ID } from '../../support/memory-services.ts';

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

  /** Who may write, written apart from the code. */
  const WRITERS = ['GROUP_BACKUP_ADMIN', 'GROUP_BACKUP_MANAGER', 'GROUP_OWNER'] as const;
  const READERS = ['GROUP_READ_ONLY', 'GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR'] as const;

  for (const { method, path, roles } of OPS_MANAGER_V1_OPERATIONS) {
    if (roles === null) continue;
    test(`${method} ${path} is for ${method === 'GET' ? 'readers' : 'backup admins'}`, async () => {
      const url = `/api/public/v1.0${path.replace(':groupId', SHOP_ID).replace(':clusterId', ORDERS_ID).replaceAll(/:[a-zA-Z]+/g, '0'.repeat(24))}`;
      for (const role of [...WRITERS, ...READERS]) {
        const authorization = `Bearer ${await facade.grant(`${role} ${method} ${path}`, [{ role, projectId: SHOP_ID }])}`;
        const { status, json } = await facade.ask(url, { method, headers: { authorization }, ...(method === 'GET' ? {} : { body: {} }) });
        const allowed: boolean = method === 'GET' || (WRITERS as readonly string[]).includes(role);
        assert.equal(json['errorCode'] === 'USER_UNAUTHORIZED', !allowed, `${role}: ${status}`);
      }
    });
  }
});
