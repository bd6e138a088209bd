import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { projectRolesOf } from '../../src/domain/roles.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { createIdentity } from '../../src/services/identity.ts';
import { applyDeclared, type DeclaredOrganization } from '../../src/services/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { startEmbedded, type TestDatabase } from '../support/postgres.ts';

const clock = fakeClock();
let database: TestDatabase;
let catalog: Catalog;

/** The example of the settings reference. */
const EXAMPLE: DeclaredOrganization = {
  name: 'Example',
  id: '5f0000000000000000000001',
  apiKeys: [{ publicKey: 'abcdefgh', privateKey: '00000000-0000-4000-8000-000000000000', roles: ['ORG_OWNER'], accessList: ['127.0.0.1/32'] }],
  serviceAccounts: [{ clientId: 'mdb_sa_id_5f0000000000000000000002', clientSecret: 'mdb_sa_sk_example', roles: ['ORG_OWNER'] }],
  users: [{ name: 'admin', password: 'change-me', roles: ['ORG_OWNER'] }],
  projects: [{
    name: 'shop',
    id: '5f0000000000000000000003',
    apiKeys: [{ publicKey: 'readonly', privateKey: 'read-only-private-key', roles: ['GROUP_READ_ONLY'] }],
    clusters: [{ name: 'orders', id: '5f0000000000000000000004', uri: 'mongodb://root:pass%40word@127.0.0.1:27017,db2/?replicaSet=rs0' }],
  }],
};

before(async () => { database = await startEmbedded(); });
after(async () => { await database?.stop(); });
beforeEach(async () => { catalog = await database.open({ clock }); });
afterEach(async () => { await catalog.close(); });

function apply(...organizations: readonly DeclaredOrganization[]) {
  return applyDeclared({ catalog, clock }, organizations);
}

/** The example with changes in its only project. */
function withProject(changes: Partial<NonNullable<DeclaredOrganization['projects']>[number]>): DeclaredOrganization {
  const [project] = EXAMPLE.projects ?? [];
  return { ...EXAMPLE, projects: [{ ...project, name: project?.name ?? '', ...changes }] };
}

describe('applyDeclared', () => {
  test('makes all that is declared', async () => {
    const report = await apply(EXAMPLE);
    assert.deepEqual(report.created, [
      'organization Example', 'API key abcdefgh of organization Example',
      'service account mdb_sa_id_5f0000000000000000000002 of organization Example', 'user admin of organization Example',
      'project shop of organization Example', 'API key readonly of project shop of organization Example', 'cluster orders of project shop',
    ]);
    assert.deepEqual([report.changed, report.differs], [[], []]);
    const cluster = await catalog.clusters.byName('5f0000000000000000000003', 'orders');
    assert.deepEqual([cluster?.id, cluster?.hosts], ['5f0000000000000000000004', ['127.0.0.1:27017', 'db2:27017']]);
    assert.equal(await catalog.clusters.uriOf('5f0000000000000000000004'), EXAMPLE.projects?.[0]?.clusters?.[0]?.uri);
  });

  test('gives credentials that work, with their roles where they were declared', async () => {
    await apply(EXAMPLE);
    const identity = createIdentity({ catalog, clock, secret: Buffer.alloc(32, 1) });
    const project = { id: '5f0000000000000000000003', orgId: '5f0000000000000000000001' };
    const owner = await identity.apiKey('abcdefgh');
    const reader = await identity.apiKey('readonly');
    assert.ok(owner !== null && reader !== null);
    assert.deepEqual([owner.accessList, reader.accessList], [['127.0.0.1/32'], []]);
    assert.ok(projectRolesOf(owner.principal, project).has('GROUP_OWNER'));
    assert.deepEqual([...projectRolesOf(reader.principal, project)], ['GROUP_READ_ONLY']);
    assert.ok('principal' in ((await identity.login('admin', 'change-me')) ?? {}));
    assert.ok((await identity.serviceAccount('mdb_sa_id_5f0000000000000000000002', 'mdb_sa_sk_example')) !== null);
  });

  test('changes nothing the second time', async () => {
    await apply(EXAMPLE);
    assert.deepEqual(await apply(EXAMPLE), { created: [], changed: [], differs: [] });
  });

  test('deletes nothing that is no longer declared', async () => {
    await apply(EXAMPLE);
    assert.deepEqual(await apply({ name: 'Example' }), { created: [], changed: [], differs: [] });
    assert.ok((await catalog.apiKeys.byPublicKey('abcdefgh')) !== null);
    assert.ok((await catalog.clusters.get('5f0000000000000000000004')) !== null);
  });

  test('takes over secrets, addresses and access lists that changed', async () => {
    await apply(EXAMPLE);
    const report = await apply({
      ...withProject({ clusters: [{ name: 'orders', uri: 'mongodb://127.0.0.1:27018/' }] }),
      apiKeys: [{ publicKey: 'abcdefgh', privateKey: 'another-private-key', roles: ['ORG_OWNER'], accessList: ['10.0.0.0/8'] }],
      serviceAccounts: [{ clientId: 'mdb_sa_id_5f0000000000000000000002', clientSecret: 'mdb_sa_sk_another', roles: ['ORG_OWNER'], accessList: ['10.0.0.0/8'] }],
      users: [{ name: 'admin', password: 'another-password', roles: ['ORG_OWNER'] }],
    });
    assert.deepEqual(report.created, []);
    assert.deepEqual(report.changed, [
      'private key of API key abcdefgh of organization Example', 'access list of API key abcdefgh of organization Example',
      'client secret of service account mdb_sa_id_5f0000000000000000000002 of organization Example',
      'access list of service account mdb_sa_id_5f0000000000000000000002 of organization Example',
      'password of user admin of organization Example', 'connection string of cluster orders of project shop',
    ]);
    const identity = createIdentity({ catalog, clock, secret: Buffer.alloc(32, 1) });
    assert.deepEqual((await catalog.clusters.get('5f0000000000000000000004'))?.hosts, ['127.0.0.1:27018']);
    assert.ok('principal' in ((await identity.login('admin', 'another-password')) ?? {}));
    assert.ok((await identity.serviceAccount('mdb_sa_id_5f0000000000000000000002', 'mdb_sa_sk_another')) !== null);
  });

  test('switches continuous backup on and off, and leaves it alone where nothing is said', async () => {
    const uri = 'mongodb://127.0.0.1:27018/?replicaSet=rs0';
    const declare = async (continuousBackup?: boolean) => {
      const { changed } = await apply(withProject({ clusters: [{ name: 'continuous', uri, ...(continuousBackup === undefined ? {} : { continuousBackup }) }] }));
      return [changed, (await catalog.clusters.byName('5f0000000000000000000003', 'continuous'))?.continuousBackup];
    };
    assert.deepEqual(await declare(true), [[], true]);
    assert.deepEqual(await declare(), [[], true]);
    assert.deepEqual(await declare(false), [['continuous backup of cluster continuous of project shop, which is off now'], false]);
    assert.deepEqual(await declare(true), [['continuous backup of cluster continuous of project shop, which is on now'], true]);
  });

  test('adds roles, and tells of those that the catalog has beside them', async () => {
    await apply(EXAMPLE);
    const report = await apply(withProject({ apiKeys: [{ publicKey: 'readonly', privateKey: 'read-only-private-key', roles: ['GROUP_BACKUP_MANAGER'] }] }));
    assert.deepEqual(report.changed, ['role GROUP_BACKUP_MANAGER added to API key readonly of project shop of organization Example']);
    assert.deepEqual(report.differs, ['API key readonly of project shop of organization Example: the catalog also has the role GROUP_READ_ONLY']);
  });

  test('lets one key hold roles in several projects of its organization', async () => {
    const key = (role: 'GROUP_OWNER' | 'GROUP_READ_ONLY') => ({ publicKey: 'both', privateKey: 'one-private-key', roles: [role] });
    const declared: DeclaredOrganization = { name: 'Two', projects: [{ name: 'a', apiKeys: [key('GROUP_OWNER')] }, { name: 'b', apiKeys: [key('GROUP_READ_ONLY')] }] };
    await apply(declared);
    assert.deepEqual(await apply(declared), { created: [], changed: [], differs: [] });
    const stored = await catalog.apiKeys.byPublicKey('both');
    assert.deepEqual((await catalog.roleGrants.of('apiKey', stored?.id ?? '')).map(({ role }) => role), ['GROUP_OWNER', 'GROUP_READ_ONLY']);
  });

  test('brings a project and a cluster back that were deleted, with what they kept', async () => {
    await apply(EXAMPLE);
    await catalog.clusters.markDeleted('5f0000000000000000000004');
    await catalog.projects.markDeleted('5f0000000000000000000003');
    const report = await apply(EXAMPLE);
    assert.deepEqual(report.created, ['project shop of organization Example', 'cluster orders of project shop']);
    assert.equal((await catalog.clusters.byName('5f0000000000000000000003', 'orders'))?.id, '5f0000000000000000000004');
    assert.equal(await catalog.clusters.uriOf('5f0000000000000000000004'), EXAMPLE.projects?.[0]?.clusters?.[0]?.uri);
    assert.ok(((await catalog.schedules.get('5f0000000000000000000004'))?.schedule.items.length ?? 0) > 0);
    assert.equal((await apply(EXAMPLE)).created.length, 0);
  });

  test('tells of another name under a declared id, and keeps it', async () => {
    await apply(EXAMPLE);
    const report = await apply({ name: 'Renamed', id: '5f0000000000000000000001' });
    assert.deepEqual(report.differs, ['organization Renamed: id 5f0000000000000000000001 is named Example in the catalog']);
  });

  const foreign: DeclaredOrganization = { name: 'Foreign', apiKeys: [{ publicKey: 'abcdefgh', privateKey: '00000000-0000-4000-8000-000000000000', roles: ['ORG_OWNER'] }] };
  const contradictions: readonly (readonly [string, DeclaredOrganization])[] = [
    ['a name that exists under another id', { name: 'Example', id: '5f00000000000000000000ff' }],
    ['a project of another organization', { name: 'Foreign', projects: [{ name: 'shop', id: '5f0000000000000000000003' }] }],
    ['a cluster of another project', { ...EXAMPLE, projects: [{ name: 'other', clusters: [{ name: 'orders', id: '5f0000000000000000000004', uri: 'mongodb://127.0.0.1/' }] }] }],
    ['a key of another organization', foreign],
    ['an organization role in a project', withProject({ apiKeys: [{ publicKey: 'wrongrole', privateKey: 'some-private-key', roles: ['ORG_OWNER'] }] })],
    ['a project role in an organization', { name: 'Example', users: [{ name: 'u', password: 'some-password', roles: ['GROUP_OWNER'] }] }],
    ['one key with two secrets', { name: 'Example', apiKeys: [1, 2].map((n) => ({ publicKey: 'twice', privateKey: `private-key-${n}`, roles: ['ORG_OWNER'] })) }],
    ['an address that is none', withProject({ clusters: [{ name: 'bad', uri: 'mysql://root:top-secret@127.0.0.1/' }] })],
  ];
  for (const [what, declared] of contradictions) {
    test(`refuses ${what}, and then makes nothing at all`, async () => {
      await apply(EXAMPLE);
      const fresh: DeclaredOrganization = { name: 'Before', projects: [{ name: 'p' }] };
      await assert.rejects(apply(fresh, declared), (error) => isLeafvaultError(error, 'DECLARATION_INVALID') && !error.message.includes('top-secret') && !error.message.includes('private-key'));
      assert.equal(await catalog.organizations.byName('Before'), null);
    });
  }

  test('makes each thing once when several processes start at once', async () => {
    const reports = await Promise.all(Array.from({ length: 4 }, () => apply(EXAMPLE)));
    assert.equal(reports.flatMap(({ created }) => created).length, 7);
    assert.equal((await catalog.organizations.list({ ids: null }, { pageNumber: 1, itemsPerPage: 10 })).totalCount, 1);
  });
});
