import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROJECT_ROLES, projectRolesOf, type OrgRole, type ProjectRole, type RoleGrant } from '../../src/domain/roles.ts';
import { requireOrgRole, requireProjectRole } from '../../src/http/authorize.ts';
import type { Services } from '../../src/services/contracts.ts';
import { principalWith } from '../support/services-world.ts';

const ORG = '5f0000000000000000000001';
const PROJECT = { id: '5f0000000000000000000003', orgId: ORG, name: 'shop', createdAt: new Date(0) };
const ELSEWHERE = '5f000000000000000000000a';
const services = { inventory: { project: async () => PROJECT } } as unknown as Pick<Services, 'inventory'>;
const BACKUP_ALL: readonly ProjectRole[] = ['GROUP_BACKUP_MANAGER', 'GROUP_BACKUP_ADMIN', 'GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_READ_ONLY'];

/** What each grant makes of a principal in the project. */
const TABLE: readonly (readonly [RoleGrant, readonly ProjectRole[]])[] = [
  [{ role: 'GROUP_OWNER', projectId: PROJECT.id }, PROJECT_ROLES],
  [{ role: 'GROUP_BACKUP_MANAGER', projectId: PROJECT.id }, BACKUP_ALL],
  [{ role: 'GROUP_BACKUP_ADMIN', projectId: PROJECT.id }, BACKUP_ALL],
  [{ role: 'GROUP_BACKUP_CREATOR', projectId: PROJECT.id }, ['GROUP_BACKUP_CREATOR', 'GROUP_READ_ONLY']],
  [{ role: 'GROUP_BACKUP_RECOVERY_OPERATOR', projectId: PROJECT.id }, ['GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_READ_ONLY']],
  [{ role: 'GROUP_BACKUP_EXPORT_OPERATOR', projectId: PROJECT.id }, ['GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_READ_ONLY']],
  [{ role: 'GROUP_CLUSTER_MANAGER', projectId: PROJECT.id }, ['GROUP_CLUSTER_MANAGER', 'GROUP_READ_ONLY']],
  [{ role: 'GROUP_DATA_ACCESS_ADMIN', projectId: PROJECT.id }, ['GROUP_DATA_ACCESS_ADMIN', 'GROUP_READ_ONLY']],
  [{ role: 'GROUP_READ_ONLY', projectId: PROJECT.id }, ['GROUP_READ_ONLY']],
  [{ role: 'GROUP_OWNER', projectId: ELSEWHERE }, []],
  [{ role: 'ORG_OWNER', orgId: ORG }, PROJECT_ROLES],
  [{ role: 'ORG_OWNER', orgId: ELSEWHERE }, []],
  [{ role: 'ORG_READ_ONLY', orgId: ORG }, ['GROUP_READ_ONLY']],
  [{ role: 'ORG_READ_ONLY', orgId: ELSEWHERE }, []],
  [{ role: 'ORG_MEMBER', orgId: ORG }, []],
  [{ role: 'ORG_GROUP_CREATOR', orgId: ORG }, []],
  [{ role: 'ORG_BILLING_ADMIN', orgId: ORG }, []],
  [{ role: 'GLOBAL_OWNER' }, PROJECT_ROLES],
  [{ role: 'GLOBAL_BACKUP_ADMIN' }, BACKUP_ALL],
  [{ role: 'GLOBAL_READ_ONLY' }, ['GROUP_READ_ONLY']],
];

describe('roles in a project', () => {
  for (const [grant, expected] of TABLE) {
    const where = grant.projectId === ELSEWHERE || grant.orgId === ELSEWHERE ? ' elsewhere' : '';
    test(`of ${grant.role}${where} are ${expected.length === 0 ? 'none' : expected.length === PROJECT_ROLES.length ? 'all' : expected.join(', ')}`, async () => {
      const principal = principalWith(ORG, [grant]);
      assert.deepEqual([...projectRolesOf(principal, PROJECT)].sort(), [...expected].sort());
      for (const role of PROJECT_ROLES) {
        const asked = requireProjectRole(services, { principal, projectId: PROJECT.id, anyOf: [role] });
        if (expected.includes(role)) assert.deepEqual(await asked, PROJECT);
        else await assert.rejects(asked, { code: 'ROLE_MISSING', details: { projectId: PROJECT.id, anyOf: [role] } });
      }
    });
  }

  test('are enough when any of those asked for is held', async () => {
    const principal = principalWith(ORG, [{ role: 'GROUP_BACKUP_EXPORT_OPERATOR', projectId: PROJECT.id }]);
    assert.ok(await requireProjectRole(services, { principal, projectId: PROJECT.id, anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_EXPORT_OPERATOR'] }));
  });
});

describe('requireOrgRole', () => {
  const cases: readonly (readonly [RoleGrant, OrgRole, boolean])[] = [
    [{ role: 'ORG_OWNER', orgId: ORG }, 'ORG_READ_ONLY', true], [{ role: 'ORG_OWNER', orgId: ELSEWHERE }, 'ORG_READ_ONLY', false],
    [{ role: 'ORG_READ_ONLY', orgId: ORG }, 'ORG_READ_ONLY', true], [{ role: 'ORG_MEMBER', orgId: ORG }, 'ORG_OWNER', false],
    [{ role: 'GLOBAL_OWNER' }, 'ORG_OWNER', true], [{ role: 'GROUP_OWNER', projectId: PROJECT.id }, 'ORG_OWNER', false],
  ];
  for (const [grant, asked, allowed] of cases) {
    test(`${allowed ? 'takes' : 'refuses'} ${grant.role}${grant.orgId === ELSEWHERE ? ' elsewhere' : ''} for ${asked}`, () => {
      const check = (): void => requireOrgRole(principalWith(ORG, [grant]), ORG, [asked]);
      if (allowed) check();
      else assert.throws(check, { code: 'ROLE_MISSING' });
    });
  }
});
