import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { grantsBeyond, ORG_ROLES, orgRolesOf, type Principal, type RoleGrant } from '../../src/domain/roles.ts';

const ORG = 'a'.repeat(24);
const SHOP = 'b'.repeat(24);
const OTHER = 'c'.repeat(24);

function holderOf(...grants: readonly RoleGrant[]): Principal {
  return { kind: 'apiKey', id: 'd'.repeat(24), name: 'abcdefgh', orgId: ORG, grants };
}

describe('orgRolesOf', () => {
  test('makes a member of whoever belongs to the organization, and all of an owner', () => {
    assert.deepEqual([...orgRolesOf(holderOf(), ORG)], ['ORG_MEMBER']);
    assert.deepEqual([...orgRolesOf(holderOf(), OTHER)], []);
    assert.deepEqual([...orgRolesOf(holderOf({ role: 'ORG_OWNER', orgId: ORG }), ORG)], [...ORG_ROLES]);
    assert.deepEqual([...orgRolesOf(holderOf({ role: 'ORG_OWNER', orgId: OTHER }), ORG)], ['ORG_MEMBER']);
    assert.deepEqual([...orgRolesOf(holderOf({ role: 'GLOBAL_READ_ONLY' }), OTHER)].sort(), ['ORG_MEMBER', 'ORG_READ_ONLY']);
  });
});

describe('grantsBeyond', () => {
  const beyond = (principal: Principal, ...grants: readonly RoleGrant[]): string[] => grantsBeyond(principal, ORG, grants).map(({ role }) => role);

  test('leaves nothing of what is held or included, in the same place', () => {
    assert.deepEqual(beyond(holderOf({ role: 'ORG_OWNER', orgId: ORG }), { role: 'ORG_OWNER', orgId: ORG }, { role: 'GROUP_OWNER', projectId: SHOP }), []);
    assert.deepEqual(beyond(holderOf({ role: 'GROUP_BACKUP_MANAGER', projectId: SHOP }), { role: 'GROUP_BACKUP_CREATOR', projectId: SHOP }), []);
    assert.deepEqual(beyond(holderOf({ role: 'GLOBAL_OWNER' }), { role: 'GLOBAL_OWNER' }, { role: 'ORG_OWNER', orgId: OTHER }), []);
  });

  test('tells what is more, or elsewhere', () => {
    assert.deepEqual(beyond(holderOf({ role: 'GROUP_ACCESS_MANAGER', projectId: SHOP }), { role: 'GROUP_OWNER', projectId: SHOP }, { role: 'GROUP_READ_ONLY', projectId: SHOP }), ['GROUP_OWNER']);
    assert.deepEqual(beyond(holderOf({ role: 'GROUP_OWNER', projectId: SHOP }), { role: 'GROUP_READ_ONLY', projectId: OTHER }, { role: 'ORG_READ_ONLY', orgId: ORG }), ['GROUP_READ_ONLY', 'ORG_READ_ONLY']);
    assert.deepEqual(beyond(holderOf({ role: 'ORG_OWNER', orgId: ORG }), { role: 'GLOBAL_READ_ONLY' }, { role: 'ORG_OWNER', orgId: OTHER }), ['GLOBAL_READ_ONLY', 'ORG_OWNER']);
  });
});
