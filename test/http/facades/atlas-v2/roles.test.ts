// Who may do what: every operation of Atlas v2, v1.0 and v1.5, every role, both schemes. Only whether it is refused for the role counts here.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ORG_ROLES, PROJECT_ROLES, type Role, type RoleGrant } from '../../../../src/domain/roles.ts';
import { ATLAS_V1_5_OPERATIONS, ATLAS_V1_OPERATIONS } from '../../../../src/http/facades/atlas-v1/routes.ts';
import { ATLAS_V2_OPERATIONS } from '../../../../src/http/facades/atlas-v2/routes.ts';
import { specOperations } from '../../../support/check-schema.ts';
import { digestAnswer, nonceOf } from '../../../support/digest-client.ts';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { ORG_ID, OTHER_ID, SHOP_ID } from '../../../support/memory-services.ts';

const BACKUP_ALL = ['GROUP_OWNER', 'GROUP_BACKUP_MANAGER', 'GROUP_BACKUP_ADMIN'] as const;

/** Which roles do for each of the specification's, written apart from the code: an owner may all, a manager all backups, everybody reads. */
const SUFFICES: Readonly<Record<string, readonly Role[]>> = {
  'Project Read Only': [...PROJECT_ROLES, 'ORG_READ_ONLY'],
  'Project Owner': ['GROUP_OWNER'],
  'Project Access Manager': ['GROUP_OWNER', 'GROUP_ACCESS_MANAGER'],
  'Project Cluster Creator': ['GROUP_OWNER', 'GROUP_CLUSTER_CREATOR'],
  'Project Cluster Manager': ['GROUP_OWNER', 'GROUP_CLUSTER_MANAGER'],
  'Project Cluster Resilience Tester': ['GROUP_OWNER', 'GROUP_CLUSTER_RESILIENCE_TESTER'],
  'Project Replica Set Manager': ['GROUP_OWNER', 'GROUP_REPLICA_SET_MANAGER'],
  'Project Backup Manager': BACKUP_ALL,
  'Project Backup Creator': [...BACKUP_ALL, 'GROUP_BACKUP_CREATOR'],
  'Project Backup Export Operator': [...BACKUP_ALL, 'GROUP_BACKUP_EXPORT_OPERATOR'],
  'Project Backup Recovery Operator': [...BACKUP_ALL, 'GROUP_BACKUP_RECOVERY_OPERATOR'],
  'Organization Owner': [],
  'Organization Read Only': ['ORG_READ_ONLY'],
  // Whoever belongs to an organization is a member.
  'Organization Member': [...PROJECT_ROLES, ...ORG_ROLES],
  'Organization Project Creator': ['ORG_GROUP_CREATOR'],
};

/** Operations that the specification gives to nobody, or does not have. */
const BEYOND: Readonly<Record<string, string>> = {
  'POST /groups': 'Organization Project Creator',
  'POST /orgs/*/apiKeys/*/accessList': 'Organization Owner',
  'DELETE /orgs/*/apiKeys/*/accessList/*': 'Organization Owner',
  'GET /orgs/*/events': 'Organization Member',
  'GET /orgs/*/events/*': 'Organization Member',
};
/** Lists of what a credential may see: they refuse nobody, they are shorter. */
const LISTS = ['GET /', 'GET /clusters', 'GET /orgs', 'GET /orgs/*', 'GET /orgs/*/groups', 'GET /groups', 'GET /groups/byName/*', 'GET /rateLimits', 'GET /rateLimits/*'];

const plain = (path: string): string => path.replaceAll(/:[a-zA-Z]+:invite|\{[a-zA-Z]+\}:invite/g, '*:invite').replaceAll(/:(?!invite)[a-zA-Z]+|\{[a-zA-Z]+\}/g, '*');
const specified = new Map(Object.values(specOperations).map(({ method, path, roles }) => [`${method} ${plain(path)}`, roles]));

/** Null: anyone known. */
function wantedBy(key: string, path: string): readonly string[] | null {
  if (LISTS.includes(key)) return null;
  if (BEYOND[key] !== undefined) return [BEYOND[key]];
  const roles = specified.get(key);
  if (roles !== undefined && roles.length > 0) return roles;
  // Around a group, what clients read is for whoever may read the group.
  assert.ok(key.startsWith('GET /groups/*/') && path.includes(':groupId'), `${key}: nobody says who may`);
  return ['Project Read Only'];
}

interface Holder { readonly name: string; readonly role: Role | null; readonly grants: readonly RoleGrant[] }

const HOLDERS: readonly Holder[] = [
  ...PROJECT_ROLES.map((role) => ({ name: role, role, grants: [{ role, projectId: SHOP_ID }] })),
  ...ORG_ROLES.map((role) => ({ name: role, role, grants: [{ role, orgId: ORG_ID }] })),
  { name: 'GLOBAL_OWNER', role: 'ORG_OWNER', grants: [{ role: 'GLOBAL_OWNER' }] },
  { name: 'neighbour', role: null, grants: [{ role: 'GROUP_OWNER', projectId: OTHER_ID }] },
];

function isAllowed(wanted: readonly string[] | null, { role }: Holder): boolean {
  if (wanted === null || role === 'ORG_OWNER') return true;
  if (role === null) return wanted.includes('Organization Member');
  return wanted.some((each) => {
    assert.ok(SUFFICES[each], `${each} is not known here`);
    return SUFFICES[each].includes(role);
  });
}

const DOORS = [
  { prefix: '/api/atlas/v2', operations: ATLAS_V2_OPERATIONS },
  { prefix: '/api/atlas/v1.0', operations: ATLAS_V1_OPERATIONS },
  { prefix: '/api/atlas/v1.5', operations: ATLAS_V1_5_OPERATIONS },
] as const;

describe('roles in Atlas', () => {
  let facade: FacadeServer;
  const tokens = new Map<string, string>();

  before(async () => {
    facade = await startFacades();
    for (const { name, grants } of HOLDERS) tokens.set(name, await facade.grant(name, grants));
  });
  after(() => facade.close());

  const urlOf = (prefix: string, path: string): string => `${prefix}${path.replace(':groupId', SHOP_ID).replace(':orgId', ORG_ID).replace(':clusterName', 'orders').replace(':clientId:invite', 'x:invite').replaceAll(/:[a-zA-Z]+(?=\/|$)/g, '0'.repeat(24))}`;
  const bodyOf = (method: string, path: string): unknown => (method === 'GET' ? undefined : path === '/groups' ? { name: 'new', orgId: ORG_ID } : {});

  for (const scheme of ['digest', 'bearer'] as const) {
    for (const { prefix, operations } of DOORS) {
      test(`let in those of the specification below ${prefix} by ${scheme}, no one else`, async () => {
        const wrong: string[] = [];
        let asked = 0;
        for (const holder of HOLDERS) {
          const { headers } = await facade.server.app.inject({ url: `${prefix}/groups` });
          const nonce = nonceOf(String(headers['www-authenticate']));
          for (const [at, { method, path }] of operations.entries()) {
            const url = urlOf(prefix, path);
            const authorization = scheme === 'bearer' ? `Bearer ${tokens.get(holder.name) ?? ''}`
              : digestAnswer(nonce, { username: holder.name, password: `private-of-${holder.name}`, uri: url, method, nc: (at + 1).toString(16).padStart(8, '0') });
            const { json, status } = await facade.ask(url, { method, body: bodyOf(method, path), headers: { authorization, accept: 'application/vnd.atlas.2025-03-12+json' } });
            const refused = status === 401 || json['errorCode'] === 'USER_UNAUTHORIZED';
            if (refused === isAllowed(wantedBy(`${method} ${plain(path)}`, path), holder)) wrong.push(`${holder.name} ${method} ${path}: ${status} ${String(json['errorCode'] ?? '')}`);
            asked += 1;
          }
          facade.clock.advance(60_000);
        }
        assert.deepEqual(wrong, []);
        assert.equal(asked, HOLDERS.length * operations.length);
      });
    }
  }

  test('of another organization count for nothing here', async () => {
    const principal = { kind: 'apiKey', id: 'f'.repeat(24), name: 'stranger', orgId: 'e'.repeat(24), grants: [{ role: 'ORG_OWNER', orgId: 'e'.repeat(24) }] } as const;
    const { token } = await facade.identity.issueBearer(principal);
    for (const { method, path } of ATLAS_V2_OPERATIONS.filter(({ path }) => path.includes(':groupId') || /:orgId\/(?!groups)/.test(path))) {
      const { json } = await facade.ask(urlOf('/api/atlas/v2', path), { method, body: bodyOf(method, path), headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.atlas.2025-03-12+json' } });
      assert.equal(json['errorCode'], 'USER_UNAUTHORIZED', `${method} ${path}`);
    }
  });

  test('of another project count for nothing here', async () => {
    const { json } = await facade.atlas('/groups', { headers: { authorization: `Bearer ${tokens.get('neighbour')}` } });
    assert.deepEqual((json['results'] as { id: string }[]).map(({ id }) => id), [OTHER_ID]);
  });

  test('are named in no refusal', async () => {
    const { json } = await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/restoreJobs`, { headers: { authorization: `Bearer ${tokens.get('GROUP_READ_ONLY')}` } });
    assert.deepEqual(json, { detail: 'Current user is not authorized to perform this action.', error: 401, errorCode: 'USER_UNAUTHORIZED', parameters: [], reason: 'Unauthorized' });
  });
});
