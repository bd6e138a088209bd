import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Role } from '../../../../src/domain/roles.ts';
import { ATLAS_V2_OPERATIONS } from '../../../../src/http/facades/atlas-v2/routes.ts';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { OTHER_ID, SHOP_ID } from '../../../support/memory-services.ts';

const ROLES = ['GROUP_READ_ONLY', 'GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_MANAGER', 'GROUP_OWNER'] as const;
type Held = (typeof ROLES)[number];

/** Who may, written apart from the code: the docs' roles, an owner may all, a manager all backups. */
const ALLOWED: Readonly<Record<string, readonly Held[]>> = {
  GROUP_READ_ONLY: ROLES,
  GROUP_BACKUP_CREATOR: ['GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_MANAGER', 'GROUP_OWNER'],
  GROUP_BACKUP_MANAGER: ['GROUP_BACKUP_MANAGER', 'GROUP_OWNER'],
  'GROUP_BACKUP_EXPORT_OPERATOR GROUP_BACKUP_RECOVERY_OPERATOR': ['GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_MANAGER', 'GROUP_OWNER'],
  GROUP_BACKUP_RECOVERY_OPERATOR: ['GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_MANAGER', 'GROUP_OWNER'],
  GROUP_BACKUP_EXPORT_OPERATOR: ['GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_MANAGER', 'GROUP_OWNER'],
  GROUP_OWNER: ['GROUP_OWNER'],
};

describe('roles in Atlas v2', () => {
  let facade: FacadeServer;
  const tokens = new Map<Role, string>();

  before(async () => {
    facade = await startFacades();
    for (const role of ROLES) tokens.set(role, await facade.grant(role, [{ role, projectId: SHOP_ID }]));
  });
  after(() => facade.close());

  const status = async (method: 'GET', path: string, token: string | undefined) => {
    const url = path.replace(':groupId', SHOP_ID).replace(':clusterName', 'orders').replaceAll(/:[a-zA-Z]+/g, '0'.repeat(24));
    const { status: code, json } = await facade.atlas(url, { method, version: '2025-03-12', headers: { authorization: `Bearer ${String(token)}` }, ...(method === 'GET' ? {} : { body: {} }) });
    return `${code} ${String(json['errorCode'] ?? '')}`;
  };

  for (const { method, path, roles } of ATLAS_V2_OPERATIONS) {
    if (roles === null) continue;
    test(`${method} ${path} lets in ${[...roles].sort().join(' or ')} and what includes it, no one else`, async () => {
      const allowed = ALLOWED[[...roles].sort().join(' ')];
      assert.ok(allowed);
      for (const role of ROLES) {
        const answer = await status(method as 'GET', path, tokens.get(role));
        assert.equal(answer === '401 USER_UNAUTHORIZED', !allowed.includes(role), `${role}: ${answer}`);
      }
    });
  }

  test('of another project count for nothing here', async () => {
    const token = await facade.grant('neighbour', [{ role: 'GROUP_OWNER', projectId: OTHER_ID }]);
    assert.equal(await status('GET', '/groups/:groupId', token), '401 USER_UNAUTHORIZED');
    const { json } = await facade.atlas('/groups', { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual((json['results'] as { id: string }[]).map(({ id }) => id), [OTHER_ID]);
  });

  test('are named in no refusal', async () => {
    const { json } = await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/restoreJobs`, { headers: { authorization: `Bearer ${tokens.get('GROUP_READ_ONLY')}` } });
    assert.deepEqual(json, { detail: 'Current user is not authorized to perform this action.', error: 401, errorCode: 'USER_UNAUTHORIZED', parameters: [], reason: 'Unauthorized' });
  });
});
